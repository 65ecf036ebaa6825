//! Every asynchronous function of a journal is dropped wherever it waits, on a
//! store that takes several polls for each request. Afterwards everybody goes
//! on, nothing is torn, and nothing was committed twice.

mod commits;
mod poll;
mod reads;
mod scene;
mod upkeep;

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::Cases;
use crate::meddler::Fault;
use poll::at_every_poll;

/// Registers cases by the function that is dropped in them, and gives the
/// functions.
macro_rules! dropped {
    ($cases:expr, $($function:ident: $($variant:literal = $case:expr),+;)+) => {{
        $($($cases.paused(
            concat!("cancellation::", stringify!($function), "::", $variant),
            || at_every_poll($case),
        );)+)+
        BTreeSet::from([$(stringify!($function)),+])
    }};
}

pub(crate) fn cases(cases: &mut Cases) {
    let mut functions = dropped! { cases,
        open: "what_is_there" = upkeep::open, "and_create" = upkeep::create;
        open_at: "and_create" = upkeep::create_at;
        find_at: "what_is_there" = upkeep::find_at;
        commit:
            "alone" = commits::alone,
            "with_others" = commits::with_others,
            "after_another" = commits::after_another,
            "with_a_segment" = commits::with_a_segment,
            "rejected" = commits::rejected,
            "answer_lost" = |polls| commits::with_a_fault(Fault::AnswerLost, polls),
            "request_lost" = |polls| commits::with_a_fault(Fault::RequestLost, polls),
            "request_late" = |polls| commits::with_a_fault(Fault::Held, polls),
            "late_arrival" = commits::with_a_late_arrival,
            "with_its_handle" = commits::with_its_handle;
        fence: "with_a_commit_on_its_way" = commits::fence;
        resolve: "a_commit_on_its_way" = commits::resolve;
        resolve_or_fence: "a_commit_on_its_way" = commits::resolve_or_fence;
        read:
            "nothing_new" = reads::of_nothing_new,
            "the_tail" = reads::of_the_tail,
            "segments" = reads::of_segments,
            "a_checkpoint" = reads::of_a_checkpoint,
            "shared" = reads::shared;
        state_at: "the_past" = reads::state_at;
        log: "everything" = reads::log;
        follow: "what_comes" = reads::follow;
        checkpoint: "beside_commits" = upkeep::checkpoint;
        maintain: "when_due" = upkeep::maintain;
        verify: "everything" = reads::verified;
    };
    // Waits for what `state_at` waits for, and only beyond the ring.
    functions.insert("bits");
    cases.add("cancellation::no_function_is_missing", move || {
        let public = public_functions()?;
        let public: BTreeSet<_> = public.iter().map(String::as_str).collect();
        if public == functions { Ok(()) } else { Err(format!("{public:?} are public")) }
    });
}

/// The names of the public functions that wait, as the engine's source has them.
fn public_functions() -> Result<BTreeSet<String>, String> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ifmatch-journal/src/journal");
    let mut names = BTreeSet::new();
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let told = |error| format!("{}: {error}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(told)? {
            let path = entry.map_err(told)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    for path in files {
        let source = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        for marker in ["pub async fn ", "pub fn "] {
            for function in source.split(marker).skip(1) {
                let signature = function.split('{').next().unwrap_or_default();
                let waits = marker.contains("async") || signature.contains("BoxStream");
                let name = signature.split(['(', '<']).next().unwrap_or_default();
                names.extend(waits.then(|| name.to_owned()));
            }
        }
    }
    Ok(names)
}
