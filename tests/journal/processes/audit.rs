//! The truth, by the log of a new reader, against what the children say.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use ifmatch_journal::{Freshness, Journal, Options, Place, verify};

use super::child::writer;
use super::diary::{Diaries, Known};
use super::variant::PATIENT;
use crate::tally::{Addition, Tally};

/// Checks everything; gives how many commits there are.
pub(crate) async fn audit(url: &str, diaries: &[Diaries], kills: &[u64]) -> Result<u64, String> {
    let failed = |error: ifmatch_journal::Error| error.to_string();
    let store = ifmatch::open(url).map_err(|error| error.to_string())?;
    let options = Options::open().retry(PATIENT);
    let journal = Journal::open(store.clone(), Tally, options).await.map_err(failed)?;
    let now = journal.read(Freshness::Strong).await.map_err(failed)?;
    // Where each addition is. Twice is once too often.
    let mut places = BTreeMap::new();
    let (mut next, mut log) = (1, journal.log(0));
    while let Some(record) = log.try_next().await.map_err(failed)? {
        equal(record.seq, next, "the log has no gaps")?;
        next += 1;
        for mut entry in record.entries.iter() {
            let Addition { child, number, .. } =
                Addition::read(&mut entry).map_err(|damage| damage.to_string())?;
            equal(record.writer, writer(child), "a child's entry is in its own commit")?;
            if let Some(before) = places.insert((child, number), record.seq) {
                return Err(format!("{child}/{number} is in {before} and in {}", record.seq));
            }
        }
    }
    equal(next - 1, now.seq(), "the log ends at the newest commit")?;
    for ((child, diary), kills) in (0..).zip(diaries).zip(kills) {
        let theirs = |(of, number): &(u32, u64)| (*of == child).then_some(*number);
        let committed: Vec<_> = places.keys().filter_map(theirs).collect();
        for number in &committed {
            match diary.additions.get(number) {
                None => return Err(format!("{child}/{number} was never sent")),
                Some(Known::Never) => return Err(format!("{child}/{number} was said to be never")),
                Some(Known::Unknown(commit)) => return Err(format!("{commit} is not resolved")),
                Some(Known::Sent | Known::Left | Known::Committed(_)) => {}
            }
            if !now.state().has(child, *number) {
                return Err(format!("{child}/{number} is in the log, and not in the state"));
            }
        }
        for (number, seq) in diary.acknowledged() {
            match places.get(&(child, number)) {
                Some(place) if seq == 0 || *place == seq => {}
                place => return Err(format!("{child}/{number}: {seq} acknowledged, {place:?}")),
            }
        }
        let (count, acknowledged) = (committed.len(), diary.acknowledged().count());
        equal(now.state().count(child), count as u64, "the state counts what the log has")?;
        let most = acknowledged + diary.open();
        if !(acknowledged..=most).contains(&count) {
            return Err(format!("{child}: {acknowledged} <= {count} <= {most}"));
        }
        // One process has at most three commits on their way.
        if diary.open() as u64 > kills * 3 {
            return Err(format!("{child}: {} open after {kills} kills", diary.open()));
        }
    }
    let place = Place::single().map_err(failed)?;
    let verified = verify(store, place).await.map_err(failed)?;
    equal(&verified.damaged, &Vec::new(), "nothing is damaged")?;
    equal((verified.first, verified.seq), (1, now.seq()), "every commit is kept")?;
    Ok(now.seq())
}

fn equal<T: PartialEq + std::fmt::Debug>(left: T, right: T, what: &str) -> Result<(), String> {
    if left == right { Ok(()) } else { Err(format!("{what}: {left:?} != {right:?}")) }
}
