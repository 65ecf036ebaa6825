//! Every history with a few faults and foreign writes in any order.

use bytes::Bytes;
use futures::FutureExt;

use super::history::key;
use super::oracle::{Told, Truth, Verdicts};
use super::scripted::{Director, Fate, Look, Scripted};
use super::world::{Bases, FIRST, Foreign, MINE, World};
use crate::capabilities::Versions;
use crate::precondition::Precondition;
use crate::store::{RetryPolicy, delete_resolved, put_resolved, resolve_put};

const FATES: [Fate; 9] = [
    Fate::LoseAnswer,
    Fate::LoseRequest,
    Fate::Delay,
    Fate::Twice,
    Fate::TwiceLater,
    Fate::FalseRejection,
    Fate::RejectedForTwin,
    Fate::Unreachable,
    Fate::Denied,
];

const ACTS: [Foreign; 8] = [
    Foreign::Build,
    Foreign::BuildFirst,
    Foreign::BuildStale,
    Foreign::Overwrite,
    Foreign::Restore,
    Foreign::Delete,
    Foreign::Create,
    Foreign::Land,
];

/// The decisions of one history; walks through all of them.
#[derive(Default)]
struct Tape {
    /// What was chosen, of how many.
    choices: Vec<(usize, usize)>,
    at: usize,
}

impl Tape {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.choices.len() {
            self.choices.push((0, of));
        }
        self.at += 1;
        self.choices[self.at - 1].0
    }

    /// Turns to the next history; false where there is none.
    fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((chosen, of)) = self.choices.pop() {
            if chosen + 1 < of {
                self.choices.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

/// How much may happen in one history.
#[derive(Clone, Copy)]
struct Bounds {
    faults: usize,
    acts: usize,
    /// Heads may be stale.
    stale: bool,
}

struct Chooser {
    tape: Tape,
    left: Bounds,
}

impl Chooser {
    fn others(&mut self, world: &mut World) {
        while self.left.acts > 0 || !world.under_way.is_empty() {
            let possible: Vec<_> = ACTS.into_iter().filter(|act| self.may(*act, world)).collect();
            match self.tape.choose(possible.len() + 1) {
                0 => return,
                chosen => {
                    let act = possible[chosen - 1];
                    world.foreign(act);
                    self.left.acts -= usize::from(act != Foreign::Land);
                }
            }
        }
    }

    fn may(&self, act: Foreign, world: &World) -> bool {
        let there = world.object.is_some();
        match act {
            Foreign::Land => !world.under_way.is_empty(),
            _ if self.left.acts == 0 => false,
            Foreign::Build | Foreign::Delete => there,
            Foreign::Create => !there,
            Foreign::Overwrite => true,
            // An A-B-A and its late reader: elsewhere they are plain writes.
            Foreign::BuildFirst => there && world.versions == Versions::ByContent,
            Foreign::Restore => world.versions == Versions::ByContent,
            Foreign::BuildStale => {
                world.versions == Versions::ByContent
                    && world.object.as_ref().is_some_and(|object| object.body == FIRST)
            }
        }
    }
}

impl Director for Chooser {
    fn fate(&mut self, world: &mut World) -> Fate {
        self.others(world);
        if self.left.faults == 0 {
            return Fate::Deliver;
        }
        match self.tape.choose(FATES.len() + 1) {
            0 => Fate::Deliver,
            chosen => {
                self.left.faults -= 1;
                FATES[chosen - 1]
            }
        }
    }

    fn between(&mut self, world: &mut World) {
        self.others(world);
    }

    fn look(&mut self, world: &mut World) -> Look {
        self.others(world);
        if self.left.faults == 0 {
            return Look::Fresh;
        }
        let looks = [Look::Fresh, Look::Unavailable, Look::Denied, Look::Stale];
        let look = looks[self.tape.choose(if self.left.stale { 4 } else { 3 })];
        self.left.faults -= usize::from(look != Look::Fresh);
        look
    }
}

/// One family of histories.
#[derive(Clone, Copy)]
struct Setting {
    operation: &'static str,
    versions: Versions,
    bases: Bases,
    exists: bool,
    body: &'static [u8],
}

impl Setting {
    fn condition(&self, world: &World) -> Precondition {
        match self.operation {
            "create" => Precondition::IfAbsent,
            "update" | "delete" => {
                // What a reader of an object that is gone by now still holds.
                let first = World::new(self.versions, self.bases, true).first.unwrap().version;
                let there = world.first.as_ref().map(|object| object.version.clone());
                Precondition::IfMatch(there.unwrap_or(first))
            }
            _ => Precondition::Overwrite,
        }
    }

    /// Walks through every history of this family.
    fn search(self, bounds: Bounds) -> Verdicts {
        let policy = RetryPolicy::default().with_max_attempts(6);
        let (mut tape, mut verdicts) = (Tape::default(), Verdicts::default());
        loop {
            let world = World::new(self.versions, self.bases, self.exists);
            let condition = self.condition(&world);
            let store = Scripted::new(world, Chooser { tape, left: bounds }, policy);
            let told = match self.operation {
                "delete" | "delete any" => Told::of(
                    delete_resolved(&store, &key(), condition.clone()).now_or_never().unwrap(),
                ),
                _ => {
                    let body = Bytes::from_static(self.body);
                    let key = key();
                    let put = put_resolved(&store, &key, body, condition.clone(), Some(MINE));
                    Told::of(put.now_or_never().unwrap())
                }
            };
            let (spare, truth) = {
                let state = store.state.lock().unwrap();
                let left = state.1.left;
                (left.faults > 0 && left.acts > 0, Truth::of(&state.0, &condition))
            };
            verdicts.add(&store.seen.lock().unwrap(), &told, &truth, spare);
            if let Told::Unknown(unknown) = told
                && let Ok(resolved) = resolve_put(&store, &unknown).now_or_never().unwrap()
            {
                let world = &store.state.lock().unwrap().0;
                let gone = world.object.is_none() && condition == Precondition::IfAbsent;
                let excused = gone || world.stale;
                verdicts.add_resolved(&resolved, &Truth::of(world, &condition), excused);
            }
            let chooser = store.state.into_inner().unwrap().1;
            tape = chooser.tape;
            if !tape.advance() {
                return verdicts;
            }
        }
    }
}

fn settings(operations: &[&'static str]) -> Vec<Setting> {
    let stores = [
        (Versions::Unique, Bases::Exact),
        (Versions::Unique, Bases::Claimed),
        (Versions::ByContent, Bases::Claimed),
    ];
    let mut settings = Vec::new();
    for (versions, bases) in stores {
        for &operation in operations {
            for exists in [true, false] {
                let setting = Setting { operation, versions, bases, exists, body: b"mine" };
                settings.push(setting);
                if versions == Versions::ByContent && operation == "update" {
                    // A write that changes nothing is a write.
                    settings.push(Setting { body: FIRST, ..setting });
                }
            }
        }
    }
    settings
}

fn search(operations: &[&'static str], bounds: Bounds) {
    let mut all = Verdicts::default();
    for setting in settings(operations) {
        let verdicts = setting.search(bounds);
        println!("{setting}\n    {verdicts}");
        verdicts.check(&setting.to_string());
        all.absorb(verdicts);
    }
    println!("{operations:?}: {all}");
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { operation, versions, bases, exists, body } = self;
        let there = if *exists { "an object" } else { "nothing" };
        let body = String::from_utf8_lossy(body);
        write!(f, "{operation} ({body}) over {there}, {versions:?} versions, {bases:?} bases")
    }
}

const SMALL: Bounds = Bounds { faults: 2, acts: 2, stale: false };
const STALE: Bounds = Bounds { faults: 2, acts: 1, stale: true };
const LARGE: Bounds = Bounds { faults: 3, acts: 2, stale: true };

#[test]
fn creates_and_updates_are_true_in_every_small_history() {
    search(&["create", "update"], SMALL);
}

#[test]
fn overwrites_and_deletes_are_true_in_every_small_history() {
    search(&["overwrite", "delete", "delete any"], SMALL);
}

#[test]
fn verdicts_are_true_in_every_small_history_with_stale_reads() {
    search(&["create", "update", "overwrite", "delete", "delete any"], STALE);
}

#[test]
#[ignore = "some ten million histories; run with --profile sim"]
fn verdicts_are_true_in_every_larger_history() {
    search(&["create", "update", "overwrite", "delete", "delete any"], LARGE);
}
