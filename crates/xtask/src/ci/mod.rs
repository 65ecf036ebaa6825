//! `cargo xtask ci`: every check that a change must pass, timed.

mod dependencies;
mod features;
mod house;
mod layers;
mod metadata;
mod steps;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::clock;
use crate::servers::Session;
use crate::workspace::Workspace;

/// The longest time that all steps together may take.
const LIMIT: Duration = Duration::from_mins(50);

/// What the steps share.
#[derive(Debug)]
struct Run {
    workspace: Workspace,
    deadline: Instant,
    /// Up from the step that starts the servers to the one that stops them,
    /// or to the end of the run.
    session: Option<Session>,
}

/// A named step.
type Step = (&'static str, fn(&mut Run) -> Result<()>);

/// Runs `cargo xtask ci`: stops at the first step that fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let begin = clock::now();
    let mut run = Run { workspace: workspace.clone(), deadline: begin + LIMIT, session: None };
    let mut table = Vec::new();
    let mut outcome = Ok(());
    for (name, step) in steps::ALL {
        println!("\n=== {name}");
        let start = clock::now();
        outcome = step(&mut run).and_then(|()| in_time(begin.elapsed()));
        let time = start.elapsed();
        println!("=== {name}: {:.1} s", time.as_secs_f64());
        table.push((name, time, outcome.is_ok()));
        if let Err(error) = outcome {
            outcome = Err(error.context(format!("step `{name}`")));
            break;
        }
    }
    drop(run);
    print!("{}", summary(&table, begin.elapsed()));
    outcome
}

fn in_time(elapsed: Duration) -> Result<()> {
    if elapsed > LIMIT {
        bail!("the run takes longer than {} minutes", LIMIT.as_secs() / 60);
    }
    Ok(())
}

fn summary(table: &[(&str, Duration, bool)], total: Duration) -> String {
    let row = |time: Duration, name: &str| format!("{:10.1}  {name}\n", time.as_secs_f64());
    let steps = table.iter().map(|(name, time, passed)| {
        let mark = if *passed { "" } else { "  FAILED" };
        row(*time, &format!("{name}{mark}"))
    });
    format!("\n   seconds  step\n{}{}", steps.collect::<String>(), row(total, "in total"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_beyond_the_limit_fails() {
        assert!(in_time(LIMIT).is_ok());
        assert!(in_time(LIMIT + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn the_table_names_the_failed_step() {
        let table = [("format", Duration::from_millis(1500), true), ("lints", LIMIT, false)];
        let text = summary(&table, LIMIT);
        assert!(text.contains("       1.5  format\n"), "{text}");
        assert!(text.contains("    3000.0  lints  FAILED\n"), "{text}");
    }
}
