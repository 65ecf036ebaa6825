//! Dependencies between the workspace's own crates only go downwards.

use anyhow::{Result, bail};

use super::metadata::{Metadata, Package};

/// Each published crate with the own crates that it may use, lowest first.
const LAYERS: [(&str, &[&str]); 10] = [
    ("ifmatch-core", &[]),
    ("ifmatch-object", &["core"]),
    ("ifmatch-journal", &["core"]),
    ("ifmatch-meta", &["core", "journal"]),
    ("ifmatch-sql", &["core", "object", "journal", "meta"]),
    ("ifmatch-sync", &["core", "object", "journal", "meta", "sql"]),
    ("ifmatch-recipes", &["core", "object", "journal", "meta", "sql", "sync"]),
    ("ifmatch-testkit", &["core", "journal", "meta", "sync", "recipes"]),
    ("ifmatch", &["core", "object", "journal", "meta", "sql", "sync", "recipes", "testkit"]),
    ("ifmatch-cli", &[""]),
];

/// Fails with every dependency that goes upwards or sideways.
pub(super) fn check(metadata: &Metadata) -> Result<()> {
    let faults: Vec<String> = metadata.packages.iter().flat_map(faults).collect();
    if !faults.is_empty() {
        bail!("dependencies against the layers:\n  {}", faults.join("\n  "));
    }
    Ok(())
}

/// The faults of one package. Unpublished ones (tests, benchmarks, tasks) see
/// everything.
fn faults(package: &Package) -> Vec<String> {
    let published = package.publish.as_ref().is_none_or(|registries| !registries.is_empty());
    let in_crates = package.manifest_path.iter().any(|part| part == "crates");
    if !published || !in_crates {
        return Vec::new();
    }
    let name = &package.name;
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| layer == name) else {
        return vec![format!("{name} has no place in the layers yet")];
    };
    let own = package.dependencies.iter().filter_map(|dependency| {
        Some((dependency.name.strip_prefix("ifmatch")?.trim_start_matches('-'), dependency))
    });
    own.filter_map(|(short, dependency)| match dependency.kind.as_deref() {
        None if !allowed.contains(&short) => Some(format!("{name} uses {}", dependency.name)),
        // It would give the crate's tests two copies of the crate's own types.
        Some("dev") if short == "testkit" => Some(format!("{name} tests with ifmatch-testkit")),
        _ => None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, dependencies: &str, publish: &str) -> Vec<String> {
        let json = format!(
            r#"{{"packages": [{{"name": "{name}", "manifest_path": "w/crates/{name}/Cargo.toml",
            "features": {{}}, "publish": {publish}, "dependencies": [{dependencies}]}}]}}"#
        );
        let metadata: Metadata = serde_json::from_str(&json).unwrap();
        let faults: Vec<String> = metadata.packages.iter().flat_map(faults).collect();
        assert_eq!(check(&metadata).is_ok(), faults.is_empty());
        faults
    }

    fn using(name: &str, dependency: &str) -> Vec<String> {
        found(name, &format!(r#"{{"name": "{dependency}", "kind": null}}"#), "null")
    }

    #[test]
    fn a_dependency_downwards_is_allowed() {
        for (name, below) in [
            ("ifmatch-object", "ifmatch-core"),
            ("ifmatch-meta", "ifmatch-journal"),
            ("ifmatch-testkit", "ifmatch-recipes"),
            ("ifmatch", "ifmatch-testkit"),
            ("ifmatch-cli", "ifmatch"),
            ("ifmatch-core", "serde"),
        ] {
            assert!(using(name, below).is_empty(), "{name} may use {below}");
        }
    }

    #[test]
    fn a_dependency_upwards_or_sideways_is_a_fault() {
        for (name, other) in [
            ("ifmatch-core", "ifmatch-object"),
            ("ifmatch-object", "ifmatch-journal"),
            ("ifmatch-journal", "ifmatch-meta"),
            ("ifmatch-sync", "ifmatch-testkit"),
            ("ifmatch-testkit", "ifmatch-sql"),
            ("ifmatch-sync", "ifmatch"),
            ("ifmatch-cli", "ifmatch-core"),
        ] {
            assert_eq!(using(name, other), [format!("{name} uses {other}")]);
        }
    }

    #[test]
    fn no_published_crate_tests_with_the_testkit() {
        let dev = r#"{"name": "ifmatch-testkit", "kind": "dev"}"#;
        assert_eq!(found("ifmatch-meta", dev, "null").len(), 1);
        assert!(found("ifmatch-bench", dev, "[]").is_empty());
    }

    #[test]
    fn a_crate_without_a_layer_is_a_fault() {
        assert_eq!(found("ifmatch-new", "", "null").len(), 1);
    }
}
