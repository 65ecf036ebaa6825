//! Child processes that obey an interrupt and a deadline.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::clock;

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Turns an interrupt, hangup or termination into an error at the next wait,
/// so that whatever was started is stopped in order.
pub(crate) fn stop_on_signals() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))
            .context("cannot catch signals")?;
    }
    Ok(())
}

/// Fails once a signal asked the task to stop.
pub(crate) fn check_interrupt() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Runs a command in the foreground and fails unless it succeeds in time.
pub(crate) fn run(command: &mut Command, deadline: Option<Instant>) -> Result<()> {
    eprintln!("$ {}", display(command));
    let status = supervise(command, deadline)?;
    if !status.success() {
        bail!("`{}` failed: {status}", display(command));
    }
    Ok(())
}

/// Runs a command whose output goes to a log file, shown only when it fails.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let output = append(log)?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let status = supervise(command, None)?;
    if !status.success() {
        bail!("`{}` failed: {status}\n{}", display(command), tail(log));
    }
    Ok(())
}

/// Runs a short command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    command.stdin(Stdio::null());
    let output = command.output().with_context(|| format!("cannot run {}", display(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed: {}\n{}", display(command), output.status, errors.trim_end());
    }
    String::from_utf8(output.stdout).context("output is not UTF-8")
}

/// Opens a log file at its end, making its folder when it is missing.
pub(crate) fn append(log: &Path) -> Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::options().create(true).append(true).open(log);
    file.with_context(|| format!("cannot open {}", log.display()))
}

/// The last 30 lines of a log file.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// A command as one would type it.
pub(crate) fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn supervise(command: &mut Command, deadline: Option<Instant>) -> Result<ExitStatus> {
    check_interrupt()?;
    let mut child = command.spawn().with_context(|| format!("cannot run {}", display(command)))?;
    loop {
        if let Some(status) = child.try_wait()? {
            check_interrupt()?;
            return Ok(status);
        }
        let late = deadline.is_some_and(|deadline| clock::now() >= deadline);
        if late || check_interrupt().is_err() {
            end(&mut child)?;
            check_interrupt()?;
            bail!("`{}` was stopped: the time was up", display(command));
        }
        clock::sleep(Duration::from_millis(50));
    }
}

/// Asks a child to end and insists after ten seconds.
fn end(child: &mut Child) -> Result<()> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::TERM).ok();
    }
    let ended = clock::poll(Duration::from_secs(10), || matches!(child.try_wait(), Ok(Some(_))));
    if !ended {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_an_error_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/step.log");
        let error = run_logged(Command::new("sh").args(["-c", "echo why; exit 3"]), &log);
        let text = error.unwrap_err().to_string();
        assert!(text.contains("exit status: 3") && text.ends_with("why"), "{text}");
    }

    #[test]
    fn a_command_is_stopped_at_its_deadline() {
        let start = clock::now();
        let deadline = start + Duration::from_millis(100);
        let error = run(Command::new("sleep").arg("60"), Some(deadline)).unwrap_err();
        assert!(error.to_string().contains("time was up"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
