//! What a child writes down as it goes, so that the next process of that child,
//! and the test, know what was acknowledged.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use ifmatch_journal::{CommitId, Seen, Totals};
use serde_json::{Value, json};

/// What happened to the additions of a child, one line each.
#[derive(Debug)]
pub(crate) struct Diary(File);

/// What is known of one addition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Known {
    /// It was sent, or is about to be; nobody has answered.
    Sent,
    /// The outcome of this commit is open.
    Unknown(CommitId),
    /// It was not committed and will not be, unless it is sent again.
    Never,
    /// It is part of this commit; 0 where the process that sent it was killed
    /// before it heard, and the next has seen it.
    Committed(u64),
    /// The process was killed, and nobody has asked.
    Left,
}

/// A diary, read.
#[derive(Default)]
pub(crate) struct Diaries {
    pub(crate) additions: BTreeMap<u64, Known>,
    pub(crate) seen: Option<Seen>,
    /// How many processes there were.
    pub(crate) boots: u64,
    pub(crate) unknowns: u64,
    /// Unknown outcomes that a later process has resolved.
    pub(crate) inherited: u64,
    /// Milliseconds from an addition to its acknowledgement.
    pub(crate) waits: Vec<u64>,
    /// See [`counts`], summed over the processes.
    pub(crate) totals: [u64; COUNTS],
}

pub(crate) const COUNTS: usize = 8;

/// What is summed of a handle's totals.
pub(crate) const fn counts(totals: &Totals) -> [u64; COUNTS] {
    [
        totals.commits,
        totals.commands,
        totals.head_puts + totals.head_gets,
        totals.object_puts + totals.object_gets,
        totals.lost,
        totals.read_back,
        totals.checkpoints,
        totals.merges,
    ]
}

impl Diary {
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    pub(crate) fn boot(&self) {
        self.line(&json!({ "boot": true }));
    }

    pub(crate) fn seen(&self, seen: Seen) {
        self.line(&json!({ "seen": seen }));
    }

    pub(crate) fn sent(&self, number: u64) {
        self.line(&json!({ "sent": number }));
    }

    pub(crate) fn acknowledged(&self, number: u64, seq: u64, wait: u64, totals: &Totals) {
        let counts = counts(totals);
        self.line(&json!({ "committed": number, "seq": seq, "wait": wait, "totals": counts }));
    }

    /// The same, found out later.
    pub(crate) fn found(&self, number: u64, seq: u64) {
        self.line(&json!({ "committed": number, "seq": seq }));
    }

    pub(crate) fn unknown(&self, number: u64, commit: CommitId) {
        self.line(&json!({ "unknown": number, "commit": commit }));
    }

    /// A process that was not the one that sent it asks now.
    pub(crate) fn inherited(&self, number: u64) {
        self.line(&json!({ "inherited": number }));
    }

    /// A call has failed, and is made again.
    pub(crate) fn waits(&self, error: &ifmatch_journal::Error) {
        self.line(&json!({ "waits": error.to_string() }));
    }

    pub(crate) fn never(&self, number: u64) {
        self.line(&json!({ "never": number }));
    }

    pub(crate) fn left(&self, number: u64) {
        self.line(&json!({ "left": number }));
    }

    /// One write: a kill leaves the whole line or a torn one at the end.
    fn line(&self, value: &Value) {
        let mut file = &self.0;
        file.write_all(format!("{value}\n").as_bytes()).unwrap();
        file.flush().unwrap();
    }
}

impl Diaries {
    pub(crate) fn read(path: &Path) -> Self {
        let mut read = Self::default();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut totals = [0; COUNTS];
        for line in text.lines() {
            // The next process begins behind a torn line, which is no document.
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let number = |name: &str| line[name].as_u64();
            if line["boot"] == true {
                read.boots += 1;
                read.add(std::mem::take(&mut totals));
            }
            if let Ok(seen) = serde_json::from_value(line["seen"].clone()) {
                read.seen = Some(seen);
            }
            let commit = serde_json::from_value(line["commit"].clone()).ok();
            if let Some((number, commit)) = number("unknown").zip(commit) {
                read.unknowns += 1;
                read.additions.insert(number, Known::Unknown(commit));
            }
            read.inherited += u64::from(number("inherited").is_some());
            read.waits.extend(number("wait"));
            if let Ok(counts) = serde_json::from_value(line["totals"].clone()) {
                totals = counts;
            }
            let seq = number("seq").unwrap_or_default();
            for (name, known) in [
                ("sent", Known::Sent),
                ("committed", Known::Committed(seq)),
                ("never", Known::Never),
                ("left", Known::Left),
            ] {
                read.additions.extend(number(name).map(|number| (number, known)));
            }
        }
        read.add(totals);
        read
    }

    fn add(&mut self, totals: [u64; COUNTS]) {
        self.totals.iter_mut().zip(totals).for_each(|(sum, count)| *sum += count);
    }

    /// The additions that are committed, as the child was told or has found.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = (u64, u64)> {
        self.additions.iter().filter_map(|(number, known)| match known {
            Known::Committed(seq) => Some((*number, *seq)),
            _ => None,
        })
    }

    /// The additions that may or may not be committed.
    pub(crate) fn open(&self) -> usize {
        let open = |known: &&Known| !matches!(known, Known::Committed(_) | Known::Never);
        self.additions.values().filter(open).count()
    }
}
