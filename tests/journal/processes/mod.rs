//! Eight real processes add to counters through one journal and are killed at
//! random moments, again and again.
//!
//! A child writes down each addition before it sends it and after it was
//! acknowledged. At the end the log must hold every acknowledged addition once,
//! nothing twice, and nothing else but what was on its way at a kill. Every
//! outcome that is unknown at a deadline is resolved before the child goes on,
//! by its next process if it was killed meanwhile.

mod audit;
mod campaign;
mod child;
mod diary;
mod remote;
mod table;
mod variant;

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use ifmatch_journal::{Journal, Options};

use crate::harness::Cases;
use crate::tally::Tally;
use campaign::{CHILDREN, Campaign};
use diary::Diaries;
use variant::{PATIENT, Variant};

/// Campaigns run one after the other: each takes the whole machine.
static TURN: Mutex<()> = Mutex::new(());

pub(crate) fn child() -> Option<ExitCode> {
    std::env::var_os(child::CHILD)?;
    child::run();
    Some(ExitCode::SUCCESS)
}

pub(crate) fn cases(cases: &mut Cases) {
    for variant in Variant::all() {
        let name = format!("processes::killed_processes_lose_nothing::{}", variant.name);
        match variant.remote.missing {
            Some(variable) => cases.ignore(&name, variable),
            None => cases.add(name, move || run(&variant)),
        }
    }
}

fn run(variant: &Variant) -> Result<(), String> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let url = variant.remote.fresh(&folder);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let store = ifmatch::open(&url).map_err(|error| error.to_string())?;
        let options = Options::create().retry(PATIENT);
        let created = Journal::open(store, Tally, options).await;
        created.map(drop).map_err(|error| error.to_string())
    })?;
    let mut campaign = Campaign::start(variant, &url, folder.path())?;
    campaign.run()?;
    let diaries: Vec<_> =
        (0..CHILDREN).map(|number| Diaries::read(&child::path_of(folder.path(), number))).collect();
    let audited = runtime.block_on(audit::audit(&url, &diaries, &campaign.kills));
    table::print(variant.name, audited.clone().unwrap_or_default(), &diaries, &campaign.kills);
    audited?;
    fair(&diaries)?;
    exercised(variant, &diaries)
}

/// Nobody starves: nobody has a tenth of what those in the middle have.
fn fair(diaries: &[Diaries]) -> Result<(), String> {
    let mut shares: Vec<_> = diaries.iter().map(|diary| diary.acknowledged().count()).collect();
    shares.sort_unstable();
    let (least, median) = (shares[0], shares[shares.len() / 2]);
    if least * 10 > median { Ok(()) } else { Err(format!("{least} against {median}: {shares:?}")) }
}

/// What the campaign is for has come about.
fn exercised(variant: &Variant, diaries: &[Diaries]) -> Result<(), String> {
    let total = |at: usize| diaries.iter().map(|diary| diary.totals[at]).sum::<u64>();
    let unknowns: u64 = diaries.iter().map(|diary| diary.unknowns).sum();
    let (objects, lost, checkpoints) = (total(3), total(4), total(6));
    let maintained = !variant.has_small_heads() || (objects > 0 && checkpoints > 0);
    if lost > 0 && unknowns > 0 && maintained {
        return Ok(());
    }
    Err(format!("{lost} races, {unknowns} unknowns, {objects} objects, {checkpoints} checkpoints"))
}
