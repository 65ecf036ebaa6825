//! Small histories by hand, and what a history needs to be clean.

use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::chain::{
    Answer, Call, Commit, History, Replay, Report, Told, Violation, check,
};

type Op = &'static str;

/// A call at times `from` to `to`; never answered if `to` is 0.
pub(crate) fn call(client: u64, from: u64, to: u64, answer: Answer<Op>) -> Call<Op> {
    let returned = (to > 0).then(|| Moment::new(to, 0));
    Call { client, invoked: Moment::new(from, 0), returned, answer }
}

pub(crate) fn commit(client: u64, from: u64, to: u64, operation: Op, told: Told) -> Call<Op> {
    call(client, from, to, Answer::Commit { operation, told })
}

pub(crate) fn read(client: u64, from: u64, to: u64, seq: u64) -> Call<Op> {
    call(client, from, to, Answer::Read { seq, digest: Some(seq * 100), may_be_stale: false })
}

pub(crate) fn stale_read(client: u64, from: u64, to: u64, seq: u64) -> Call<Op> {
    call(client, from, to, Answer::Read { seq, digest: Some(seq * 100), may_be_stale: true })
}

pub(crate) fn committed(seq: u64, ordinal: u32) -> Told {
    Told::Committed { seq, ordinal }
}

/// A dense chain from 1 on.
pub(crate) fn chain(commits: &[&[Op]]) -> Vec<Commit<Op>> {
    let commit =
        |(number, operations): (u64, &&[Op])| Commit::new(number, number - 1, operations.to_vec());
    (1..).zip(commits).map(commit).collect()
}

/// The digest of each state is a hundred times its number; an operation called
/// "needs 3" is admitted on state 3 only.
struct Numbers;

impl Replay<Op> for Numbers {
    fn digest(&self, seq: u64) -> Option<u64> {
        Some(seq * 100)
    }

    fn rejects(&self, operation: &Op, seq: u64) -> bool {
        operation.strip_prefix("needs ").is_none_or(|needed| needed.parse() != Ok(seq))
    }

    fn admits(&self, operation: &Op, seq: u64, ordinal: u32) -> bool {
        ordinal > 0 || !operation.starts_with("needs ") || !self.rejects(operation, seq - 1)
    }
}

pub(crate) fn judged(chain: Vec<Commit<Op>>, calls: Vec<Call<Op>>) -> Report<Op> {
    check(&History { chain, calls }, &Numbers)
}

/// The violations, and that each can be told.
pub(crate) fn violations(chain: Vec<Commit<Op>>, calls: Vec<Call<Op>>) -> Vec<Violation<Op>> {
    let report = judged(chain, calls);
    assert_eq!(report.to_string().lines().count(), report.violations.len() + 1);
    report.violations
}

#[test]
fn a_history_of_every_kind_of_answer_is_clean() {
    let report = judged(
        chain(&[&["a"], &["b", "c"], &["fixture"], &["needs 3"], &["late"]]),
        vec![
            commit(1, 1, 4, "a", committed(1, 0)),
            commit(2, 2, 9, "c", committed(2, 1)),
            commit(3, 5, 9, "b", Told::Unknown),
            // Asks again what became of it, long after newer ones were seen.
            commit(3, 40, 41, "b", committed(2, 0)),
            // Applied after it was given up, and after "needs 3" began.
            commit(4, 5, 6, "late", Told::Unknown),
            commit(5, 7, 8, "lost", Told::Unknown),
            commit(6, 7, 8, "unsent", Told::Never),
            commit(7, 8, 0, "hung", Told::Unknown),
            // Two states of its window reject it, the others admit it.
            commit(8, 10, 12, "needs 2", Told::Rejected),
            commit(9, 10, 12, "needs 3", committed(4, 0)),
            read(1, 13, 14, 4),
            stale_read(2, 15, 16, 2),
            stale_read(2, 17, 18, 4),
            // Reads at once with what it may or may not see.
            read(3, 17, 20, 5),
            read(4, 17, 20, 4),
            read(1, 21, 22, 5),
        ],
    );
    assert!(report.is_clean(), "{report}");
    let counts = report.counts;
    assert_eq!((counts.commits, counts.operations, counts.unasked), (5, 6, 1));
    assert_eq!((counts.calls, counts.committed, counts.rejected, counts.never), (16, 4, 1, 1));
    assert_eq!((counts.unknown, counts.unknown_applied), (4, 2));
    assert_eq!((counts.reads, counts.stale_reads), (4, 2));
}

#[test]
fn an_empty_history_is_clean_and_counts_nothing() {
    let report = judged(Vec::new(), Vec::new());
    assert!(report.is_clean());
    assert_eq!((report.counts.calls, report.counts.commits), (0, 0));
}

#[test]
fn the_order_of_commits_and_calls_in_the_lists_does_not_matter() {
    let mut commits = chain(&[&["a"], &["b"], &["c"]]);
    let mut calls = vec![
        commit(1, 1, 2, "a", committed(1, 0)),
        commit(2, 3, 4, "b", committed(2, 0)),
        commit(3, 5, 6, "c", committed(3, 0)),
        read(4, 7, 8, 3),
    ];
    commits.reverse();
    calls.reverse();
    assert!(judged(commits, calls).is_clean());
}

#[test]
fn without_a_replay_neither_snapshots_nor_rejections_are_judged() {
    let history = History {
        chain: chain(&[&["needs 7"]]),
        calls: vec![
            commit(1, 1, 2, "needs 7", committed(1, 0)),
            commit(1, 3, 4, "needs 1", Told::Rejected),
            call(1, 5, 6, Answer::Read { seq: 1, digest: Some(7), may_be_stale: false }),
        ],
    };
    assert!(check(&history, &()).is_clean());
    assert_eq!(check(&history, &Numbers).violations.len(), 3);
}
