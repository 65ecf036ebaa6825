//! Real servers for the tests: installed under `target/servers`, started on
//! free loopback ports, described by environment variables.
//!
//! Several tasks may run at once: a file lock serialises `up` and `down`. A
//! test run stops only what it started itself, so servers that were up before
//! stay up.

mod azurite;
mod environment;
mod http;
mod install;
mod ministack;
mod postgres;
mod processes;
mod rclone;
mod session;
mod shared_key;
mod state;

use anyhow::{Result, bail};
use clap::Subcommand;

pub(crate) use self::environment::Variables;
pub(crate) use self::session::Session;
use self::state::{Home, Record};
use crate::workspace::Workspace;

/// What to do with the servers.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// Installs what is missing and starts what does not run yet.
    Up,
    /// Stops every server that the state file names.
    Down,
    /// Prints the environment that the tests read, as lines for a shell.
    Env,
}

/// A kind of server that the tests need.
trait Server: Sync {
    /// Its name in the state file and in logs.
    fn name(&self) -> &'static str;

    /// The exact package; a running server of another one is replaced.
    fn package(&self) -> &'static str;

    /// Starts a process that listens on a loopback port. It need not answer yet.
    fn start(&self, home: &Home, port: u16) -> Result<Record>;

    /// Succeeds once the server answers and holds what tests expect (a bucket,
    /// a container). Calling it again changes nothing.
    fn prepare(&self, record: &Record) -> Result<()>;

    /// Ends the process, if it is still the one that was started.
    fn stop(&self, record: &Record) -> Result<()> {
        processes::terminate(record.pid, &record.command)
    }

    /// The environment variables with which tests find it.
    fn variables(&self, port: u16) -> Vec<(&'static str, String)>;
}

/// Every server, in the order in which they are started.
const ALL: [&dyn Server; 4] =
    [&ministack::Ministack, &azurite::Azurite, &rclone::Rclone, &postgres::Postgres];

/// Runs `cargo xtask servers`.
pub(crate) fn run(workspace: &Workspace, command: Command) -> Result<()> {
    let home = Home::of(workspace);
    match command {
        Command::Up => {
            session::up(&home)?;
            eprintln!("for the environment: eval \"$(cargo xtask servers env)\"");
        }
        Command::Down => session::down(&home, |_| true)?,
        Command::Env => {
            let variables = environment::of_running(&home)?;
            if variables.is_empty() {
                bail!("no server is up: run `cargo xtask servers up`");
            }
            print!("{}", environment::as_shell(&variables));
        }
    }
    Ok(())
}
