//! The rules of puts, one test each.

use super::history::Step::{Attempt, Attempts, Head, Heads, Other};
use super::history::{Told, put};
use super::scripted::{Fate, Look};
use super::world::{Bases, Foreign, MINE, World};
use crate::capabilities::Versions;
use crate::error::{Current, Error};
use crate::precondition::Precondition;
use crate::store::Stored;
use crate::version::Version;

fn world() -> World {
    World::new(Versions::Unique, Bases::Claimed, true)
}

fn empty() -> World {
    World::new(Versions::Unique, Bases::Claimed, false)
}

fn by_content() -> World {
    World::new(Versions::ByContent, Bases::Claimed, true)
}

/// An update of the object that is there.
fn update(world: World, steps: &[super::history::Step]) -> Told<Stored> {
    let there = world.first.as_ref().unwrap().version.clone();
    put(world, Precondition::IfMatch(there), steps)
}

fn is_success(told: &Told<Stored>) -> bool {
    let stored = told.result.as_ref().unwrap();
    assert_eq!(stored.version.written_by(), Some(MINE));
    told.world.mine.contains(&stored.version)
}

fn is_unknown(told: &Told<Stored>) -> bool {
    let Err(Error::OutcomeUnknown(unknown)) = &told.result else {
        return false;
    };
    unknown.write == Some(MINE)
}

/// A conflict that names what is there.
fn is_conflict(told: &Told<Stored>) -> bool {
    let Err(Error::Conflict(conflict)) = &told.result else {
        return false;
    };
    let there = told.world.object.as_ref().map(|object| object.version.clone());
    assert_eq!(conflict.current, there.map_or(Current::Absent, Current::Present));
    told.world.mine.is_empty()
}

#[test]
fn own_success_is_never_a_conflict() {
    for fate in [Fate::LoseAnswer, Fate::Twice, Fate::TwiceLater, Fate::Deliver] {
        for (told, name) in [
            (put(empty(), Precondition::IfAbsent, &[Attempt(fate)]), "create"),
            (update(world(), &[Attempt(fate)]), "update"),
            (put(world(), Precondition::Overwrite, &[Attempt(fate)]), "overwrite"),
        ] {
            assert!(is_success(&told), "{name} {fate:?}: {:?}", told.result);
            assert_eq!(told.attempts, 1, "{name} {fate:?}");
        }
    }
}

#[test]
fn a_write_without_faults_is_one_request() {
    let told = update(world(), &[]);
    assert_eq!((told.attempts, told.heads), (1, 0));
}

#[test]
fn a_lost_answer_costs_one_read_back() {
    let told = update(world(), &[Attempt(Fate::LoseAnswer)]);
    assert_eq!((told.attempts, told.heads), (1, 1));
}

#[test]
fn a_lost_request_is_sent_again() {
    let told = update(world(), &[Attempt(Fate::LoseRequest)]);
    assert!(is_success(&told));
    assert_eq!((told.attempts, told.world.mine.len()), (2, 1));
}

#[test]
fn a_request_that_lands_late_is_applied_once() {
    let steps = [Attempt(Fate::Delay), Head(Look::Fresh), Other(Foreign::Land)];
    let told = update(world(), &steps);
    assert!(is_success(&told));
    assert_eq!((told.attempts, told.world.mine.len()), (2, 1));
}

#[test]
fn a_foreign_write_that_built_on_my_base_is_a_conflict() {
    for fate in [Fate::LoseRequest, Fate::Delay] {
        assert!(is_conflict(&update(world(), &[Attempt(fate), Other(Foreign::Build)])));
    }
    let create = [Attempt(Fate::LoseRequest), Other(Foreign::Create)];
    assert!(is_conflict(&put(empty(), Precondition::IfAbsent, &create)));
}

#[test]
fn a_foreign_write_that_built_on_my_write_proves_my_success() {
    for fate in [Fate::LoseAnswer, Fate::Twice] {
        let told = update(world(), &[Attempt(fate), Other(Foreign::Build)]);
        assert!(is_success(&told), "{fate:?}: {:?}", told.result);
    }
}

#[test]
fn after_an_unclear_attempt_an_object_that_proves_nothing_is_outcome_unknown() {
    for fate in [Fate::LoseAnswer, Fate::LoseRequest] {
        for acts in [
            [Other(Foreign::Build), Other(Foreign::Build)],
            [Other(Foreign::Build), Other(Foreign::Overwrite)],
            [Other(Foreign::Build), Other(Foreign::Delete)],
            [Other(Foreign::Delete), Other(Foreign::Create)],
        ] {
            let told = update(world(), &[Attempt(fate), acts[0], acts[1]]);
            assert!(is_unknown(&told), "{fate:?} {acts:?}: {:?}", told.result);
        }
    }
}

#[test]
fn a_single_attempt_whose_rejection_arrives_whole_is_a_conflict() {
    for acts in [
        [Other(Foreign::Build), Other(Foreign::Build)],
        [Other(Foreign::Build), Other(Foreign::Overwrite)],
        [Other(Foreign::Build), Other(Foreign::Delete)],
        [Other(Foreign::Delete), Other(Foreign::Create)],
    ] {
        assert!(is_conflict(&update(world(), &acts)), "{acts:?}");
    }
    assert!(is_conflict(&put(world(), Precondition::IfAbsent, &[])));
}

#[test]
fn equal_bytes_of_another_write_are_outcome_unknown_after_an_unclear_attempt() {
    let restored = [Attempt(Fate::LoseAnswer), Other(Foreign::Restore)];
    assert!(is_unknown(&update(by_content(), &restored)));
    // Where versions are unique the same history is as clear as any other.
    assert!(is_unknown(&update(world(), &restored)));
}

#[test]
fn equal_bytes_of_the_same_write_are_written_again() {
    let told = update(by_content(), &[Attempt(Fate::LoseRequest)]);
    assert!(is_success(&told));
    // Wherever a head names the write.
    let mut bare = by_content();
    bare.bare = true;
    assert!(is_success(&update(bare, &[Attempt(Fate::LoseRequest)])));
    // Unless nobody knows which write it was that was read.
    let there = Version::from_etag(by_content().first.unwrap().version.etag().unwrap());
    let told = put(by_content(), Precondition::IfMatch(there), &[Attempt(Fate::LoseRequest)]);
    assert!(is_unknown(&told));
}

#[test]
fn a_rejection_that_the_object_contradicts_is_read_again_then_sent_again() {
    for told in [
        update(world(), &[Attempt(Fate::FalseRejection)]),
        put(empty(), Precondition::IfAbsent, &[Attempt(Fate::FalseRejection)]),
        put(world(), Precondition::Overwrite, &[Attempt(Fate::FalseRejection)]),
    ] {
        assert!(is_success(&told));
        assert_eq!((told.attempts, told.heads), (2, 3));
    }
}

#[test]
fn a_stale_read_after_a_rejection_is_read_again() {
    let steps = [Attempt(Fate::Twice), Head(Look::Stale), Head(Look::Stale)];
    let told = update(world(), &steps);
    assert!(is_success(&told));
    assert_eq!(told.attempts, 1);
}

#[test]
fn a_refusal_after_a_rejection_that_proved_nothing_is_outcome_unknown() {
    // The twin lands after we were told that nothing was applied.
    let steps = [Attempt(Fate::RejectedForTwin), Attempt(Fate::Denied)];
    // No head is told: three looks between the two attempts see the old state.
    let told = update(world(), &[steps[0], Head(Look::Fresh), Head(Look::Fresh), steps[1]]);
    assert!(is_unknown(&told), "{:?}", told.result);
    assert_eq!(told.world.under_way.len(), 1);
}

#[test]
fn the_deadline_makes_it_outcome_unknown_and_never_a_conflict() {
    let blind = Heads(Look::Unavailable);
    for first in [Attempt(Fate::LoseAnswer), Attempt(Fate::LoseRequest), Attempt(Fate::Twice)] {
        let told = update(world(), &[first, blind]);
        assert!(is_unknown(&told), "{first:?}: {:?}", told.result);
    }
    let rejected = [Other(Foreign::Build), Attempt(Fate::Deliver), blind];
    assert!(is_unknown(&update(world(), &rejected)));
}

#[test]
fn a_read_back_that_is_unavailable_is_tried_again() {
    let blind = Head(Look::Unavailable);
    let told = update(world(), &[Attempt(Fate::LoseAnswer), blind, blind]);
    assert!(is_success(&told), "{:?}", told.result);
    assert_eq!((told.attempts, told.heads), (1, 3));
}

#[test]
fn a_read_back_that_is_refused_is_outcome_unknown() {
    let told = update(world(), &[Attempt(Fate::LoseAnswer), Head(Look::Denied)]);
    assert!(is_unknown(&told));
}

#[test]
fn a_store_that_was_never_reached_is_unavailable_and_nothing_was_applied() {
    let told = update(world(), &[Attempts(Fate::Unreachable)]);
    assert!(matches!(told.result, Err(Error::Unavailable { .. })), "{:?}", told.result);
    assert_eq!((told.heads, told.world.applied()), (0, false));
}

#[test]
fn a_refusal_for_good_is_told_at_once() {
    let told = update(world(), &[Attempt(Fate::Denied)]);
    assert!(matches!(told.result, Err(Error::Denied { .. })), "{:?}", told.result);
    assert_eq!((told.attempts, told.heads), (1, 0));
}

#[test]
fn a_refusal_for_good_after_an_unclear_attempt_is_outcome_unknown() {
    let steps = [Attempt(Fate::Delay), Head(Look::Fresh), Attempt(Fate::Denied)];
    let told = update(world(), &steps);
    assert!(is_unknown(&told));
    assert_eq!(told.attempts, 2);
}

#[test]
fn an_overwrite_goes_on_until_it_is_applied() {
    let steps = [Attempt(Fate::LoseRequest), Other(Foreign::Build), Attempt(Fate::Unreachable)];
    let told = put(world(), Precondition::Overwrite, &steps);
    assert!(is_success(&told));
    assert_eq!(told.attempts, 3);
}
