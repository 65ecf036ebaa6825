//! Stores that hold something else than a journal wrote: a typed error, nothing
//! written, and nothing lost once the right bytes are back.

mod bombs;
mod branches;
mod forge;
mod heads;
mod kinds;
mod numbers;
mod objects;
mod places;
mod refusal;
mod restart;
mod shelf;
mod stale;

use crate::harness::{Cases, on_paused_clock};

pub(crate) use bombs::child;

pub(crate) fn cases(cases: &mut Cases) {
    on_paused_clock!(
        cases,
        "bad_input",
        heads::a_head_of_a_newer_format_is_unsupported,
        heads::a_cut_head_is_corrupt,
        heads::a_head_with_one_flipped_bit_is_corrupt,
        heads::a_head_with_something_behind_it_is_corrupt,
        heads::foreign_bytes_in_place_of_the_head_are_corrupt,
        places::another_journals_head_is_replaced,
        places::a_deleted_head_is_gone_and_nothing_is_recreated,
        places::an_older_head_is_rewound,
        places::what_was_in_flight_stays_open_until_the_right_head_is_back,
        branches::a_branch_that_forked_before_the_handle_is_rewound,
        branches::another_branch_tells_nothing_of_a_commit,
        branches::a_pending_commit_is_not_settled_by_another_branch,
        stale::a_store_that_goes_back_for_a_while_is_waited_for,
        stale::a_loser_does_not_believe_an_older_head,
        stale::a_head_that_was_away_for_a_moment_is_waited_for,
        restart::a_rewound_journal_is_noticed_after_a_restart,
        restart::another_branch_is_noticed_after_a_restart,
        restart::a_replaced_journal_is_noticed_after_a_restart,
        restart::a_journal_that_is_gone_is_not_recreated_after_a_restart,
        kinds::a_prefix_of_another_kind_is_refused_and_left_alone,
        kinds::a_marker_that_cannot_be_read_is_refused_and_left_alone,
        kinds::a_flipped_bit_in_a_marker_is_noticed,
        kinds::a_journal_of_another_machine_is_refused,
        kinds::entries_that_the_machine_never_made_are_corrupt,
        numbers::the_last_number_is_the_end_and_no_panic,
        objects::a_missing_object_is_named_and_nothing_else,
        objects::a_damaged_object_is_named_and_nothing_else,
        objects::an_open_handle_needs_no_object_that_is_missing,
        objects::a_reader_names_the_object_that_it_misses,
        objects::an_object_of_a_partition_is_named_by_its_whole_key,
    );
    cases
        .add("bad_input::bombs::forged_heads_do_not_allocate", bombs::forged_heads_do_not_allocate);
}
