//! What a campaign came to, for people.

use super::diary::Diaries;

/// Prints a line for each child, and one for all.
pub(crate) fn print(name: &str, commits: u64, diaries: &[Diaries], kills: &[u64]) {
    println!("\n{name}: {commits} commits in the journal");
    println!(
        "| child | acknowledged | kills | unknown | of them inherited | left open | \
         median ms | worst ms |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for ((child, diary), kills) in diaries.iter().enumerate().zip(kills) {
        let (median, worst) = waits(diary);
        println!(
            "| {child} | {} | {kills} | {} | {} | {} | {median} | {worst} |",
            diary.acknowledged().count(),
            diary.unknowns,
            diary.inherited,
            diary.open(),
        );
    }
    let sum = |of: fn(&Diaries) -> u64| diaries.iter().map(of).sum::<u64>();
    let total = |at: usize| diaries.iter().map(|diary| diary.totals[at]).sum::<u64>();
    let per_commit = |requests: u64| {
        let hundredths = requests * 100 / total(0).max(1);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    println!(
        "{} acknowledged, {} kills, {} unknowns resolved, {} of them by a later process; \
         {} commands in {} commits; requests per commit: {} of the head, {} of objects; \
         {} races lost, {} read back, {} checkpoints, {} merges",
        sum(|diary| diary.acknowledged().count() as u64),
        kills.iter().sum::<u64>(),
        sum(|diary| diary.unknowns),
        sum(|diary| diary.inherited),
        total(1),
        total(0),
        per_commit(total(2)),
        per_commit(total(3)),
        total(4),
        total(5),
        total(6),
        total(7),
    );
}

/// The median and the longest wait for an acknowledgement.
fn waits(diary: &Diaries) -> (u64, u64) {
    let mut waits = diary.waits.clone();
    waits.sort_unstable();
    let at = |at: usize| waits.get(at).copied().unwrap_or_default();
    (at(waits.len() / 2), at(waits.len().saturating_sub(1)))
}
