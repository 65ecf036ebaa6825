//! Runs of a developer, chosen by environment variables:
//!
//! ```text
//! SEED=7 TRACE=1 cargo test --profile sim -p ifmatch-testkit --test sim -- --ignored --nocapture one_seed
//! FROM=0 SEEDS=100 cargo test --profile sim -p ifmatch-testkit --test sim -- --ignored --nocapture many_seeds
//! ```

use std::time::Instant;

use ifmatch_testkit::sim::{Campaign, run_seed};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[ignore = "for a developer"]
fn one_seed() {
    let report = run_seed(number("SEED").unwrap_or(0), number("TRACE").is_some());
    for line in &report.trace {
        println!("{line}");
    }
    println!("{}", summary(&report));
    for violation in &report.violations {
        println!("{violation}");
    }
    assert!(report.violations.is_empty());
}

fn summary(report: &ifmatch_testkit::sim::SeedReport) -> String {
    let r = report;
    format!(
        "{:>6} {:<13} commits {:>5} contended {:>5} length {:>5} puts {:>5} lost {:>4} rejected \
         {:>5} unknown {:>4} resolved {:>4} dropped {:>4} reads {:>5} crashes {:>3} pauses {:>3} \
         faults {:>5} virtual {:>8.1} hash {:016x}",
        r.seed,
        r.load,
        r.commits,
        r.contended,
        r.length,
        r.head_puts,
        r.lost_races,
        r.rejections,
        r.unknowns,
        r.resolved,
        r.dropped,
        r.reads,
        r.crashes,
        r.pauses,
        r.faults.total(),
        r.virtual_seconds,
        r.trace_hash
    )
}

#[test]
#[ignore = "for a developer"]
fn many_seeds() {
    let from = number("FROM").unwrap_or(0);
    #[allow(clippy::disallowed_methods)] // A developer wants to know how long it took.
    let started = Instant::now();
    let (mut commits, mut bad) = (0, 0);
    for seed in from..from + number("SEEDS").unwrap_or(20) {
        #[allow(clippy::disallowed_methods)]
        let began = Instant::now();
        let report = run_seed(seed, false);
        commits += report.commits;
        println!("{} {:>6.1} ms", summary(&report), began.elapsed().as_secs_f64() * 1e3);
        bad += u64::from(!report.violations.is_empty());
        for violation in report.violations.iter().take(3) {
            println!("    {violation}");
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // A rate for the eye.
    let rate = commits as f64 / seconds;
    println!("{commits} commits in {seconds:.1} s, {rate:.0} per second; {bad} bad seeds");
}

#[test]
#[ignore = "for a developer"]
fn a_campaign() {
    let mut campaign = Campaign::new(number("FROM").unwrap_or(0));
    if let Some(seeds) = number("SEEDS") {
        campaign = campaign.seeds(seeds);
    }
    if let Some(seconds) = number("SECONDS") {
        campaign = campaign.time(std::time::Duration::from_secs(seconds));
    }
    let report = campaign.run();
    println!("{report}");
    assert!(report.is_passed());
}
