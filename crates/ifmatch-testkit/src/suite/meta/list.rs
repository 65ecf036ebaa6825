//! The cases by name: the one place that lists them.

use super::case::{MetaCase, MetaNeed};
use super::cases;

/// Every case with its clause and need, handed to another macro: as a table of
/// [`MetaCase`]s, or as one test per case.
#[doc(hidden)]
#[macro_export]
macro_rules! __meta_cases {
    ($form:ident $input:tt) => {
        $crate::__meta_cases_as! { $form $input {
            documents::c7_a_missing_document_is_none 1 Nothing,
            documents::c7_a_put_is_read_back_with_its_etag 1 Nothing,
            documents::c1_c3_every_write_makes_an_etag_never_used_before 4 Nothing,
            documents::documents_are_independent_of_each_other 5 Nothing,
            documents::bodies_come_back_byte_for_byte 5 Nothing,
            documents::the_largest_body_is_kept_and_a_larger_one_refused 5 Nothing,
            documents::the_deepest_body_is_kept 5 Nothing,
            documents::what_is_no_document_is_never_sent 5 Nothing,
            documents::c7_get_if_changed_tells_the_three_answers_apart 5 Nothing,
            documents::t25_a_write_answers_the_document_where_asked 5 Nothing,
            documents::an_insert_makes_ids_in_the_order_of_time 5 Nothing,
            times::t19_created_at_survives_replacement_and_not_deletion 11 Nothing,
            times::t19_a_document_deleted_and_made_in_one_batch_is_new 11 Nothing,
            times::c11_the_author_is_that_of_the_write_else_of_the_store 11 Nothing,
            times::c11_without_an_author_nobody_is_named 11 Nothing,
            times::c11_a_store_opened_by_another_author_names_that_one 11 Persistent,
            conditions::c4_an_overwrite_is_asked_for_by_name_and_wins 2 Nothing,
            conditions::c6_a_second_create_is_a_conflict_and_changes_nothing 2 Nothing,
            conditions::c6_c9_a_stale_etag_is_a_conflict_that_tells_the_current_one 2 Nothing,
            conditions::c8_replace_and_delete_take_the_etag_of_a_read 2 Nothing,
            conditions::c16_an_etag_of_a_missing_document_is_a_conflict 2 Nothing,
            conditions::c6_an_etag_of_before_a_deletion_never_matches_again 2 Nothing,
            conditions::t24_if_exists_wants_a_document 2 Nothing,
            conditions::a_delete_of_nothing_succeeds_and_says_so 2 Nothing,
            conditions::a_delete_or_patch_under_if_absent_is_invalid 2 Nothing,
            conditions::l1_a_field_is_compared_by_exact_value 2 Nothing,
            conditions::l1_an_update_depends_on_a_field 2 Nothing,
            conditions::a_condition_that_can_never_hold_is_invalid 2 Nothing,
            conditions::c9_t26_kinds_of_errors_tell_what_to_do 2 Nothing,
            conditions::weak_and_malformed_etags_are_invalid 2 Nothing,
            patch::a_patch_merges_members 2 Nothing,
            patch::a_patch_keeps_numbers_that_it_does_not_name 2 Nothing,
            patch::a_patch_of_nothing_is_a_conflict_even_under_overwrite 2 Nothing,
            patch::a_patch_that_grows_a_document_too_large_is_refused 2 Nothing,
            patch::patches_in_a_batch_build_on_each_other 2 Nothing,
            batch::t2_a_failing_operation_undoes_the_whole_batch_and_is_named 6 Nothing,
            batch::operations_see_the_ones_before 6 Nothing,
            batch::members_of_a_batch_share_a_position 9 Nothing,
            batch::a_batch_with_no_net_effect_commits_nothing 6 Nothing,
            batch::a_check_guards_another_document 6 Nothing,
            batch::s15_a_batch_of_the_most_operations_is_applied 6 Nothing,
            batch::a_batch_that_is_too_large_is_refused_as_a_whole 6 Nothing,
            batch::what_is_wrong_with_one_operation_names_its_index 6 Nothing,
            batch::one_document_written_twice_is_told_once 6 Nothing,
            batch::t25_a_batch_answers_documents_where_asked 6 Nothing,
            batch::t20_partitions_of_a_batch_stay_apart 6 Nothing,
            marks::t31_an_unchanged_partition_lets_a_batch_pass 6 Nothing,
            marks::t31_whatever_changes_in_a_partition_fails_the_batch 6 Nothing,
            marks::t31_a_mark_of_a_partition_that_never_was_guards_its_first_document 6 Nothing,
            marks::t31_a_query_of_one_partition_has_a_mark 6 Nothing,
            marks::a_mark_of_no_store_is_refused 6 Nothing,
            scan::ids_come_in_byte_order_both_ways 7 Nothing,
            scan::t28_a_range_has_the_ends_that_it_names 8 Nothing,
            scan::a_prefix_is_exact_bytes 8 Nothing,
            scan::t28_a_page_says_what_follows_and_only_then 8 Nothing,
            scan::a_token_of_the_other_direction_is_invalid 8 Nothing,
            scan::a_page_goes_on_after_its_last_document_is_deleted 8 Nothing,
            scan::a_page_ends_after_four_mebibytes 8 Nothing,
            scan::w11_a_scan_outlives_writes 8 Nothing,
            scan::a_scan_of_nothing_is_empty_and_makes_nothing 8 Nothing,
            scan::t27_a_scan_reads_the_members_asked_for 8 Nothing,
            scan::names_are_exact_bytes 10 Nothing,
            scan::the_longest_names_are_kept_apart 10 Nothing,
            partitions::c12_partitions_come_in_byte_order_in_pages 10 Nothing,
            partitions::a_partition_without_documents_is_none 10 Nothing,
            partitions::s15_w22_a_count_is_as_fresh_as_a_read 10 Nothing,
            partitions::names_of_ours_are_left_out 10 Nothing,
            queries::w17_comparisons_follow_three_valued_logic 13 Nothing,
            queries::w17_texts_are_compared_by_their_characters 13 Nothing,
            queries::w17_numbers_are_compared_by_exact_value 13 Nothing,
            queries::w17_lists_are_asked_by_their_elements 13 Nothing,
            queries::w21_names_and_values_are_never_code 13 Nothing,
            queries::s15_meta_fields_are_asked_like_others 13 Nothing,
            queries::w17_a_filter_that_makes_no_sense_is_an_error 13 Nothing,
            queries::a_pattern_takes_time_in_proportion_to_the_text 13 Nothing,
            queries::the_largest_filter_is_answered 13 Nothing,
            queries::s15_w22_a_query_is_as_fresh_as_a_read 13 Nothing,
            pages::s15_a_sort_has_every_type_and_missing_values_last 13 Nothing,
            pages::s15_equal_documents_come_in_order_of_their_names 13 Nothing,
            pages::s15_limit_and_offset_cut_the_sorted_whole 13 Nothing,
            pages::pages_of_a_query_go_on_while_others_write 13 Nothing,
            pages::a_token_of_another_query_is_invalid 13 Nothing,
            pages::t27_a_query_reads_the_members_asked_for 13 Nothing,
            pages::s15_aggregates_count_sum_and_compare_by_group 13 Nothing,
            pages::s15_a_page_of_a_query_ends_after_four_mebibytes 13 Nothing,
            indexes::w18_an_index_never_changes_an_answer 13 Indexes,
            indexes::w18_an_index_never_fails_a_write 13 Indexes,
            indexes::w18_indexes_are_declared_listed_and_dropped 13 Indexes,
            indexes::w21_an_index_on_an_awkward_name_works_or_is_refused 13 Indexes,
            indexes::w18_meta_fields_are_indexed_or_refused 13 Indexes,
            indexes::w18_where_there_are_no_indexes_declaring_one_says_so 13 Nothing,
            changes::from_the_beginning_the_feed_tells_what_is_there 14 Nothing,
            changes::the_feed_goes_on_from_its_token 14 Nothing,
            changes::each_document_is_told_once_in_its_newest_state 14 Nothing,
            changes::a_deletion_is_told_with_what_was_deleted 14 Nothing,
            changes::the_members_of_a_batch_are_told_in_their_order 14 Nothing,
            changes::a_change_in_the_middle_of_a_page_is_told_later 14 Nothing,
            changes::a_token_of_now_tells_what_comes_later_only 14 Nothing,
            changes::the_feed_of_all_partitions_misses_none 14 Nothing,
            changes::a_token_of_another_feed_is_invalid 14 Nothing,
            changes::a_page_of_the_feed_ends_after_four_mebibytes 14 Nothing,
            changes::a_wait_ends_when_something_changed_or_its_time_is_over 14 Nothing,
            watching::a_watcher_holds_nobody_up_and_hears_what_came_while_it_slept 14 Nothing,
            changes::a_reader_misses_nothing_while_many_write 14 Nothing,
            changes::a_token_outlives_the_handle_that_gave_it 14 Persistent,
            changes::positions_are_those_of_the_feed_whoever_wrote 14 Nothing,
            audit::c11_c14_every_change_is_recorded_with_who_and_what 0 Audit,
            audit::c14_a_batch_is_recorded_by_its_net_effects 0 Audit,
            audit::c14_the_record_is_read_in_pages 0 Audit,
            audit::c14_what_failed_is_not_recorded 0 Audit,
            audit::c14_without_the_option_there_is_no_record 0 Nothing,
            audit::c14_a_record_has_the_time_of_its_document 0 AuditedTransactions,
            audit::c14_the_chain_of_tags_has_no_gap_under_concurrency 0 Audit,
            handles::a_handle_says_what_it_was_opened_with 12 Nothing,
            handles::no_secret_is_printed 12 Nothing,
            handles::a_closed_store_answers_closed 12 Nothing,
            handles::what_was_written_outlives_the_handle 3 Persistent,
            handles::two_handles_see_each_others_writes_at_once 1 Persistent,
            handles::c5_two_handles_with_one_etag_have_one_winner 12 Persistent,
            handles::w6_a_dropped_call_leaves_nothing_half_done 3 Nothing,
            races::c5_of_many_writes_with_one_etag_exactly_one_wins 2 Nothing,
            races::c5_of_many_creators_exactly_one_wins 2 Nothing,
            races::c5_of_many_deleters_exactly_one_wins 2 Nothing,
            races::w10_a_counter_counts_every_increment 2 Nothing,
            races::t3_transfers_by_batches_keep_the_sum 2 Nothing,
            races::t3_lists_appended_to_by_batches_are_serializable 2 Nothing,
            races::w10_w12_w23_any_number_of_tasks_share_a_store 2 Nothing,
            races::whoever_reads_after_a_write_sees_it 1 Nothing,
            races::a_page_is_one_moment 8 Nothing,
            locks::t1_without_the_option_none_is_begun 15 Nothing,
            locks::t9_other_writes_fail_at_once_and_name_the_holder 15 Transactions,
            locks::t9_t22_reads_and_other_partitions_are_untouched 15 Transactions,
            locks::t2_t3_a_commit_is_applied_as_one_and_releases 15 Transactions,
            locks::t5_an_abort_applies_nothing_and_releases 15 Transactions,
            locks::t7_t11_a_begin_asked_again_is_the_same_transaction 15 Transactions,
            locks::t9_one_transaction_at_a_time_in_a_partition 15 Transactions,
            locks::t11_an_id_used_again_is_a_new_incarnation 15 Transactions,
            locks::t30_a_commit_asked_again_answers_the_same 15 Transactions,
            locks::t7_pieces_are_staged_once_by_number_and_in_order 15 Transactions,
            locks::a_large_piece_is_kept_whole 15 Transactions,
            locks::t12_an_effect_on_another_state_is_refused 15 Transactions,
            locks::c14_a_commit_of_a_transaction_is_recorded 15 AuditedTransactions,
            lives::t10_a_transaction_ends_with_its_life_and_never_before 15 Transactions,
            lives::t10_the_next_transaction_takes_over_an_expired_one 15 Transactions,
            lives::t10_a_late_abort_says_what_is_true 15 Transactions,
            lives::t11_an_expired_id_begins_anew 15 Transactions,
            lives::t1_every_writer_respects_an_open_transaction 15 PersistentTransactions,
            lives::t7_another_process_goes_on_with_a_transaction 15 PersistentTransactions,
            lives::t10_another_handle_sees_a_life_end 15 PersistentTransactions,
            detached::t18_what_many_detaches_leave_has_a_limit 15 Transactions,
            transactions::t1_a_store_without_transactions_says_so 15 Nothing,
            transactions::t8_ids_made_by_the_store_exclude_transactions 15 Transactions,
            transactions::t4_a_transaction_reads_its_writes_and_others_do_not 15 Transactions,
            transactions::t5_an_aborted_transaction_leaves_nothing 15 Transactions,
            transactions::t24_preconditions_hold_for_what_the_transaction_sees 15 Transactions,
            transactions::t13_a_commit_without_writes_is_an_abort 15 Transactions,
            transactions::t14_t15_other_partitions_are_read_and_never_written 15 Transactions,
            transactions::t18_staged_writes_have_a_limit_and_count_once 15 Transactions,
            transactions::t16_one_request_at_a_time_and_a_dropped_one_leaves_none 15 Transactions,
            transactions::t10_t17_after_its_life_nothing_is_applied 15 Transactions,
            transactions::t11_t30_ids_are_chosen_and_outcomes_told 15 Transactions,
            transactions::t7_a_detached_transaction_is_resumed 15 Transactions,
            transactions::t16_of_two_handles_on_one_transaction_one_is_busy 15 Transactions,
            transactions::a_dropped_transaction_releases_its_partition 15 Transactions,
            transactions::c11_a_transaction_names_its_author 15 Transactions,
            transact::t31_what_transact_does_is_one_commit 15 Nothing,
            transact::t31_transact_runs_again_until_nobody_interferes 15 Nothing,
            transact::t31_transact_waits_for_an_open_transaction 15 Transactions,
            transact::t31_lists_appended_to_by_transact_are_serializable 15 Nothing,
            transact::t9_lists_appended_to_by_transactions_are_serializable 15 Transactions,
        } }
    };
}

/// The two forms of the list.
#[doc(hidden)]
#[macro_export]
macro_rules! __meta_cases_as {
    (table () { $($theme:ident::$name:ident $clause:literal $need:ident,)* }) => {
        vec![$(MetaCase::new(stringify!($name), $clause, MetaNeed::$need, |trial| {
            Box::pin(cases::$theme::$name(trial))
        })),*]
    };
    (tests ($persistent:literal $open:expr) {
        $($theme:ident::$name:ident $clause:literal $need:ident,)*
    }) => {
        $(#[test]
        fn $name() -> ::std::result::Result<(), $crate::suite::Failure> {
            $crate::suite::meta::run_named(stringify!($name), $persistent, $open)
        })*
    };
}

/// Makes a module with one test per case of the conformance suite of documents.
///
/// The last argument is an async function or closure that opens the store that a
/// case [`Wanted`](crate::suite::meta::Wanted); it runs at least once per test.
/// With the word `persistent` before it a place that is opened again must hold
/// what it held, also while another handle is open.
///
/// ```
/// use ifmatch_core::Env;
/// use ifmatch_meta::{MemoryMetaStore, MemoryOptions, MetaStore};
/// use ifmatch_testkit::suite::meta::Wanted;
/// use std::sync::Arc;
/// ifmatch_testkit::meta_store_suite!(memory, |wanted: Wanted| async move {
///     Ok(Arc::new(MemoryMetaStore::new(Env::real())))
/// });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! meta_store_suite {
    ($name:ident, persistent $open:expr $(,)?) => {
        mod $name {
            use super::*;
            $crate::__meta_cases! { tests (true $open) }
        }
    };
    ($name:ident, $open:expr $(,)?) => {
        mod $name {
            use super::*;
            $crate::__meta_cases! { tests (false $open) }
        }
    };
}

/// Every case, in the order of the contract's themes.
pub fn meta_cases() -> Vec<MetaCase> {
    crate::__meta_cases! { table () }
}
