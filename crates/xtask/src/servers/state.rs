//! The folder of the servers and the file that remembers which ones run.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::processes;
use crate::workspace::Workspace;

/// `target/servers` of the workspace, wherever cargo's own target folder is.
#[derive(Debug, Clone)]
pub(super) struct Home {
    folder: PathBuf,
}

/// A server that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The process.
    pub(super) pid: u32,
    /// Where it listens on the loopback interface.
    pub(super) port: u16,
    /// The exact package that it was installed from.
    pub(super) package: String,
    /// Part of its command line, by which a reused process number is told.
    pub(super) command: String,
    /// A folder of its own outside the workspace, removed when it stops.
    pub(super) data: Option<PathBuf>,
}

impl Record {
    /// Whether the process still is the one that was started.
    pub(super) fn is_running(&self) -> bool {
        processes::is_ours(self.pid, &self.command)
    }
}

/// The servers that were started and not yet stopped.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// By name.
    pub(super) servers: BTreeMap<String, Record>,
}

impl Home {
    /// The servers' folder in a workspace.
    pub(super) fn of(workspace: &Workspace) -> Self {
        Self::new(workspace.root().join("target/servers"))
    }

    /// Some folder.
    pub(super) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A folder or file in it.
    pub(super) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    /// The log file of a server or of an installation.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.join(format!("log/{name}.log"))
    }

    /// Waits for other tasks that change servers. Dropping the file unlocks it.
    pub(super) fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.folder)?;
        let file = File::create(self.join("lock"))?;
        file.lock().context("cannot lock target/servers")?;
        Ok(file)
    }

    fn state_file(&self) -> PathBuf {
        self.join("state.json")
    }
}

impl State {
    /// Reads the state file; without one nothing runs.
    pub(super) fn load(home: &Home) -> Result<Self> {
        let path = home.state_file();
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path)?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Replaces the state file as a whole.
    pub(super) fn save(&self, home: &Home) -> Result<()> {
        let next = home.join("state.json.next");
        fs::write(&next, serde_json::to_string_pretty(self)?)?;
        fs::rename(next, home.state_file()).context("cannot write target/servers/state.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_survives_being_saved() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        assert_eq!(State::load(&home).unwrap(), State::default());
        let record = Record {
            pid: 7,
            port: 9,
            package: "a==1".into(),
            command: "a --port 9".into(),
            data: Some("d".into()),
        };
        let state = State { servers: BTreeMap::from([("a".into(), record)]) };
        state.save(&home).unwrap();
        assert_eq!(State::load(&home).unwrap(), state);
    }

    #[test]
    fn a_damaged_state_file_is_an_error_and_not_an_empty_state() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        fs::write(home.state_file(), "{\"servers\":").unwrap();
        assert!(State::load(&home).unwrap_err().to_string().contains("damaged"));
    }
}
