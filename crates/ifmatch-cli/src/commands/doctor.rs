//! `ifmatch doctor`: does this store keep its conditions?

use ifmatch::{Capabilities, ProbeReport, probe};
use serde_json::json;

use super::{open, options};
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(url: &str, global: &Global, output: &Output) -> Result<(), Failure> {
    let store = open(&asking_by_itself(url), global)?;
    let report = probe(&*store).await?;
    let foreign = match options(global).open_files(url)? {
        Some(files) => Some(files.foreign_names().await?),
        None => None,
    };
    let json = json!({
        "store": report.store(),
        "verdict": report.verdict(),
        "checks": report.checks(),
        "foreign_names": foreign,
    });
    output.result(&table(&report, &store.capabilities(), foreign), &json)?;
    report.require_safe()?;
    Ok(())
}

/// The doctor probes; the store need not probe once more before its writes.
fn asking_by_itself(url: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let kept = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("probe="));
    let options: Vec<_> = kept.chain(["probe=never"]).collect();
    format!("{path}?{}", options.join("&"))
}

fn table(report: &ProbeReport, can: &Capabilities, foreign: Option<u64>) -> String {
    let checks = report.checks().iter().map(|check| {
        let mark = if check.ok { "ok  " } else { "FAIL" };
        format!("  {mark} {:<20} {}", check.name, check.detail)
    });
    let rate = can
        .writes_per_second_per_key
        .map_or_else(|| "no stated limit".to_owned(), |rate| format!("{rate} per second"));
    let body = match can.max_body {
        u64::MAX => "no limit".to_owned(),
        bytes => format!("{} MiB", bytes >> 20),
    };
    let foreign = foreign.map(|count| ("foreign names", format!("{count}, which are no blobs")));
    let facts = [
        ("versions", format!("{:?}", can.versions)),
        ("conditional delete", if can.delete_if_match { "yes" } else { "no" }.to_owned()),
        ("list order", format!("{:?}", can.list_order)),
        ("writes per key", rate),
        ("reach", format!("{:?}", can.reach)),
        ("largest body", body),
    ];
    let facts =
        facts.into_iter().chain(foreign).map(|(name, value)| format!("       {name:<20} {value}"));
    let verdict = format!("verdict: {}", report.verdict());
    let lines: Vec<_> = [report.store().to_owned()]
        .into_iter()
        .chain(checks)
        .chain(facts)
        .chain([verdict])
        .collect();
    lines.join("\n")
}
