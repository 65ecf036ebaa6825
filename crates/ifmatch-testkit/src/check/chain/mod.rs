//! The version-chain check: every answer against the true chain of commits.
//!
//! Each commit names the one it was made on, so the order of all writes is in
//! the data and nothing has to be searched: one sort by time and one sweep
//! decide a history of twenty thousand calls in milliseconds.
//!
//! The sweep holds the newest commit that anybody was shown so far, by an
//! acknowledgement, a read, or a rejection that only that commit explains.
//! Whoever begins later must not be shown an older one.
//!
//! ```
//! use ifmatch_testkit::check::Moment;
//! use ifmatch_testkit::check::chain::{
//!     Answer, Call, Commit, History, Told, Violation, check,
//! };
//!
//! let history = History {
//!     chain: vec![Commit::new(1, 0, vec!["a"]), Commit::new(2, 1, vec!["b", "c"])],
//!     calls: vec![
//!         Call {
//!             client: 1,
//!             invoked: Moment::new(10, 0),
//!             returned: Some(Moment::new(20, 1)),
//!             answer: Answer::Commit {
//!                 operation: "a",
//!                 told: Told::Committed { seq: 1, ordinal: 0 },
//!             },
//!         },
//!         // Told "rejected", and yet it is in the chain.
//!         Call {
//!             client: 2,
//!             invoked: Moment::new(30, 2),
//!             returned: Some(Moment::new(40, 3)),
//!             answer: Answer::Commit { operation: "c", told: Told::Rejected },
//!         },
//!     ],
//! };
//! let report = check(&history, &());
//! assert_eq!(report.counts.committed, 1);
//! assert!(matches!(
//!     report.violations[..],
//!     [Violation::Phantom { call: 1, operation: "c", .. }]
//! ));
//! ```

mod history;
mod replay;
mod report;
mod sweep;
mod truth;
mod verdicts;
mod violation;

pub use history::{Answer, Call, Commit, History, Position, Told};
pub use replay::Replay;
pub use report::{Counts, Report};
pub use violation::Violation;

use sweep::Sweep;
use truth::Truth;

/// Checks `history` against its chain.
///
/// `replay` knows the states; with `()` no snapshot, rejection or precondition
/// is judged, everything else is.
///
/// # Cost
///
/// O(n log n) in calls and operations, plus what `replay` takes: one question
/// per state of a rejection's window until the first that explains it, unless
/// [`Replay::first_rejection`] is given a shorter way.
pub fn check<O: Clone + Ord>(history: &History<O>, replay: &impl Replay<O>) -> Report<O> {
    let truth = Truth::new(history);
    let mut violations = truth.violations(replay);
    violations.extend(verdicts::violations(history, &truth));
    violations.extend(Sweep::new(history, &truth, replay).run());
    Report { counts: Counts::of(history, &truth), violations }
}
