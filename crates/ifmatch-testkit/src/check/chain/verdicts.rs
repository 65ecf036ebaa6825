//! Each answer by itself, whatever the time: is it true of the chain?

use super::truth::Truth;
use super::{Answer, History, Position, Told, Violation};

pub(super) fn violations<O: Clone + Ord>(
    history: &History<O>,
    truth: &Truth<'_, O>,
) -> Vec<Violation<O>> {
    let answers = history.calls.iter().enumerate();
    answers
        .filter_map(|(call, recorded)| match &recorded.answer {
            Answer::Commit { operation, told } => verdict(call, operation, *told, truth),
            Answer::Read { .. } => None,
        })
        .collect()
}

fn verdict<O: Clone + Ord>(
    call: usize,
    operation: &O,
    told: Told,
    truth: &Truth<'_, O>,
) -> Option<Violation<O>> {
    let found = truth.place(operation);
    let operation = operation.clone();
    match (told, found) {
        (Told::Committed { seq, ordinal }, found) => {
            let told = Position { seq, ordinal };
            match found {
                None => Some(Violation::Lost { call, operation, told }),
                Some(found) if found != told => {
                    Some(Violation::Misplaced { call, operation, told, found })
                }
                Some(_) => None,
            }
        }
        (Told::Rejected | Told::Never, Some(found)) => {
            Some(Violation::Phantom { call, operation, found })
        }
        (Told::Rejected | Told::Never, None) | (Told::Unknown, _) => None,
    }
}
