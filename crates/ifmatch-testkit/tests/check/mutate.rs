//! Small lies: one answer, one moment or one argument of a history changed.

use fastrand::Rng;
use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::chain::{Answer, Told};
use ifmatch_testkit::check::linear::RegisterOp;

use super::register::Recorded;

/// Changes one of the first `calls` calls, perhaps to something as true.
///
/// The chain stays what it is, and an argument is changed only to a value that
/// the chain holds or that nobody ever writes.
pub(crate) fn mutate(recorded: &mut Recorded, calls: usize, rng: &mut Rng) {
    let call = rng.usize(0..calls);
    match rng.u32(0..4) {
        0 => moments(recorded, call, rng),
        _ => answer(recorded, call, rng),
    }
}

/// Moves an end of a call to the moment of some other event. A call whose
/// answer told nothing may begin anywhere.
fn moments(recorded: &mut Recorded, call: usize, rng: &mut Rng) {
    let other = &recorded.history.calls[rng.usize(0..recorded.history.calls.len())];
    let moment = if rng.bool() { Some(other.invoked) } else { other.returned };
    let Some(moment) = moment else { return };
    // The last read must stay the last.
    let last = recorded.history.calls.iter().map(|call| call.invoked).max().unwrap_or_default();
    let moment = moment.min(Moment::new(last.time.saturating_sub(1), u64::MAX));
    let call = &mut recorded.history.calls[call];
    if matches!(call.answer, Answer::Commit { told: Told::Unknown, .. }) {
        call.invoked = moment;
        call.returned = call.returned.map(|returned| returned.max(moment));
    } else if rng.bool() && call.returned.is_none_or(|returned| moment <= returned) {
        call.invoked = moment;
    } else if call.returned.is_some() && moment >= call.invoked {
        call.returned = Some(moment);
    }
}

fn answer(recorded: &mut Recorded, call: usize, rng: &mut Rng) {
    let newest = u64::try_from(recorded.values.len() - 1).unwrap();
    let values = recorded.values.clone();
    let recorded_call = &mut recorded.history.calls[call];
    match &mut recorded_call.answer {
        Answer::Read { seq, digest, .. } => match rng.u32(0..3) {
            0 => *digest = Some(rng.u64(0..=newest + 2)),
            dice => {
                let near = if dice == 1 { seq.saturating_sub(1) } else { *seq + 1 };
                *seq = if rng.bool() { near } else { rng.u64(0..=newest + 1) };
                let value = values.get(usize::try_from(*seq).unwrap());
                *digest = Some(value.copied().unwrap_or(u64::MAX));
            }
        },
        Answer::Commit { operation, told } => {
            if rng.u32(0..5) == 0 {
                let value = values[rng.usize(0..values.len())];
                let value = if rng.u32(0..4) == 0 { u64::MAX } else { value };
                if let Some(RegisterOp::Cas { expected, .. }) = recorded.writes.get_mut(operation) {
                    *expected = value;
                }
            } else if recorded_call.returned.is_some() {
                *told = match rng.u32(0..8) {
                    0 | 1 => Told::Rejected,
                    2 => Told::Never,
                    3 => Told::Unknown,
                    4 => Told::Committed { seq: newest + 1, ordinal: 0 },
                    5 => Told::Committed { seq: rng.u64(1..=newest + 1), ordinal: 1 },
                    _ => Told::Committed { seq: rng.u64(1..=newest + 1), ordinal: 0 },
                };
            }
        }
        _ => {}
    }
}
