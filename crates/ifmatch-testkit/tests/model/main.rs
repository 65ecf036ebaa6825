//! The commit protocol in the small, searched to its end.

use ifmatch_testkit::model::{Bounds, Judge, search};

#[test]
fn no_order_of_events_breaks_a_promise() {
    for bounds in [Bounds::default(), Bounds::default().ring(1)] {
        let found = search(Judge::Shipped, &bounds);
        println!("ring {}: {} states, complete: {}", bounds.ring, found.states, found.complete);
        assert_eq!(found.violation, None);
        assert!(found.complete);
    }
}

#[test]
fn an_operator_who_rewinds_the_head_makes_nobody_go_on_from_another_branch() {
    let bounds = Bounds::default().attempts(1).with_rewind();
    let found = search(Judge::Shipped, &bounds);
    println!("{} states, complete: {}", found.states, found.complete);
    assert_eq!(found.violation, None);
}

#[test]
fn every_planted_bug_is_found_with_a_short_trace() {
    for bug in Judge::BUGS {
        let bounds = Bounds::default().ring(1);
        let bounds = if bug == Judge::AdoptsAnything { bounds.with_rewind() } else { bounds };
        let found = search(bug, &bounds);
        let (violation, trace) = found.violation.unwrap_or_else(|| panic!("{bug:?} escapes"));
        println!("{bug:?}: {violation:?} in {} steps, {} states", trace.len(), found.states);
        for step in &trace {
            println!("  {step}");
        }
        assert!(trace.len() <= 16);
    }
}
