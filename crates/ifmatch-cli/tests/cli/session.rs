//! A folder, and commands run in it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder, and a record of the commands run in it.
pub(crate) struct Session {
    pub(crate) folder: TempDir,
    record: String,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), record: String::new() }
    }

    /// The URL of a store in the folder.
    pub(crate) fn store(&self) -> String {
        format!("file://{}/store", self.folder.path().display())
    }

    /// Runs a command and records what it printed.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// The same with something on standard input.
    pub(crate) fn run_with(&mut self, arguments: &[&str], input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ifmatch"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read its input may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran {
            code: done.status.code().unwrap(),
            out: text(done.stdout),
            err: text(done.stderr),
        };
        let line = arguments.join(" ");
        writeln!(self.record, "$ ifmatch {line}\n{}{}[{}]", ran.out, ran.err, ran.code).unwrap();
        ran
    }

    /// Everything that was run, without what differs from run to run.
    pub(crate) fn recorded(&self) -> String {
        let folder = self.folder.path().display().to_string();
        let mut text = String::new();
        let record = self.record.replace(&folder, "/dir");
        let times = ["\"expires_in_ms\":", "\"remaining_ms\":", " is open for "];
        let record = times.iter().fold(record, |record, time| without_number(&record, time));
        let mut rest = record.as_str();
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            text.push_str(&rest[..start]);
            let word = &rest[start..];
            let end = word
                .find(|c: char| !(c.is_ascii_alphanumeric() || "-:.".contains(c)))
                .unwrap_or(word.len());
            text.push_str(&stable(&word[..end]));
            rest = &word[end..];
        }
        text.push_str(rest);
        text
    }
}

/// The text with `N` for the numbers that follow `before`.
fn without_number(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        out.extend([before, "N", rest]);
    }
    out
}

/// A word, or what stands for it where it differs from run to run.
fn stable(word: &str) -> String {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    if word.len() == 27 && word.ends_with('Z') {
        return "TIME".to_owned();
    }
    if word.len() == 32 && hex(word) {
        return "VERSION".to_owned();
    }
    if let Some(id) = word.strip_prefix("c1.").filter(|id| id.len() == 32 && hex(id)) {
        return word.replace(id, "STORE");
    }
    if let Some(fork) = word.split(':').find(|part| (12..=16).contains(&part.len()) && hex(part)) {
        return word.replace(fork, "FORK");
    }
    match word.split_once('-') {
        Some((seq, nonce)) if nonce.len() == 32 && hex(nonce) => format!("{seq}-COMMIT"),
        Some((counter, nonce)) if nonce.len() == 24 && hex(nonce) => format!("{counter}-NONCE"),
        _ => match word.find("-saved-") {
            Some(at) => format!("{}-saved-N", &word[..at]),
            None => word.to_owned(),
        },
    }
}
