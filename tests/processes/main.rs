//! The main job between real processes: the quickstart's story with all 10,000
//! documents, and eight processes that all want to publish.
//!
//! This binary is its own worker: with `IFMATCH_TEST_WORKER` set it reads
//! commands from its standard input, one JSON document per line, and answers
//! each with one.
#![allow(clippy::panic, clippy::disallowed_methods)] // Processes live in real time.

mod kills;
mod many;
mod remote;
mod story;
mod worker;

use libtest_mimic::{Arguments, Trial};

use crate::remote::Remote;

fn main() -> std::process::ExitCode {
    if std::env::var_os("IFMATCH_TEST_WORKER").is_some() {
        worker::serve();
        return std::process::ExitCode::SUCCESS;
    }
    let mut trials = Vec::new();
    for remote in Remote::all() {
        let name = format!("s3_s4_two_processes_collide_and_nothing_is_lost::{}", remote.name);
        trials.push(trial(name, &remote, story::run));
    }
    for remote in Remote::all().into_iter().filter(|remote| remote.name != "azure") {
        let name = format!("w1_eight_processes_lose_no_insert::{}", remote.name);
        trials.push(trial(name, &remote, many::run));
    }
    for remote in Remote::all().into_iter().filter(|remote| remote.name != "azure") {
        let name = format!("w13_a_killed_process_loses_nothing::{}", remote.name);
        trials.push(trial(name, &remote, kills::run));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: String, remote: &Remote, body: fn(&str) -> Result<(), String>) -> Trial {
    let (missing, remote) = (remote.missing, remote.clone());
    let name = match missing {
        Some(variable) => format!("{name} (needs {variable}: cargo xtask test)"),
        None => name,
    };
    Trial::test(name, move || {
        let (_folder, url) = remote.fresh()?;
        body(&url).map_err(Into::into)
    })
    .with_ignored_flag(missing.is_some())
}
