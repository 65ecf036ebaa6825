//! The slot register in the small.
//!
//! Two clients commit by creating the next slot, which must be absent, and read
//! by looking for the newest slot; anybody trims old slots behind a floor. A
//! request that was sent may arrive at any time and any number of times, also
//! after its slot was trimmed: then it makes a slot that is not in the history.
//! The hint may say any slot that was ever the newest. The rules are pure
//! functions; a [`Bug`] leaves one out.

mod bug;
mod commit;
mod look;
mod rules;
mod trim;
mod world;

use std::fmt;

pub use bug::Bug;
pub use world::Violation;

use rules::Slot;
use world::{BODIES, CLIENTS, Commit, Phase, WORDS, World};

use super::search::{Found, Model, Next, search};

/// The bounds of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    bodies: [u16; CLIENTS],
    ticks: u16,
    trimmers: usize,
    exempt: bool,
}

impl Setup {
    /// Clients that send so many bodies each, at most three.
    pub const fn of(first: u16, second: u16) -> Self {
        let first = if first > 3 { 3 } else { first };
        let second = if second > 3 { 3 } else { second };
        Self { bodies: [first, second], ticks: 2, trimmers: 1, exempt: true }
    }

    /// The store's clock moves on so often, at most three times; a slot stays
    /// for two.
    pub const fn ticks(mut self, ticks: u16) -> Self {
        self.ticks = if ticks > 3 { 3 } else { ticks };
        self
    }

    /// Two trim at once.
    pub const fn two_trimmers(mut self) -> Self {
        self.trimmers = 2;
        self
    }

    /// The floor is asked every time.
    pub const fn without_exemption(mut self) -> Self {
        self.exempt = false;
        self
    }
}

/// The model: what [`search`] visits.
#[derive(Debug)]
pub struct SlotModel {
    setup: Setup,
    bug: Option<Bug>,
}

impl SlotModel {
    /// With all rules.
    pub const fn shipped(setup: Setup) -> Self {
        Self { setup, bug: None }
    }

    /// With a bug.
    pub const fn planted(setup: Setup, bug: Bug) -> Self {
        Self { setup, bug: Some(bug) }
    }

    /// Searches to the end, or until `limit` states.
    pub fn search(mut self, limit: usize) -> Found<Violation> {
        search(&mut self, limit)
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Whether the floor need not be asked about a slot that was absent then.
    fn is_exempt(&self, absent: rules::Time, now: rules::Time) -> bool {
        let stands_still = self.has(Bug::ProcessClock);
        self.setup.exempt && (stands_still || rules::is_exempt(absent, now))
    }

    /// A request arrives. It creates its slot, if that is absent.
    fn deliveries(&self, world: &World, out: &mut Out) {
        for body in 0..CLIENTS * BODIES {
            let slot = world.requests[body];
            if slot == 0 || world.slot(slot) != 0 {
                continue;
            }
            let commit = world::count(body + 1);
            let (mut after, at) = (*world, usize::from(slot) - 1);
            after.slots[at] = commit;
            after.created[at] = world.time;
            if after.truth[at] == 0 {
                after.truth[at] = commit;
            }
            out.put(Step::Arrives(commit, slot), Ok(after));
            // The answer may arrive with it.
            for client in 0..CLIENTS {
                let state = world.clients[client];
                if state.phase == Phase::Sent && state.sent == commit {
                    let after = self.saw(&after, client, commit, true);
                    out.put(Step::Hears(client, commit, slot), after);
                }
            }
        }
    }
}

impl Model for SlotModel {
    type State = [u64; WORDS];
    type Step = Step;
    type Violation = Violation;

    fn start(&mut self) -> Self::State {
        World::start().pack()
    }

    fn steps(&mut self, state: &Self::State, next: &mut Vec<Next<Self>>) {
        let world = World::unpack(state);
        let mut out = Out(next);
        self.deliveries(&world, &mut out);
        for client in 0..CLIENTS {
            self.commits(&world, client, &mut out);
            self.looks(&world, client, &mut out);
        }
        for trimmer in 0..self.setup.trimmers {
            self.trims(&world, trimmer, &mut out);
        }
        if world.time < self.setup.ticks {
            out.put(Step::Ticks, Ok(World { time: world.time + 1, ..world }));
        }
    }

    fn overflowed(&self) -> bool {
        false
    }
}

/// Where steps go.
struct Out<'a>(&'a mut Vec<Next<SlotModel>>);

impl Out<'_> {
    fn put(&mut self, step: Step, after: Result<World, Violation>) {
        let after = after.and_then(|after| {
            let landed = |commit: &Commit| *commit != 0 && after.never >> (commit - 1) & 1 == 1;
            if after.truth.iter().any(landed) { Err(Violation::Phantom) } else { Ok(after.pack()) }
        });
        self.0.push((step, after));
    }
}

/// An event. Commits and clients have numbers; zero is no commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// The store's clock moves on.
    Ticks,
    /// A request creates its slot.
    Arrives(Commit, Slot),
    /// The same, and its client hears it.
    Hears(usize, Commit, Slot),
    /// A client sends a commit to a slot.
    Sends(usize, Commit, Slot),
    /// A client hears that the slot exists.
    Taken(usize, Slot),
    /// A client reads a slot.
    Reads(usize, Slot, Commit),
    /// A client reads the floor.
    Floor(usize, Slot),
    /// A client begins to look for news.
    Looks(usize),
    /// A client takes up the hint.
    Hint(usize, Slot),
    /// A client lists the slots.
    Lists(usize, Slot),
    /// A trimmer reads the floor and decides.
    Plans(usize, Slot),
    /// A trimmer publishes the floor.
    Publishes(usize, Slot),
    /// A trimmer finds another floor than it saw.
    Refused(usize),
    /// A trimmer deletes a slot.
    Deletes(usize, Slot),
    /// A trimmer is done.
    Done(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticks => write!(f, "the store's clock moves on"),
            Self::Arrives(commit, slot) => write!(f, "{commit} arrives and creates slot {slot}"),
            Self::Hears(who, commit, slot) => {
                write!(f, "{commit} creates slot {slot} and client {who} hears it")
            }
            Self::Sends(who, commit, slot) => write!(f, "client {who} sends {commit} to {slot}"),
            Self::Taken(who, slot) => write!(f, "client {who} hears that slot {slot} exists"),
            Self::Reads(who, slot, 0) => write!(f, "client {who} reads slot {slot}: absent"),
            Self::Reads(who, slot, commit) => write!(f, "client {who} reads slot {slot}: {commit}"),
            Self::Floor(who, floor) => write!(f, "client {who} reads the floor: {floor}"),
            Self::Looks(who) => write!(f, "client {who} looks for news"),
            Self::Hint(who, slot) => write!(f, "client {who} starts at the hint {slot}"),
            Self::Lists(who, slot) => write!(f, "client {who} lists: {slot} is the newest"),
            Self::Plans(who, slot) => write!(f, "trimmer {who} wants all up to {slot} gone"),
            Self::Publishes(who, slot) => write!(f, "trimmer {who} sets the floor to {slot}"),
            Self::Refused(who) => write!(f, "trimmer {who} finds another floor and stops"),
            Self::Deletes(who, slot) => write!(f, "trimmer {who} deletes slot {slot}"),
            Self::Done(who) => write!(f, "trimmer {who} is done"),
        }
    }
}
