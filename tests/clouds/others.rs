//! Writes among other writers, and answers that are worse than lost: doubled,
//! late, or false.

use std::sync::Arc;

use ifmatch::testkit::cloud::Operation::{Head, Put};
use ifmatch::testkit::cloud::{Ending, Fault, Release};
use ifmatch::{
    BlobKey, ConditionalBlobStore, Current, Error, ObjectBlobStore, Precondition, Resolved, Result,
    Stored, WriteId, put_resolved, resolve_put,
};

use crate::fixture::{Cloud, QUICK, World, each_cloud, key, names, preconditions, write};
use crate::harness::Cases;
use crate::interposed::Interposed;

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(
        cases,
        w1_a_stale_update_and_a_second_create_are_conflicts_that_name_what_is_there,
        w1_a_lost_write_on_which_another_built_is_committed,
        a_lost_update_that_another_overwrote_is_unknown,
        a_lost_create_that_another_overwrote_is_unknown,
        w1_a_write_that_was_not_applied_and_lost_against_another_is_a_conflict,
        w1_a_write_delivered_twice_is_committed_and_applied_once,
        both_deliveries_of_an_overwrite_are_applied_and_it_is_committed,
        w1_a_write_that_arrives_late_does_not_apply_after_its_twin,
        a_write_that_lands_after_the_answer_unknown_is_found_by_asking_again,
        w1_a_false_412_is_looked_at_twice_and_sent_again,
        a_success_without_an_etag_is_read_back,
        w2_a_version_comes_from_the_own_answer_whoever_wrote_since,
        an_outcome_unknown_names_what_resolving_it_needs,
    );
    cases.add("s3::equal_bytes_written_by_another_are_not_taken_for_the_base", || {
        equal_bytes_written_by_another_are_not_taken_for_the_base(Cloud::S3)
    });
}

fn lost() -> Fault {
    Fault::AfterApply(Ending::Close)
}

fn broken() -> Fault {
    Fault::BeforeApply(Ending::Close)
}

/// Writes with a fault on the first attempt and somebody else's write between
/// it and the read-back.
async fn raced(
    world: &World,
    key: &BlobKey,
    precondition: Precondition,
    fault: Fault,
    act: impl AsyncFnOnce(ObjectBlobStore, BlobKey) -> Result<()> + Send + 'static,
) -> (Result<Stored>, WriteId)
where
    for<'a> <dyn Fn() as FnOnce<()>>::Output: Sized,
{
    unimplemented!("{key} {precondition} {fault} {world:p} {act:p}", world = &world, act = &act)
}
