//! Packages that must not be in a dependency tree.

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// A `cargo tree` and what it must not hold.
struct Rule {
    tree: &'static str,
    forbidden: &'static [&'static str],
}

const RULES: [Rule; 2] = [
    // The vocabulary does no I/O.
    Rule {
        tree: "-p ifmatch-core -e normal",
        forbidden: &["mio", "hyper", "reqwest", "object_store", "sqlx", "rusqlite"],
    },
    // ring is the only TLS provider: a second one makes rustls refuse to choose.
    Rule {
        tree: "--workspace --all-features -e normal,build",
        forbidden: &["aws-lc-sys", "aws-lc-rs"],
    },
];

/// Fails when a tree holds a forbidden package.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    for rule in RULES {
        let words = format!("tree --locked --prefix none --format {{p}} {}", rule.tree);
        let found = among(&process::output(&mut workspace.cargo(&words))?, rule.forbidden);
        if !found.is_empty() {
            bail!("`cargo tree {}` holds {}", rule.tree, found.join(", "));
        }
    }
    Ok(())
}

/// The forbidden packages in the output of `cargo tree`, one package a line,
/// its name first.
fn among(tree: &str, forbidden: &[&str]) -> Vec<String> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let mut found: Vec<String> =
        names.filter(|name| forbidden.contains(name)).map(String::from).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_package_is_found_by_its_whole_name() {
        let tree = "ifmatch-core v0.1.0 (dir)\nmio v1.0.0\nhyper-util v0.1.0\nmio v1.0.0 (*)\n";
        assert_eq!(among(tree, &["mio", "hyper"]), ["mio"]);
        assert!(among(tree, &["hyper"]).is_empty());
    }
}
