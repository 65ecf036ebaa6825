//! The cases by name: the one place that lists them.

use super::case::{Case, Need};
use super::cases;

/// Every case with its clause and need, handed to another macro: as a table of
/// [`Case`]s, or as one test per case.
#[doc(hidden)]
#[macro_export]
macro_rules! __blob_cases {
    ($form:ident $input:tt) => {
        $crate::__blob_cases_as! { $form $input {
            create::a_created_blob_is_read_back 1 Nothing,
            create::a_second_create_is_a_conflict_and_changes_nothing 4 Create,
            create::a_second_create_with_the_same_body_is_a_conflict 3 Create,
            create::a_deleted_blob_can_be_created_again 3 Create,
            create::an_empty_body_is_a_blob 3 Create,
            create::a_body_of_any_bytes_comes_back 2 Nothing,
            create::a_body_of_one_mebibyte_and_a_byte_is_whole 2 Nothing,
            create::a_body_of_nine_mebibytes_is_whole 2 Nothing,
            create::a_body_above_the_limit_is_too_large 3 SmallBodies,
            update::an_update_at_the_current_version_is_applied 3 Update,
            update::a_stale_update_is_a_conflict_and_changes_nothing 4 Update,
            update::an_update_of_a_missing_blob_is_a_conflict_and_creates_nothing 3 Update,
            update::an_update_of_a_deleted_blob_is_a_conflict_and_creates_nothing 3 Update,
            update::an_update_at_a_weak_version_is_invalid 3 Update,
            update::each_update_builds_on_the_answer_of_the_last 5 Update,
            update::an_update_may_build_on_the_version_of_a_get_or_a_head 5 Update,
            update::the_version_in_a_conflict_is_one_to_build_on 4 Update,
            update::an_update_that_changes_nothing_is_a_write 4 Update,
            update::an_overwrite_replaces_whatever_is_there 3 Nothing,
            update::an_overwrite_creates_what_is_missing 3 Nothing,
            update::a_longer_and_a_shorter_body_replace_the_whole 2 Nothing,
            delete::a_deleted_blob_is_absent 1 Nothing,
            delete::a_delete_of_a_missing_blob_succeeds 3 Nothing,
            delete::a_delete_under_if_absent_is_invalid 3 Nothing,
            delete::a_delete_leaves_its_neighbours 7 Nothing,
            delete::a_delete_at_the_current_version_is_applied 3 ConditionalDelete,
            delete::a_delete_at_a_stale_version_is_a_conflict_and_deletes_nothing 4 ConditionalDelete,
            delete::a_conditional_delete_of_a_missing_blob_is_a_conflict 4 ConditionalDelete,
            delete::a_delete_at_a_weak_version_is_invalid 3 ConditionalDelete,
            get::a_missing_blob_is_absent 1 Nothing,
            get::a_get_of_an_unchanged_blob_is_not_modified 3 Nothing,
            get::a_get_of_a_changed_blob_sends_the_body 3 Nothing,
            get::a_get_at_the_current_version_sends_the_body 3 Nothing,
            get::a_get_at_a_stale_version_is_a_conflict 3 Nothing,
            get::a_get_of_a_missing_blob_at_a_version_is_a_conflict 3 Nothing,
            get::a_range_is_those_bytes_of_the_whole 2 Nothing,
            get::a_range_past_the_end_is_cut 2 Nothing,
            get::a_range_that_starts_behind_the_end_is_invalid 2 Nothing,
            get::a_range_of_a_long_body_is_those_bytes 2 Nothing,
            get::a_range_at_a_version_obeys_both 3 Nothing,
            get::a_head_agrees_with_the_put_and_the_get 1 Nothing,
            get::a_blob_names_the_write_that_made_it 4 Nothing,
            get::times_are_those_of_a_clock 1 Nothing,
            list::a_listing_is_in_byte_order_of_the_key 6 KeyOrder,
            list::a_listing_holds_everything_once 6 Nothing,
            list::a_listing_of_more_than_a_page_is_complete 6 Nothing,
            list::an_empty_folder_lists_nothing 6 Nothing,
            list::a_prefix_ends_at_a_segment 6 Nothing,
            list::a_listing_starts_after_a_key 6 Nothing,
            list::a_listing_agrees_with_heads 1 Nothing,
            list::an_update_may_build_on_the_version_of_a_listing 5 Update,
            list::a_listing_sees_each_answered_write_and_delete 1 Nothing,
            keys::a_blob_and_a_folder_of_one_name_coexist 7 Nothing,
            keys::a_blob_below_another_outlives_it 7 Nothing,
            keys::names_with_characters_of_urls_survive 7 Nothing,
            keys::names_with_quotes_survive 7 Nothing,
            keys::names_beyond_ascii_survive 7 Nothing,
            keys::names_with_dots_survive 7 Nothing,
            keys::names_that_end_in_a_dot_or_a_blank_survive 7 Nothing,
            keys::names_that_look_encoded_are_not_decoded 7 Nothing,
            keys::case_is_not_folded 7 Nothing,
            keys::unicode_is_not_normalised 7 Nothing,
            keys::a_segment_of_200_bytes_survives 7 Nothing,
            keys::the_longest_key_survives 7 Nothing,
            keys::reserved_names_are_hidden_in_a_part_of_the_store 7 Nothing,
            keys::reserved_names_are_hidden_at_the_root_of_the_store 7 Nothing,
            versions::a_printed_version_parses_back_and_matches 5 Update,
            versions::a_version_survives_serde_with_its_write 5 Update,
            versions::other_bytes_have_another_version 5 Nothing,
            versions::a_version_never_returns 5 UniqueVersions,
            versions::a_recreated_blob_has_another_version 5 UniqueVersions,
            versions::equal_bytes_of_two_writes_are_told_apart_by_their_write 5 Nothing,
            versions::versions_of_two_keys_are_independent 5 Update,
            races::one_of_many_creators_wins 3 Create,
            races::one_of_many_updaters_wins_each_round 3 Update,
            races::a_counter_counts_every_increment 4 Update,
            races::one_of_many_deleters_wins 4 ConditionalDelete,
            races::a_get_never_mixes_two_versions 2 Nothing,
            races::a_body_and_its_version_belong_together 2 Nothing,
            races::whoever_reads_after_a_write_sees_it 1 Nothing,
            races::a_dropped_put_leaves_the_blob_whole 2 Update,
            handle::the_probe_finds_the_conditions_kept_and_leaves_nothing 3 Update,
            handle::no_secret_is_printed 4 Nothing,
            handle::a_handle_names_its_store_in_one_line 1 Nothing,
            handle::an_error_names_its_blob_as_the_caller_does 4 Nothing,
        } }
    };
}

/// The two forms of the list.
#[doc(hidden)]
#[macro_export]
macro_rules! __blob_cases_as {
    (table () { $($theme:ident::$name:ident $clause:literal $need:ident,)* }) => {
        vec![$(Case::new(stringify!($name), $clause, Need::$need, |trial| {
            Box::pin(cases::$theme::$name(trial))
        })),*]
    };
    (tests ($make:expr) { $($theme:ident::$name:ident $clause:literal $need:ident,)* }) => {
        $(#[test]
        fn $name() -> ::std::result::Result<(), $crate::suite::Failure> {
            $crate::suite::run_named(stringify!($name), $make)
        })*
    };
}

/// Makes a module with one test per case of the conformance suite.
///
/// The second argument is an async function or closure without parameters that
/// makes the store (or a [`Subject`](crate::suite::Subject)); it runs once per
/// test. Each test works in a random folder, so it may hand out a shared store.
///
/// ```
/// use ifmatch_core::{Env, MemoryBlobStore};
/// use std::sync::Arc;
/// ifmatch_testkit::blob_store_suite!(memory, || async {
///     Ok(Arc::new(MemoryBlobStore::new(Env::real())))
/// });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! blob_store_suite {
    ($name:ident, $make:expr $(,)?) => {
        mod $name {
            use super::*;
            $crate::__blob_cases! { tests ($make) }
        }
    };
}

/// Every case, in the order of the contract's themes.
pub fn blob_cases() -> Vec<Case> {
    crate::__blob_cases! { table () }
}
