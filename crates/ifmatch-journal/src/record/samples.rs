//! What the tests of all formats share.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use ifmatch_core::{Background, BoxFuture, Env, Environment, Timestamp};

use super::CommitRecord;
use crate::id::{Nonce, WriterId};

/// Ids that no random generator's version can change.
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU8);

impl Environment for Counting {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn wall_clock(&self) -> Timestamp {
        Timestamp::default()
    }
    fn sleep(&self, _: Duration) -> BoxFuture {
        Box::pin(std::future::ready(()))
    }
    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
    fn spawn(&self, _: &'static str, _: BoxFuture) -> Background {
        unreachable!("a format spawns nothing")
    }
}

pub(crate) fn counting() -> Env {
    Env::new(Counting::default())
}

/// Consecutive commits; the third of every three has no known time, and commit
/// `seq` has `seq % 4` entries.
pub(crate) fn records(env: &Env, first: u64, count: u64) -> Vec<CommitRecord> {
    let entries = |seq: u64| (0..seq % 4).map(move |entry| format!("entry {entry} of {seq}"));
    let time = |seq: u64| i64::try_from(seq).ok().map(|n| Timestamp::from_micros(n * 1_000_003));
    (first..first + count)
        .map(|seq| CommitRecord {
            seq,
            nonce: Nonce::random(env),
            writer: WriterId::random(env),
            base_time: time(seq).filter(|_| seq % 3 > 0),
            entries: entries(seq).collect(),
        })
        .collect()
}

/// Every way to cut `bytes` short, and to flip one bit of them.
pub(crate) fn damaged(bytes: &[u8]) -> impl Iterator<Item = bytes::Bytes> + '_ {
    let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec().into());
    cut.chain((0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped.into()
    }))
}
