//! One state of the model.

use super::rules::{Slot, Time};
use crate::model::bits::{Codec, Pack, Unpack};

/// Clients of the model.
pub(super) const CLIENTS: usize = 2;
/// Bodies that one client may send.
pub(super) const BODIES: usize = 3;
/// Slots, counted from 1; the first is there from the start.
pub(super) const SLOTS: usize = 1 + CLIENTS * BODIES;
/// Words of a packed state.
pub(super) const WORDS: usize = 3;

/// A commit: the client's bodies are numbered from 1. Zero is none.
pub(super) type Commit = u16;
/// The commit of the first slot.
pub(super) const FIRST: Commit = 7;

/// A promise that was broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Violation {
    /// A commit was acknowledged and is not in the history (a zombie).
    Lost,
    /// A commit was told "never" and is in the history.
    Phantom,
    /// A strong read answered with less than was there when it began.
    Stale,
    /// A state was adopted that is not in the history.
    Diverged,
}

/// What a client is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Idle,
    /// Its commit is sent, to the slot after its state's.
    Sent,
    /// It saw something in its commit's slot, and the floor is to be asked.
    Seen,
    /// It needs the newest slot.
    Lost,
    /// A list named a slot as the newest.
    Listed,
    /// It looks for newer slots than the one it has read.
    Probes,
    /// The next slot was absent, and the floor is to be asked.
    Ends,
}

const PHASES: [Phase; 7] =
    [Phase::Idle, Phase::Sent, Phase::Seen, Phase::Lost, Phase::Listed, Phase::Probes, Phase::Ends];

/// A client: it reads, and writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Client {
    pub(super) phase: Phase,
    /// The slot of its state.
    pub(super) base: Slot,
    /// When the slot after that was known to be absent.
    pub(super) absent: Time,
    /// Its commit that is not settled.
    pub(super) sent: Commit,
    /// Bodies it has made.
    pub(super) made: u16,
    /// The slot that it looks at, what it found there, and when.
    pub(super) at: Slot,
    pub(super) found: Commit,
    pub(super) when: Time,
    /// Whether the search began at its own state; about its commit's slot,
    /// whether its own request created it.
    pub(super) own: u16,
    /// The newest slot when its search began: what a strong read must reach.
    pub(super) began: Slot,
}

/// One who trims.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Trimmer {
    /// The floor that it saw.
    pub(super) seen: Slot,
    /// What it wants to trim, or zero.
    pub(super) to: Slot,
    /// It may delete.
    pub(super) published: u16,
}

/// One state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct World {
    pub(super) time: Time,
    pub(super) floor: Slot,
    /// What the store holds, and since when.
    pub(super) slots: [Commit; SLOTS],
    pub(super) created: [Time; SLOTS],
    /// The history: the first body that each slot held.
    pub(super) truth: [Commit; SLOTS],
    /// The slot that each body was sent to: it may arrive at any time, any
    /// number of times, or never.
    pub(super) requests: [Slot; CLIENTS * BODIES],
    /// Bodies whose callers were told "never".
    pub(super) never: u16,
    pub(super) clients: [Client; CLIENTS],
    pub(super) trimmers: [Trimmer; 2],
}

impl World {
    pub(super) fn start() -> Self {
        let client = Client {
            phase: Phase::Idle,
            base: 1,
            absent: 0,
            sent: 0,
            made: 0,
            at: 0,
            found: 0,
            when: 0,
            own: 0,
            began: 0,
        };
        let mut slots = [0; SLOTS];
        slots[0] = FIRST;
        Self {
            time: 0,
            floor: 0,
            slots,
            created: [0; SLOTS],
            truth: slots,
            requests: [0; CLIENTS * BODIES],
            never: 0,
            clients: [client; CLIENTS],
            trimmers: [Trimmer { seen: 0, to: 0, published: 0 }; 2],
        }
    }

    /// What a slot holds now; a slot beyond the model's is absent.
    pub(super) fn slot(&self, slot: Slot) -> Commit {
        self.slots.get(usize::from(slot).wrapping_sub(1)).copied().unwrap_or(0)
    }

    /// What it held first.
    pub(super) fn truth(&self, slot: Slot) -> Commit {
        self.truth.get(usize::from(slot).wrapping_sub(1)).copied().unwrap_or(0)
    }

    /// The newest slot of the history.
    pub(super) fn newest(&self) -> Slot {
        count(self.truth.iter().take_while(|commit| **commit != 0).count())
    }

    /// The highest slot that is there.
    pub(super) fn listed(&self) -> Slot {
        let above = self.slots.iter().rposition(|commit| *commit != 0);
        above.map_or(0, |at| count(at + 1))
    }

    fn code(&mut self, codec: &mut impl Codec) {
        codec.field(&mut self.time, 2);
        codec.field(&mut self.floor, 3);
        self.slots.iter_mut().for_each(|commit| codec.field(commit, 3));
        self.created.iter_mut().for_each(|time| codec.field(time, 2));
        self.truth.iter_mut().for_each(|commit| codec.field(commit, 3));
        self.requests.iter_mut().for_each(|slot| codec.field(slot, 3));
        codec.field(&mut self.never, 7);
        for client in &mut self.clients {
            let mut phase = client.phase as u16;
            codec.field(&mut phase, 3);
            client.phase = PHASES[usize::from(phase)];
            for wide in [
                &mut client.base,
                &mut client.sent,
                &mut client.at,
                &mut client.found,
                &mut client.began,
            ] {
                codec.field(wide, 3);
            }
            for narrow in [&mut client.absent, &mut client.made, &mut client.when] {
                codec.field(narrow, 2);
            }
            codec.field(&mut client.own, 1);
        }
        for trimmer in &mut self.trimmers {
            codec.field(&mut trimmer.seen, 3);
            codec.field(&mut trimmer.to, 3);
            codec.field(&mut trimmer.published, 1);
        }
    }

    pub(super) fn pack(mut self) -> [u64; WORDS] {
        let mut pack = Pack::new();
        self.code(&mut pack);
        pack.words
    }

    pub(super) fn unpack(words: &[u64; WORDS]) -> Self {
        let mut world = Self::start();
        world.code(&mut Unpack::new(words));
        world
    }
}

/// A small number as a slot.
pub(super) fn count(number: usize) -> Slot {
    Slot::try_from(number).unwrap_or(Slot::MAX)
}
