//! Every answer against the true history.

use std::ops::RangeInclusive;

use ifmatch_journal::kv::Rejection;

use super::Findings;
use super::chain::{Chain, key_of};
use crate::check::chain::{self, Answer, History, Replay, Told, check};
use crate::sim::ledger::Book;
use crate::sim::violation::Broken;
use crate::sim::world::World;

pub(super) fn check_all(world: &World, chain: &Chain, found: &mut Findings) {
    let mut book = world.ledger.book();
    let calls = std::mem::take(&mut book.calls);
    let history = History { chain: chain.commits.clone(), calls };
    let report = check(&history, &Replayed { chain, book: &book });
    for violation in &report.violations {
        found.add(kind_of(violation), violation.to_string());
    }
    replies(&book, chain, found);
    pasts(&book, chain, found);
    if world.deed().is_none() {
        unresolved(&history, found);
    }
}

/// What was answered to those who were acknowledged.
fn replies(book: &Book, chain: &Chain, found: &mut Findings) {
    for (entry, number) in book.entries.iter().zip(1..) {
        if let Some(Rejection::NoNumber) = entry.rejection {
            let detail = format!("command {number} was told that there is no number");
            found.add(Broken::FalseRejection, detail);
        }
        let Some((commit, reply)) = &entry.reply else { continue };
        if chain.nonce_of(commit.seq) != Some(commit.nonce) {
            let detail =
                format!("command {number} was told of commit {commit}, which is not there");
            found.add(Broken::Lost, detail);
        }
        match chain.reply_to(number) {
            Some((_, said)) if said != *reply => {
                let detail = format!("command {number} was told {reply:?}, not {said:?}");
                found.add(Broken::WrongReply, detail);
            }
            // One that is not there is lost, and was reported as such.
            _ => {}
        }
    }
}

/// States and commits of the past, as they were told.
fn pasts(book: &Book, chain: &Chain, found: &mut Findings) {
    for (seq, digest) in &book.snapshots {
        if chain.digest_at(*seq) != Some(*digest) {
            found.add(Broken::WrongSnapshot, format!("the past at {seq} was told wrongly"));
        }
    }
    for (seq, nonce) in &book.heard {
        if chain.nonce_of(*seq) != Some(*nonce) {
            let detail = format!("somebody heard of a commit {seq} that is not there");
            found.add(Broken::Follower, detail);
        }
    }
}

/// Commands that were told "unknown", and of which nobody found out more.
fn unresolved(history: &History<u64>, found: &mut Findings) {
    let mut open = std::collections::BTreeSet::new();
    for call in &history.calls {
        if let (Answer::Commit { operation, told }, Some(_)) = (&call.answer, call.returned) {
            match told {
                Told::Unknown => open.insert(*operation),
                _ => open.remove(operation),
            };
        }
    }
    for number in open {
        let detail = format!("the outcome of command {number} stayed unknown");
        found.add(Broken::Unresolved, detail);
    }
}

struct Replayed<'a> {
    chain: &'a Chain,
    book: &'a Book,
}

impl Replay<u64> for Replayed<'_> {
    fn digest(&self, seq: u64) -> Option<u64> {
        self.chain.digest_at(seq)
    }

    fn rejects(&self, number: &u64, seq: u64) -> bool {
        self.first_rejection(number, seq..=seq).is_some()
    }

    fn first_rejection(&self, number: &u64, seqs: RangeInclusive<u64>) -> Option<u64> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let entry = self.book.entries.get(index)?;
        match entry.rejection {
            Some(Rejection::Version(there)) => {
                self.chain.versions.first_with(key_of(&entry.command), there, seqs)
            }
            _ => Some(*seqs.start()),
        }
    }
}

fn kind_of<O>(violation: &chain::Violation<O>) -> Broken {
    use chain::Violation as Wrong;
    match violation {
        Wrong::Lost { .. } | Wrong::Misplaced { .. } => Broken::Lost,
        Wrong::Phantom { .. } | Wrong::FalseCommit { .. } | Wrong::Early { .. } => Broken::Phantom,
        Wrong::Doubled { .. } => Broken::Doubled,
        Wrong::StaleRead { .. } | Wrong::SessionBack { .. } => Broken::Stale,
        Wrong::WrongSnapshot { .. } | Wrong::Future { .. } => Broken::WrongSnapshot,
        Wrong::FalseConflict { .. } => Broken::FalseRejection,
        _ => Broken::Chain,
    }
}
