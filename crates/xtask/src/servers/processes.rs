//! Starting servers in the background and ending exactly those.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{clock, process};

/// Starts a command that outlives this one and an interrupt at the terminal.
/// Returns its process number and the command line that identifies it.
pub(super) fn spawn(command: &mut Command, log: &Path) -> Result<(u32, String)> {
    let output = process::append(log)?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
    let line = process::display(command);
    let child = command.spawn().with_context(|| format!("cannot run {line}"))?;
    Ok((child.id(), line))
}

/// Whether the process runs and its command line contains `command` (an
/// interpreter may stand before it). Process numbers are reused, so nothing is
/// ended on its number alone.
pub(super) fn is_ours(pid: u32, command: &str) -> bool {
    command_line(pid).is_some_and(|line| line.contains(command))
}

/// Whether nothing runs under the number.
pub(super) fn is_gone(pid: u32) -> bool {
    command_line(pid).is_none()
}

/// The command line of a running process; none once it ended, even if nobody
/// waited for it yet.
///
/// For a moment within `exec` (so also after `spawn` returned, and again when a
/// script's interpreter takes over) a running process has an empty one.
fn command_line(pid: u32) -> Option<String> {
    let mut line = Vec::new();
    clock::poll(Duration::from_secs(1), || {
        line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        !line.is_empty() || has_ended(pid)
    });
    if line.is_empty() && has_ended(pid) {
        return None;
    }
    let spaced = line.into_iter().map(|byte| if byte == 0 { b' ' } else { byte }).collect();
    Some(String::from_utf8(spaced).unwrap_or_default())
}

fn has_ended(pid: u32) -> bool {
    // The state follows the name, which stands in parentheses.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Ends a process if it is the one that was started; a foreign or missing one
/// is left alone.
pub(super) fn terminate(pid: u32, command: &str) -> Result<()> {
    insist(pid, command, Duration::from_secs(10))
}

fn insist(pid: u32, command: &str, patience: Duration) -> Result<()> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).context("no process number")?;
    for signal in [Signal::TERM, Signal::KILL] {
        if !is_ours(pid, command) {
            return Ok(());
        }
        kill_process(raw, signal).ok();
        clock::poll(patience, || !is_ours(pid, command));
    }
    if is_ours(pid, command) {
        bail!("process {pid} does not end");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_recorded_command_is_ended() {
        let mut child = Command::new("sleep").arg("61.5").spawn().unwrap();
        let pid = child.id();
        assert!(is_ours(pid, "sleep 61.5"));
        terminate(pid, "sleep 99").unwrap();
        assert!(is_ours(pid, "sleep 61.5"), "a foreign process was ended");
        terminate(pid, "sleep 61.5").unwrap();
        assert!(is_gone(pid));
        child.wait().unwrap();
    }

    /// A process looked at within `exec` was taken for a foreign one and left running.
    #[test]
    fn a_process_is_ours_from_its_first_moment() {
        for round in 0..50 {
            let mut child = Command::new("env").args(["sleep", "61.7"]).spawn().unwrap();
            let ours = is_ours(child.id(), "sleep 61.7");
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(ours, "round {round}");
            assert!(is_gone(child.id()));
        }
    }

    #[test]
    fn a_process_that_ignores_the_polite_signal_is_ended() {
        let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
        let mut child =
            Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 5];
        std::io::Read::read_exact(&mut child.stdout.take().unwrap(), &mut ready).unwrap();
        insist(child.id(), "trap '' TERM", Duration::from_millis(500)).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
