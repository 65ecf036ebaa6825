//! Prints what a search did.

use std::fmt::Debug;

use ifmatch_core::Env;
use ifmatch_testkit::model::Found;

/// Runs a search that must reach the end and find nothing; its states.
pub(crate) fn clean<V: Debug>(name: &str, search: impl FnOnce() -> Found<V>) -> usize {
    let env = Env::real();
    let start = env.now();
    let found = search();
    let seconds = env.now().saturating_sub(start).as_secs_f64();
    let Found { states, steps, depth, complete, .. } = found;
    println!(
        "{name}: {states} states, {steps} steps, depth {depth}, complete: {complete}, {seconds:.1} s"
    );
    if let Some((violation, trace)) = found.violation {
        panic!("{name}: {violation:?}\n  {}", trace.join("\n  "));
    }
    assert!(complete, "{name} was not searched to its end");
    states
}

/// Runs a search with a planted bug, which must be found in at most 16 steps;
/// the promise that it breaks.
pub(crate) fn caught<V: Debug>(bug: &impl Debug, search: impl FnOnce() -> Found<V>) -> V {
    let found = search();
    let Some((violation, trace)) = found.violation else {
        panic!("{bug:?} escapes in {} states, complete: {}", found.states, found.complete);
    };
    println!("{bug:?}: {violation:?} in {} steps, {} states", trace.len(), found.states);
    for step in &trace {
        println!("  {step}");
    }
    assert!(trace.len() <= 16, "{bug:?} has a long way");
    violation
}
