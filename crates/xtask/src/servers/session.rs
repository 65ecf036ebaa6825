//! Bringing the servers up and taking them down.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::environment::{self, Variables};
use super::state::{Home, Record, State};
use super::{ALL, Server, install, processes};
use crate::workspace::Workspace;
use crate::{clock, process};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(90);

/// A free port may be taken by somebody else before the server listens on it.
const ATTEMPTS: usize = 3;

/// Servers for the time of a test run: dropping it stops those it started.
#[derive(Debug)]
pub(crate) struct Session {
    home: Home,
    started: Vec<&'static str>,
}

impl Session {
    /// Makes every server available.
    pub(crate) fn open(workspace: &Workspace) -> Result<Self> {
        let home = Home::of(workspace);
        let started = up(&home)?;
        Ok(Self { home, started })
    }

    /// The environment that the tests read.
    pub(crate) fn variables(&self) -> Result<Variables> {
        environment::of_running(&self.home)
    }

    /// Stops what it started and tells whether that worked.
    pub(crate) fn close(mut self) -> Result<()> {
        let started = std::mem::take(&mut self.started);
        down(&self.home, |name| started.contains(&name))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Err(error) = down(&self.home, |name| self.started.contains(&name)) {
            eprintln!("warning: servers were left running: {error:#}");
        }
    }
}

/// Installs and starts what is missing and returns the names of those it
/// started. When one fails, those it started are stopped again.
pub(super) fn up(home: &Home) -> Result<Vec<&'static str>> {
    let _lock = home.lock()?;
    install::all(home)?;
    let mut state = State::load(home)?;
    let mut started = Vec::new();
    for server in ALL {
        let name = server.name();
        match ensure(server, home, &mut state) {
            Ok(Start::Reused(port)) => eprintln!("servers: {name} is up on port {port}"),
            Ok(Start::Fresh(port, seconds)) => {
                started.push(name);
                eprintln!("servers: {name} started on port {port} in {seconds:.1} s");
            }
            Err(error) => {
                stop(home, &mut state, |name| started.contains(&name)).ok();
                return Err(error.context(format!("{name} does not start")));
            }
        }
    }
    Ok(started)
}

/// Stops the chosen servers of the state file.
pub(super) fn down(home: &Home, chosen: impl Fn(&str) -> bool) -> Result<()> {
    let _lock = home.lock()?;
    stop(home, &mut State::load(home)?, chosen)
}

fn stop(home: &Home, state: &mut State, chosen: impl Fn(&str) -> bool) -> Result<()> {
    let mut failed = Ok(());
    for server in ALL.iter().rev().filter(|server| chosen(server.name())) {
        let Some(record) = state.servers.get(server.name()) else { continue };
        match server.stop(record) {
            Ok(()) => {
                eprintln!("servers: {} stopped", server.name());
                state.servers.remove(server.name());
            }
            Err(error) => failed = Err(error.context(format!("{} runs on", server.name()))),
        }
    }
    state.save(home)?;
    failed
}

enum Start {
    Reused(u16),
    Fresh(u16, f64),
}

fn ensure(server: &dyn Server, home: &Home, state: &mut State) -> Result<Start> {
    if let Some(record) = state.servers.get(server.name()) {
        let current = record.package == server.package() && record.is_running();
        if current && server.prepare(record).is_ok() {
            return Ok(Start::Reused(record.port));
        }
        server.stop(record)?;
        state.servers.remove(server.name());
        state.save(home)?;
    }
    let mut last = anyhow!("not tried");
    for _ in 0..ATTEMPTS {
        process::check_interrupt()?;
        let begin = clock::now();
        let record = server.start(home, free_port()?)?;
        // Recorded before it answers: whatever happens next, `down` finds it.
        state.servers.insert(server.name().into(), record.clone());
        state.save(home)?;
        match wait(server, &record) {
            Ok(()) => return Ok(Start::Fresh(record.port, begin.elapsed().as_secs_f64())),
            Err(error) => last = error.context(process::tail(&home.log(server.name()))),
        }
        server.stop(&record)?;
        state.servers.remove(server.name());
        state.save(home)?;
    }
    Err(last)
}

fn wait(server: &dyn Server, record: &Record) -> Result<()> {
    let end = clock::now() + PATIENCE;
    loop {
        process::check_interrupt()?;
        let Err(error) = server.prepare(record) else { return Ok(()) };
        if processes::is_gone(record.pid) {
            bail!("the process ended at once");
        }
        if clock::now() >= end {
            return Err(error.context(format!("no good answer within {PATIENCE:?}")));
        }
        clock::sleep(Duration::from_millis(50));
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}
