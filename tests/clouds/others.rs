//! Writes among other writers, and answers that are worse than lost: doubled,
//! late, or false.

use std::sync::Arc;

use ifmatch::testkit::cloud::Operation::{Head, Put};
use ifmatch::testkit::cloud::{Ending, Fault, Release};
use ifmatch::{
    BlobKey, ConditionalBlobStore, Current, Env, Error, Precondition, Resolved, Result, Stored,
    WriteId, put_resolved, resolve_put,
};

use crate::fixture::{Cloud, QUICK, World, each_cloud, key, names, preconditions, write};
use crate::foreign::Foreign;
use crate::harness::Cases;
use crate::interposed::{Interposed, Moment};

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(
        cases,
        w1_a_stale_update_and_a_second_create_are_conflicts_that_name_what_is_there,
        w1_a_lost_write_on_which_another_built_is_committed,
        a_lost_write_that_another_replaced_is_unknown,
        w1_a_write_that_was_not_applied_and_lost_against_another_is_a_conflict,
        w1_a_write_delivered_twice_is_committed_and_applied_once,
        both_deliveries_of_an_overwrite_are_applied_and_it_is_committed,
        w1_a_write_that_arrives_late_does_not_apply_after_its_twin,
        a_write_that_lands_after_the_answer_unknown_is_found_by_asking_again,
        w1_a_false_412_is_looked_at_twice_and_sent_again,
        a_success_without_an_etag_is_read_back,
        w2_a_version_comes_from_the_own_answer_whoever_wrote_since,
    );
    cases.add("s3::w1_equal_bytes_of_another_writer_are_not_taken_for_the_base", || {
        w1_equal_bytes_of_another_writer_are_not_taken_for_the_base(Cloud::S3)
    });
}

const LOST: Fault = Fault::AfterApply(Ending::Close);
const BROKEN: Fault = Fault::BeforeApply(Ending::Close);
const BEFORE: Moment = Moment::BeforeReadBack;

/// An update and a create, the base of the first being there.
async fn conditional(world: &World) -> Vec<(BlobKey, Precondition)> {
    let mut all = preconditions(&world.store()).await;
    all.retain(|(_, precondition)| *precondition != Precondition::Overwrite);
    all
}

/// A write whose first attempt meets a fault, with somebody else's act around
/// its read-back.
async fn raced(
    world: &World,
    key: &BlobKey,
    precondition: &Precondition,
    fault: Fault,
    moment: Moment,
    foreign: Foreign,
) -> (WriteId, Result<Stored>) {
    world.server.clear_log();
    world.script(Put, &[fault]);
    let (other, its_key) = (world.store(), key.clone());
    let store = Interposed::new(Arc::new(world.store()), moment, async move {
        foreign.act(&other, &its_key).await;
    });
    let id = WriteId::random(&Env::real());
    (id, put_resolved(&store, key, "mine".into(), precondition.clone(), Some(id)).await)
}

async fn w1_a_stale_update_and_a_second_create_are_conflicts_that_name_what_is_there(cloud: Cloud) {
    let world = World::start(cloud).await;
    let store = world.store();
    let key = key("k");
    let first = write(&store, &key, "first", Precondition::IfAbsent).await.unwrap();
    let second =
        write(&store, &key, "second", Precondition::IfMatch(first.version.clone())).await.unwrap();
    for precondition in [Precondition::IfMatch(first.version), Precondition::IfAbsent] {
        world.server.clear_log();
        let error = write(&store, &key, "late", precondition.clone()).await.unwrap_err();
        let Error::Conflict(conflict) = &error else { panic!("{cloud}: {error}") };
        assert_eq!(conflict.current, Current::Present(second.version.clone()), "{cloud}");
        assert_eq!((&conflict.key, &conflict.expected), (&key, &precondition), "{cloud}");
        assert_eq!(world.requests(), [Put, Head], "{cloud}: a conflict costs two requests");
    }
    store.delete(&key, Precondition::Overwrite).await.unwrap();
    let gone = write(&store, &key, "late", Precondition::IfMatch(second.version)).await;
    let Err(Error::Conflict(conflict)) = gone else { panic!("{cloud}: {gone:?}") };
    assert_eq!(conflict.current, Current::Absent, "{cloud}");
    assert!(world.server.object("k").is_none(), "{cloud}");
}

async fn w1_a_lost_write_on_which_another_built_is_committed(cloud: Cloud) {
    let world = World::start(cloud).await;
    for (key, precondition) in conditional(&world).await {
        let (id, answer) = raced(&world, &key, &precondition, LOST, BEFORE, Foreign::Builds).await;
        let stored = answer.unwrap_or_else(|error| panic!("{cloud} {precondition}: {error}"));
        let applied = world.applied(&key, id);
        assert_eq!(applied.len(), 1, "{cloud} {precondition}");
        let version = applied[0].version.as_ref().unwrap();
        assert!(names(cloud, &stored.version, version), "{cloud} {precondition}: {stored:?}");
        let there = world.server.object(key.as_str()).unwrap();
        assert_eq!(&there.body[..], b"built by somebody else", "{cloud}: the other one stays");
    }
}

async fn a_lost_write_that_another_replaced_is_unknown(cloud: Cloud) {
    let world = World::start(cloud).await;
    for foreign in [Foreign::BuildsTwice, Foreign::Overwrites] {
        for (key, precondition) in conditional(&world).await {
            let (id, answer) = raced(&world, &key, &precondition, LOST, BEFORE, foreign).await;
            let Err(Error::OutcomeUnknown(unknown)) = &answer else {
                panic!("{cloud} {precondition} {foreign:?}: {answer:?}")
            };
            assert_eq!((&unknown.key, &unknown.expected), (&key, &precondition), "{cloud}");
            assert_eq!(unknown.write, Some(id), "{cloud}: what resolving needs");
            assert_eq!(world.applied(&key, id).len(), 1, "{cloud} {precondition} {foreign:?}");
            let resolved = resolve_put(&world.store(), unknown).await.unwrap();
            assert_eq!(resolved, Resolved::Forgotten, "{cloud} {precondition} {foreign:?}");
            world.store().delete(&key, Precondition::Overwrite).await.unwrap();
        }
    }
}

async fn w1_a_write_that_was_not_applied_and_lost_against_another_is_a_conflict(cloud: Cloud) {
    let world = World::start(cloud).await;
    for moment in [Moment::BeforeReadBack, Moment::AfterReadBack] {
        for (key, precondition) in conditional(&world).await {
            let context = format!("{cloud} {precondition} {moment:?}");
            let builds = Foreign::Builds;
            let (id, answer) = raced(&world, &key, &precondition, BROKEN, moment, builds).await;
            let Err(Error::Conflict(conflict)) = &answer else { panic!("{context}: {answer:?}") };
            let there = world.server.object(key.as_str()).unwrap();
            let Current::Present(current) = &conflict.current else { panic!("{context}") };
            assert!(names(cloud, current, &there.version), "{context}");
            assert!(world.applied(&key, id).is_empty(), "{context}: nothing was applied");
            world.store().delete(&key, Precondition::Overwrite).await.unwrap();
        }
    }
}

async fn w1_a_write_delivered_twice_is_committed_and_applied_once(cloud: Cloud) {
    let world = World::start(cloud).await;
    for (key, precondition) in conditional(&world).await {
        world.server.clear_log();
        world.script(Put, &[Fault::DeliverTwice]);
        let stored = write(&world.store(), &key, "mine", precondition.clone()).await.unwrap();
        assert_eq!(world.requests(), [Put, Head], "{cloud} {precondition}");
        let history = world.server.applied_history(key.as_str());
        assert_eq!(history.len(), 1, "{cloud} {precondition}");
        let version = history[0].version.as_ref().unwrap();
        assert!(names(cloud, &stored.version, version), "{cloud} {precondition}");
    }
}

async fn both_deliveries_of_an_overwrite_are_applied_and_it_is_committed(cloud: Cloud) {
    let world = World::start(cloud).await;
    world.script(Put, &[Fault::DeliverTwice]);
    let key = key("k");
    let stored = write(&world.store(), &key, "mine", Precondition::Overwrite).await.unwrap();
    let there = world.server.object("k").unwrap();
    assert!(names(cloud, &stored.version, &there.version), "{cloud}: {stored:?}");
    assert_eq!(world.server.applied_history("k").len(), 2, "{cloud}: the last writer wins");
}

async fn w1_a_write_that_arrives_late_does_not_apply_after_its_twin(cloud: Cloud) {
    let world = World::start(cloud).await;
    for (key, precondition) in conditional(&world).await {
        world.server.clear_log();
        world.script(Put, &[Fault::Delayed(Release::OnCall)]);
        let stored = write(&world.store(), &key, "mine", precondition.clone()).await.unwrap();
        assert_eq!(world.requests(), [Put, Head, Put], "{cloud} {precondition}");
        let next = Precondition::IfMatch(stored.version);
        write(&world.store(), &key, "next", next).await.unwrap();
        assert_eq!(world.server.deliver_delayed(), 1, "{cloud}");
        let there = world.server.object(key.as_str()).unwrap();
        assert_eq!(&there.body[..], b"next", "{cloud} {precondition}: nothing was lost");
        assert_eq!(world.server.applied_history(key.as_str()).len(), 2, "{cloud} {precondition}");
    }
}

async fn a_write_that_lands_after_the_answer_unknown_is_found_by_asking_again(cloud: Cloud) {
    let world = World::start(cloud).await;
    let store = world.store_with("&timeout=60s", QUICK.with_max_attempts(1));
    for (key, precondition) in conditional(&world).await {
        world.script(Put, &[Fault::Delayed(Release::OnCall)]);
        let answer = write(&store, &key, "mine", precondition.clone()).await;
        let Err(Error::OutcomeUnknown(unknown)) = &answer else {
            panic!("{cloud} {precondition}: {answer:?}")
        };
        let before = resolve_put(&store, unknown).await.unwrap();
        assert_eq!(before, Resolved::Open, "{cloud} {precondition}");
        assert_eq!(world.server.deliver_delayed(), 1, "{cloud}");
        let landed = resolve_put(&store, unknown).await.unwrap();
        let Resolved::Applied(stored) = landed else { panic!("{cloud}: {landed:?}") };
        let there = world.server.object(key.as_str()).unwrap();
        assert!(names(cloud, &stored.version, &there.version), "{cloud} {precondition}");
    }
}

async fn w1_a_false_412_is_looked_at_twice_and_sent_again(cloud: Cloud) {
    let world = World::start(cloud).await;
    for (key, precondition) in conditional(&world).await {
        world.server.clear_log();
        world.script(Put, &[Fault::BeforeApply(Ending::status(412))]);
        write(&world.store(), &key, "mine", precondition.clone()).await.unwrap();
        assert_eq!(world.requests(), [Put, Head, Head, Head, Put], "{cloud} {precondition}");
        assert_eq!(world.server.applied_history(key.as_str()).len(), 1, "{cloud}");
    }
}

async fn a_success_without_an_etag_is_read_back(cloud: Cloud) {
    let world = World::start(cloud).await;
    for (key, precondition) in preconditions(&world.store()).await {
        world.server.clear_log();
        world.script(Put, &[Fault::OmitEtag]);
        let stored = write(&world.store(), &key, "mine", precondition.clone()).await.unwrap();
        assert_eq!(world.requests(), [Put, Head], "{cloud} {precondition}");
        let there = world.server.object(key.as_str()).unwrap();
        assert!(names(cloud, &stored.version, &there.version), "{cloud} {precondition}");
        assert_eq!(world.server.applied_history(key.as_str()).len(), 1, "{cloud}");
    }
}

async fn w2_a_version_comes_from_the_own_answer_whoever_wrote_since(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let first = write(&store, &key, "first", Precondition::IfAbsent).await.unwrap();
    Foreign::Overwrites.act(&store, &key).await;
    let history = world.server.applied_history("k");
    assert!(names(cloud, &first.version, history[0].version.as_ref().unwrap()), "{cloud}");
    assert_eq!(world.entries(Head).len(), 0, "{cloud}: no version is read from elsewhere");
    let stale = write(&store, &key, "third", Precondition::IfMatch(first.version)).await;
    assert_eq!(stale.unwrap_err().kind(), "conflict", "{cloud}");
}

/// On S3 an `ETag` is a hash of the body: after A, B, A the first one matches
/// again, and whoever sends a lost update again would replace a write that it
/// never saw.
async fn w1_equal_bytes_of_another_writer_are_not_taken_for_the_base(cloud: Cloud) {
    for fault in [LOST, BROKEN] {
        let world = World::start(cloud).await;
        let (store, key) = (world.store(), key("k"));
        let base = write(&store, &key, "A", Precondition::IfAbsent).await.unwrap();
        world.script(Put, &[fault]);
        let (other, its_key) = (world.store(), key.clone());
        let raced = Interposed::new(Arc::new(world.store()), BEFORE, async move {
            for body in ["B", "A"] {
                write(&other, &its_key, body, Precondition::Overwrite).await.unwrap();
            }
        });
        let answer = write(&raced, &key, "mine", Precondition::IfMatch(base.version)).await;
        assert_eq!(answer.unwrap_err().kind(), "outcome_unknown", "{fault}");
        let there = world.server.object("k").unwrap();
        assert_eq!(&there.body[..], b"A", "{fault}: the other writer's A stays");
    }
}
