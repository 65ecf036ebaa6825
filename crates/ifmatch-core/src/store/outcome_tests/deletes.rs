//! The rules of deletes and of asking later, one test each.

use super::history::Step::{Attempt, Head, Other};
use super::history::{Step, Told, delete, key, put};
use super::scripted::{Fate, Look};
use super::world::{Bases, Foreign, World};
use crate::capabilities::Versions;
use crate::error::{Current, Error, Operation};
use crate::precondition::Precondition;
use crate::store::{Resolved, resolve_put};
use crate::version::Version;
use futures::FutureExt;

fn world() -> World {
    World::new(Versions::Unique, Bases::Claimed, true)
}

fn expected() -> Precondition {
    Precondition::IfMatch(world().first.unwrap().version)
}

fn is_unknown<T>(told: &Told<T>) -> bool {
    matches!(told.result, Err(Error::OutcomeUnknown(_)))
}

#[test]
fn a_delete_of_whatever_is_there_is_done_once_nothing_is_there() {
    for fate in [Fate::Deliver, Fate::LoseAnswer, Fate::LoseRequest, Fate::Twice] {
        let told = delete(world(), Precondition::Overwrite, &[Attempt(fate)]);
        assert!(told.result.is_ok(), "{fate:?}: {:?}", told.result);
        assert!(told.world.object.is_none(), "{fate:?}");
    }
    let nothing = World::new(Versions::Unique, Bases::Claimed, false);
    assert!(delete(nothing, Precondition::Overwrite, &[]).result.is_ok());
}

#[test]
fn a_conditional_delete_whose_answer_is_lost_is_outcome_unknown() {
    let told = delete(world(), expected(), &[Attempt(Fate::LoseAnswer)]);
    assert!(is_unknown(&told));
    let Err(Error::OutcomeUnknown(unknown)) = told.result else { unreachable!() };
    assert_eq!((unknown.operation, unknown.write), (Operation::Delete, None));
    let recreated = [Attempt(Fate::LoseAnswer), Other(Foreign::Create)];
    assert!(is_unknown(&delete(world(), expected(), &recreated)));
}

#[test]
fn a_conditional_delete_whose_request_is_lost_is_sent_again() {
    let told = delete(world(), expected(), &[Attempt(Fate::LoseRequest)]);
    assert!(told.result.is_ok());
    assert_eq!((told.attempts, told.world.deletes), (2, 1));
}

#[test]
fn a_conditional_delete_of_another_version_is_a_conflict() {
    for steps in [
        &[Other(Foreign::Build)][..],
        &[Attempt(Fate::LoseRequest), Other(Foreign::Build)],
        &[Other(Foreign::Build), Other(Foreign::Build)],
    ] {
        let told = delete(world(), expected(), steps);
        assert!(matches!(told.result, Err(Error::Conflict(_))), "{steps:?}: {:?}", told.result);
        assert!(told.world.object.is_some());
    }
}

#[test]
fn a_conditional_delete_of_nothing_is_a_conflict() {
    let told = delete(world(), expected(), &[Other(Foreign::Delete)]);
    let Err(Error::Conflict(conflict)) = told.result else { panic!("{:?}", told.result) };
    assert_eq!(conflict.current, Current::Absent);
}

#[test]
fn a_delete_that_asks_for_absence_is_invalid_and_nothing_is_sent() {
    let told = delete(world(), Precondition::IfAbsent, &[]);
    assert!(matches!(told.result, Err(Error::Invalid { .. })));
    assert_eq!((told.attempts, told.heads), (0, 0));
}

#[test]
fn a_weak_version_is_invalid_and_nothing_is_sent() {
    let weak = Precondition::IfMatch(Version::from_etag("W/\"1\""));
    let told = put(world(), weak.clone(), &[]);
    assert!(matches!(told.result, Err(Error::Invalid { .. })));
    assert_eq!((told.attempts, told.heads), (0, 0));
    assert!(matches!(delete(world(), weak, &[]).result, Err(Error::Invalid { .. })));
}

/// Ends a put unknown through `steps` and a denied head, lets `later` happen,
/// and asks again.
fn asked_later(
    condition: &Precondition,
    exists: bool,
    steps: &[Step],
    later: &[Foreign],
) -> Resolved {
    let world = World::new(Versions::Unique, Bases::Claimed, exists);
    let steps = [steps, &[Head(Look::Denied)]].concat();
    let told = put(world, condition.clone(), &steps);
    let Err(Error::OutcomeUnknown(unknown)) = told.result else { panic!("{:?}", told.result) };
    let mut world = told.world;
    for act in later {
        assert!(world.foreign(*act), "{act:?} does nothing here");
    }
    told.store.state.lock().unwrap().0 = world;
    assert_eq!(unknown.key, key());
    resolve_put(&told.store, &unknown).now_or_never().unwrap().unwrap()
}

#[test]
fn an_unknown_put_is_found_applied_later() {
    let lost = [Attempt(Fate::LoseAnswer)];
    for later in [&[][..], &[Foreign::Build]] {
        let resolved = asked_later(&expected(), true, &lost, later);
        assert!(matches!(resolved, Resolved::Applied(_)), "{later:?}: {resolved:?}");
    }
}

#[test]
fn an_unknown_put_that_was_overtaken_never_happens() {
    let lost = [Attempt(Fate::LoseRequest)];
    let resolved = asked_later(&expected(), true, &lost, &[Foreign::Build]);
    assert!(matches!(resolved, Resolved::Never { current: Current::Present(_) }), "{resolved:?}");
}

#[test]
fn an_unknown_put_whose_precondition_still_holds_is_open() {
    let under_way = [Attempt(Fate::Delay)];
    assert_eq!(asked_later(&expected(), true, &under_way, &[]), Resolved::Open);
    assert_eq!(asked_later(&Precondition::IfAbsent, false, &under_way, &[]), Resolved::Open);
}

#[test]
fn an_unknown_put_that_left_no_trace_is_forgotten() {
    let lost = [Attempt(Fate::LoseAnswer)];
    let later = [Foreign::Build, Foreign::Build];
    assert_eq!(asked_later(&expected(), true, &lost, &later), Resolved::Forgotten);
    assert_eq!(asked_later(&expected(), true, &lost, &[Foreign::Delete]), Resolved::Forgotten);
}

#[test]
fn an_unknown_overwrite_that_is_not_there_is_forgotten_and_not_open() {
    // It was reported as open ("not applied") though it had been applied and
    // overwritten: what is there proves nothing of a write without condition.
    let lost = [Attempt(Fate::LoseAnswer)];
    for later in [Foreign::Overwrite, Foreign::Delete] {
        let resolved = asked_later(&Precondition::Overwrite, true, &lost, &[later]);
        assert_eq!(resolved, Resolved::Forgotten);
    }
}
