//! House rules that no other tool checks: file sizes and leaked machine paths.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

const FILE_LINES: usize = 400;
const LIB_LINES: usize = 120;

/// Beginnings of absolute paths that exist on one machine only. Written in
/// pieces, so that this file obeys its own rule.
const MACHINE: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// The library that TLS must not come from, as code would name it.
const AWS_LC: &str = concat!("aws", "_lc");

/// Fails with every file that breaks a rule.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut faults = Vec::new();
    for path in files(workspace)? {
        // A tracked file that was deleted is still listed.
        let Ok(content) = fs::read(workspace.root().join(&path)) else { continue };
        faults.extend(broken(&path, &content).map(|fault| format!("{path}: {fault}")));
    }
    if !faults.is_empty() {
        bail!("house rules:\n  {}", faults.join("\n  "));
    }
    Ok(())
}

/// The files of the repository, and new ones that git does not ignore.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let mut git = workspace.command("git");
    // The checkout may belong to another user, as it does in containers.
    git.args(["-c", "safe.directory=*", "ls-files", "-z"]);
    git.args(["--cached", "--others", "--exclude-standard"]);
    let names = process::output(&mut git).context("house rules need a git checkout")?;
    Ok(names.split_terminator('\0').map(String::from).collect())
}

fn broken(path: &str, content: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(content);
    let limit = if path.ends_with("/lib.rs") { LIB_LINES } else { FILE_LINES };
    let lines = text.lines().count();
    if Path::new(path).extension().is_some_and(|extension| extension == "rs") && lines > limit {
        return Some(format!("{lines} lines, the limit is {limit}"));
    }
    if text.contains(AWS_LC) {
        return Some(format!("names {AWS_LC}: TLS comes from ring"));
    }
    let machine = text.lines().position(names_machine_path).filter(|_| path != "Cargo.lock");
    machine.map(|line| format!("line {} names a path of one machine", line + 1))
}

/// Whether an absolute path of a machine is in the line. `a/home/b` is none.
fn names_machine_path(line: &str) -> bool {
    MACHINE.iter().flat_map(|start| line.match_indices(start)).any(|(at, start)| {
        let before = line[..at].chars().next_back();
        let after = line[at + start.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.}".contains(c))
            && after.is_some_and(|c| c.is_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_faults() {
        let lines = |count| "//\n".repeat(count).into_bytes();
        assert_eq!(broken("crates/a/src/b.rs", &lines(FILE_LINES)), None);
        assert!(broken("crates/a/src/b.rs", &lines(FILE_LINES + 1)).is_some());
        assert!(broken("crates/a/src/lib.rs", &lines(LIB_LINES + 1)).is_some());
        assert_eq!(broken("README.md", &lines(FILE_LINES + 1)), None);
    }

    #[test]
    fn absolute_paths_of_a_machine_are_faults() {
        for start in MACHINE {
            let line = format!("one\nsee \"{start}someone/x\"\n");
            let fault = broken("README.md", line.as_bytes()).unwrap();
            assert_eq!(fault, "line 2 names a path of one machine");
            assert_eq!(broken("Cargo.lock", line.as_bytes()), None);
            for harmless in [format!("bucket{start}x"), format!("{start}$USER")] {
                assert_eq!(broken("README.md", harmless.as_bytes()), None, "{harmless}");
            }
        }
    }

    #[test]
    fn the_unwanted_tls_library_is_a_fault() {
        assert!(broken("a.toml", format!("x = \"{AWS_LC}_rs\"").as_bytes()).is_some());
    }
}
