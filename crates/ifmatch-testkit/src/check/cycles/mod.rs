//! Serializability of transactions that append to lists.
//!
//! Each value is appended to a list at most once, so a read of a list shows in
//! which order its values were appended, whom it was read from and whom it
//! missed. These dependencies must not run in a circle. The names of what is
//! found are Adya's; the method is Elle's.
//!
//! | name | what it is |
//! |---|---|
//! | G0 | a cycle of writes (ww) |
//! | G1a | a read of what an aborted transaction appended |
//! | G1b | a read of what its writer went on to append to |
//! | G1c | a cycle of writes and reads (ww, wr) |
//! | G-single | a cycle with one missed write (rw): a lost update, read skew |
//! | G2 | a cycle with several missed writes: write skew |
//!
//! ```
//! use std::collections::BTreeMap;
//! use ifmatch_testkit::check::cycles::{
//!     Anomaly, Class, Consistency, History, Step, Transaction, check,
//! };
//!
//! let append = |key, value| Step::Append { key, value };
//! let read = |key, values: &[u64]| Step::Read { key, values: values.to_vec() };
//! // Two transactions read the same list and both append to it.
//! let history = History {
//!     transactions: vec![
//!         Transaction::committed(vec![append(1, 10)]),
//!         Transaction::committed(vec![read(1, &[10]), append(1, 11)]),
//!         Transaction::committed(vec![read(1, &[10]), append(1, 12)]),
//!     ],
//!     finals: BTreeMap::from([(1, vec![10, 11, 12])]),
//! };
//! let report = check(&history, Consistency::Serializable);
//! let [Anomaly::Cycle(cycle)] = &report.anomalies[..] else { panic!("{report}") };
//! assert_eq!(cycle.class, Class::GSingle);
//! assert_eq!(
//!     cycle.to_string(),
//!     "G-single: T2 -rw(list 1: missed 11)-> T1 -ww(list 1: 12 after 11)-> T2"
//! );
//! ```

mod anomaly;
mod components;
mod edges;
mod graph;
mod history;
mod observed;
mod reads;
mod search;

pub use anomaly::{Anomaly, Class, Cycle, Dependency, Kind};
pub use history::{Consistency, History, Outcome, Report, Step, Transaction};

use observed::Observed;

/// Searches `history` for what no serial order explains.
///
/// Of each knot of dependencies the gravest kind of cycle is reported, in
/// the order of the table and those that need real time last, and of that
/// kind the shortest one.
///
/// # Cost
///
/// Linear in the values read plus, with [`Consistency::Strict`], transactions
/// times those at work at once. In a knot the work for the shortest cycle has a
/// bound; beyond it, the cycle reported may be a longer one, and a G-single may
/// be called G2.
pub fn check(history: &History, consistency: Consistency) -> Report {
    let observed = Observed::new(history);
    let mut anomalies = observed.anomalies();
    let (graph, edges) = edges::graph(history, &observed, consistency);
    anomalies.extend(search::cycles(&graph).into_iter().map(Anomaly::Cycle));
    Report { transactions: observed.live(), edges, anomalies }
}
