//! PostgreSQL with a throw-away cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::state::{Home, Record};
use super::{Server, processes};
use crate::process;

/// The Debian package, which depends on the release's major version.
const PACKAGE: &str = "postgresql";

/// The superuser of the cluster, and the system user that runs it when this
/// process is root: PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// The server of `IFMATCH_TEST_POSTGRES_URL`.
#[derive(Debug)]
pub(super) struct Postgres;

impl Server for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn package(&self) -> &'static str {
        PACKAGE
    }

    fn start(&self, home: &Home, port: u16) -> Result<Record> {
        let bin = programs().context("initdb is not installed")?;
        // A folder of its own: the user postgres may not enter the workspace.
        let data = PathBuf::from(process::output(as_user("mktemp").arg("-d"))?.trim_end());
        match create(&bin, &data, home, port) {
            Ok(pid) => Ok(Record {
                pid,
                port,
                package: PACKAGE.into(),
                command: format!("-D {}", data.join("c").display()),
                data: Some(data),
            }),
            Err(error) => {
                let log = process::tail(&data.join("log"));
                // An interrupted start may have left a server behind.
                stop(&bin, &data, "immediate").ok();
                fs::remove_dir_all(&data).ok();
                Err(error.context(log))
            }
        }
    }

    fn prepare(&self, record: &Record) -> Result<()> {
        let bin = programs().context("PostgreSQL is not installed")?;
        let mut ready = as_user(bin.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &record.port.to_string()]);
        process::output(&mut ready).map(drop)
    }

    fn stop(&self, record: &Record) -> Result<()> {
        let Some(data) = &record.data else { bail!("no data folder in the state file") };
        let stopped = match programs() {
            Some(bin) if record.is_running() => stop(&bin, data, "fast"),
            _ => Ok(()),
        };
        if stopped.is_err() {
            processes::terminate(record.pid, &record.command)?;
        }
        // Only what is a cluster is removed, whatever the state file says.
        if data.join("c/PG_VERSION").exists() {
            fs::remove_dir_all(data)?;
        }
        Ok(())
    }

    fn variables(&self, port: u16) -> Vec<(&'static str, String)> {
        let url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
        vec![("IFMATCH_TEST_POSTGRES_URL", url)]
    }
}

/// Installs the Debian package unless some PostgreSQL is there.
pub(super) fn install(log: &Path) -> Result<()> {
    if programs().is_some() {
        return Ok(());
    }
    if !is_root() {
        bail!("PostgreSQL is missing: install the package `{PACKAGE}`");
    }
    eprintln!("servers: installing {PACKAGE}");
    let apt = |words: &str| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt.args(["-q", "-o", "DPkg::Lock::Timeout=120"]).args(words.split_whitespace());
        process::run_logged(&mut apt, log)
    };
    apt("update")?;
    apt(&format!("install -y --no-install-recommends {PACKAGE}"))?;
    programs().map(drop).context("the package brought no initdb")
}

/// Makes a cluster and starts it; the number of its first process.
fn create(bin: &Path, data: &Path, home: &Home, port: u16) -> Result<u32> {
    let log = home.log("postgres");
    let cluster = data.join("c");
    let mut initdb = as_user(bin.join("initdb"));
    initdb.arg("-D").arg(&cluster).args(["-U", USER, "-A", "trust", "--no-sync"]);
    initdb.args(["--encoding=UTF8", "--locale=C"]);
    process::run_logged(&mut initdb, &log)?;
    let options = format!(
        "-c listen_addresses=127.0.0.1 -c unix_socket_directories={} \
         -c fsync=off -c max_connections=300 -p {port}",
        data.display()
    );
    let mut start = as_user(bin.join("pg_ctl"));
    start.arg("-D").arg(&cluster).arg("-l").arg(data.join("log"));
    start.args(["-w", "-o", &options, "start"]);
    process::run_logged(&mut start, &log)?;
    let lock = fs::read_to_string(cluster.join("postmaster.pid"))?;
    lock.lines().next().and_then(|line| line.trim().parse().ok()).context("no postmaster.pid")
}

fn stop(bin: &Path, data: &Path, mode: &str) -> Result<()> {
    let mut stop = as_user(bin.join("pg_ctl"));
    stop.arg("-D").arg(data.join("c")).args(["-w", "-m", mode, "stop"]);
    process::output(&mut stop).map(drop)
}

/// The folder of PostgreSQL's programs: in the search path, or where Debian
/// keeps them, the newest version first.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    versions.sort();
    let debian = versions.into_iter().rev().map(|(_, folder)| folder.join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        .find(|folder| ["initdb", "pg_ctl", "pg_isready"].iter().all(|p| folder.join(p).is_file()))
}

/// A command as a user that PostgreSQL accepts, in a folder that it may enter.
fn as_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", USER, "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    if is_root() {
        // Root's own folder for temporary files may be closed to others.
        command.env_remove("TMPDIR");
    }
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
