//! Seeds without a violation, and what a report says of them.

use ifmatch_testkit::sim::{Broken, Campaign, Workload, run_seed};
use serde_json::Value;

#[test]
fn sixty_seeds_keep_every_promise() {
    let report = Campaign::new(0).seeds(60).twice(0.2).run();
    assert!(report.is_passed(), "{report}");
    assert_eq!((report.seeds, report.violation_count), (60, 0));
    // A clean report of nothing proves nothing.
    assert!(report.commits > 30_000, "{report}");
    assert!(report.unknowns > 300 && report.resolved > 300, "{report}");
    assert!(report.crashes > 30 && report.pauses > 30 && report.dropped > 30, "{report}");
    assert!(report.reads > 3_000 && report.rejections > 300, "{report}");
    assert!(report.contended_share() > 0.1, "{report}");
    assert!(report.twice > 0, "{report}");
}

#[test]
fn a_report_does_not_depend_on_the_number_of_threads() {
    let run = |threads| Campaign::new(500).seeds(8).threads(threads).twice(0.0).run();
    let (one, three) = (run(1), run(3));
    assert_eq!(one.trace_hash, three.trace_hash);
    assert_eq!(one.commits, three.commits);
    assert_eq!(one.faults, three.faults);
}

#[test]
fn a_script_finds_the_fields_that_it_relies_on() {
    let report = Campaign::new(7).seeds(2).run();
    let json = serde_json::to_value(&report).unwrap();
    for name in [
        "seeds",
        "commits",
        "lost",
        "phantom",
        "doubled",
        "stale",
        "unresolved",
        "base_seed",
        "trace_hash",
    ] {
        assert!(json.get(name).is_some_and(Value::is_u64), "{name}: {json}");
    }
    assert!(json.get("violations").is_some_and(Value::is_array));
    assert!(json.get("seed_of_first_violation").is_some_and(Value::is_null));
    let faults = json.get("faults").and_then(Value::as_array).unwrap();
    let counted = |cell: &&Value| cell.get("count").is_some_and(Value::is_u64);
    assert!(!faults.is_empty() && faults.iter().all(|cell| counted(&cell)));
    let text = report.to_string();
    assert!(text.contains("passed") && text.contains("put  delete"), "{text}");
}

#[test]
fn a_trace_is_text_and_changes_nothing() {
    let (silent, traced) = (run_seed(3, false), run_seed(3, true));
    assert_eq!(silent.trace_hash, traced.trace_hash);
    assert!(silent.trace.is_empty());
    let has = |what: &str| traced.trace.iter().any(|line| line.contains(what));
    for what in ["has opened the journal", "has committed", "the head is written", "the faults end"]
    {
        assert!(has(what), "{what}");
    }
}

#[test]
fn workloads_and_promises_have_names() {
    for workload in Workload::ALL {
        assert_eq!(workload.to_string().parse::<Workload>().unwrap(), workload);
    }
    let error = "nonsense".parse::<Workload>().unwrap_err().to_string();
    assert!(error.contains("protocol"), "{error}");
    assert_eq!(Broken::FalseRejection.to_string(), "false rejection");
}
