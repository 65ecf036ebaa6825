//! The suite can fail: each flaw is found, by the case that names it.

use std::sync::Arc;

use ifmatch_core::{Capabilities, Env, MemoryBlobStore, Reach, Simulation, Versions};
use ifmatch_testkit::suite::{Case, Need, Subject, blob_cases, run_all, summary};

use super::flawed::{Flaw, Flawed, SECRET};

fn case(name: &str) -> Case {
    let case = blob_cases().into_iter().find(|case| case.name() == name);
    case.unwrap_or_else(|| panic!("no case {name}"))
}

/// Each flaw with cases that must find it.
const FINDS: &[(Flaw, &[&str])] = &[
    (
        Flaw::IgnoresIfMatch,
        &[
            "a_stale_update_is_a_conflict_and_changes_nothing",
            "one_of_many_updaters_wins_each_round",
            "the_probe_finds_the_conditions_kept_and_leaves_nothing",
        ],
    ),
    (
        Flaw::IgnoresIfAbsent,
        &[
            "a_second_create_is_a_conflict_and_changes_nothing",
            "a_second_create_with_the_same_body_is_a_conflict",
            "one_of_many_creators_wins",
        ],
    ),
    (
        Flaw::UpdateCreates,
        &[
            "an_update_of_a_missing_blob_is_a_conflict_and_creates_nothing",
            "an_update_of_a_deleted_blob_is_a_conflict_and_creates_nothing",
        ],
    ),
    (
        Flaw::DropsConditionsOfDeletes,
        &[
            "a_delete_at_a_stale_version_is_a_conflict_and_deletes_nothing",
            "a_conditional_delete_of_a_missing_blob_is_a_conflict",
            "one_of_many_deleters_wins",
        ],
    ),
    (Flaw::DeletesThoughUnsupported, &["a_delete_at_the_current_version_is_applied"]),
    (Flaw::UpdatesThoughUnsupported, &["an_update_at_the_current_version_is_applied"]),
    (Flaw::FoldsCase, &["case_is_not_folded"]),
    (Flaw::DecodesNames, &["names_that_look_encoded_are_not_decoded"]),
    (
        Flaw::BlobHidesFolder,
        &["a_blob_and_a_folder_of_one_name_coexist", "a_blob_below_another_outlives_it"],
    ),
    (Flaw::ListsBackwards, &["a_listing_is_in_byte_order_of_the_key"]),
    (Flaw::ListsByText, &["a_prefix_ends_at_a_segment"]),
    (Flaw::ListsReserved, &["reserved_names_are_hidden_at_the_root_of_the_store"]),
    (Flaw::ListsOnePage, &["a_listing_of_more_than_a_page_is_complete"]),
    (Flaw::ListsAfterInclusive, &["a_listing_starts_after_a_key"]),
    (
        Flaw::ListsOtherVersions,
        &["a_listing_agrees_with_heads", "an_update_may_build_on_the_version_of_a_listing"],
    ),
    (Flaw::AnswersStaleAfterDelete, &["a_deleted_blob_is_absent"]),
    (Flaw::RepeatsVersions, &["a_version_never_returns", "a_recreated_blob_has_another_version"]),
    (Flaw::ForgetsWrites, &["a_blob_names_the_write_that_made_it"]),
    (
        Flaw::IgnoresRanges,
        &["a_range_is_those_bytes_of_the_whole", "a_range_that_starts_behind_the_end_is_invalid"],
    ),
    (Flaw::IgnoresIfNoneMatch, &["a_get_of_an_unchanged_blob_is_not_modified"]),
    (
        Flaw::IgnoresIfMatchOfGets,
        &[
            "a_get_at_a_stale_version_is_a_conflict",
            "a_get_of_a_missing_blob_at_a_version_is_a_conflict",
        ],
    ),
    (Flaw::TruncatesBodies, &["a_body_of_one_mebibyte_and_a_byte_is_whole"]),
    (Flaw::MixesBodies, &["a_get_never_mixes_two_versions"]),
    (Flaw::CallsSuccessConflict, &["an_update_at_the_current_version_is_applied"]),
    (Flaw::TellsSecrets, &["no_secret_is_printed"]),
    (Flaw::LivesInAnotherCentury, &["times_are_those_of_a_clock"]),
];

#[tokio::test(start_paused = true)]
async fn each_flaw_is_found_by_the_case_that_names_it() {
    for (flaw, names) in FINDS {
        for name in *names {
            let store = Arc::new(Flawed::new(*flaw, Simulation::seeded(1).env()));
            let subject = Subject::new(store).secrets([SECRET]);
            let ended = case(name).run(&subject).await;
            let failure = ended.expect_err(&format!("{name} passes on a store that {flaw:?}"));
            assert!(failure.to_string().contains(name), "{failure}");
        }
    }
}

#[tokio::test]
async fn every_case_passes_on_memory() {
    let report = run_all(&Subject::from(Arc::new(MemoryBlobStore::new(Env::real())))).await;
    println!("{report}");
    assert!(report.failed().is_empty(), "{report}");
    // The limit of a body cannot be tried on a store that has none.
    let skipped: Vec<_> = report.skipped().iter().map(|(case, _)| case.name()).collect();
    assert_eq!(skipped, ["a_body_above_the_limit_is_too_large"]);
    assert!(report.to_string().starts_with(&summary("memory://anonymous")));
}

#[test]
fn each_case_has_a_name_of_its_own_and_a_clause_of_the_contract() {
    let cases = blob_cases();
    let mut names: Vec<_> = cases.iter().map(Case::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
    for clause in 1..=7 {
        assert!(cases.iter().any(|case| case.clause() == clause), "no case of clause {clause}");
    }
    assert!(cases.iter().all(|case| (1..=7).contains(&case.clause())));
}

#[test]
fn a_case_says_why_it_does_not_apply() {
    let mut can = Capabilities::full(Reach::Global);
    can.versions = Versions::ByContent;
    let unique = case("a_version_never_returns");
    assert_eq!(unique.need(), Need::UniqueVersions);
    assert!(unique.not_applicable(&can).is_some_and(|why| why.contains("hashes")));
    assert_eq!(case("a_deleted_blob_is_absent").not_applicable(&can), None);
}
