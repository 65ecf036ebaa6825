//! One state of the model, and what must hold in it.

use super::chain::{Chain, HEAD_BITS, HeadAt, NONE};
use super::setup::Setup;
use crate::model::bits::{Codec, Pack, Unpack};

/// Writers of the model.
pub(super) const WRITERS: usize = 2;
/// Transactions of all writers.
const MEMBERS: usize = 6;
/// Words of a packed state.
pub(super) const WORDS: usize = 7;

/// A promise that was broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Violation {
    /// A transaction was acknowledged and is not in the history.
    Lost,
    /// A caller was told "never" and its transaction is in the history.
    Phantom,
    /// A transaction was applied twice.
    Doubled,
    /// A conflict was told and the document had not changed since the call.
    FalseConflict,
    /// Entries of the history are not found through the head.
    Unreachable,
    /// A writer went on from a head that does not descend from its state.
    Diverged,
}

/// A few heads, sorted, without doubles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Few<const N: usize>([HeadAt; N]);

impl<const N: usize> Few<N> {
    pub(super) const EMPTY: Self = Self([NONE; N]);

    /// False if there is no room.
    pub(super) fn insert(&mut self, head: HeadAt) -> bool {
        if self.contains(head) {
            return true;
        }
        if self.0[N - 1] != NONE {
            return false;
        }
        self.0[N - 1] = head;
        self.0.sort_unstable();
        true
    }

    pub(super) fn contains(&self, head: HeadAt) -> bool {
        self.0.contains(&head)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(HeadAt) -> bool) {
        for head in &mut self.0 {
            if *head != NONE && !keep(*head) {
                *head = NONE;
            }
        }
        self.0.sort_unstable();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = HeadAt> + use<N> {
        self.0.into_iter().take_while(|head| *head != NONE)
    }

    fn code(&mut self, codec: &mut impl Codec) {
        self.0.iter_mut().for_each(|head| codec.field(head, HEAD_BITS));
    }
}

/// What a writer knows and does. Transactions are sets of bits, of all writers
/// one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Writer {
    /// The head that its state is at.
    pub(super) base: HeadAt,
    /// The commit that it has sent and not settled: the head it would make.
    pub(super) sent: HeadAt,
    /// A checkpoint that waits for its commit: of the state at this head.
    pub(super) checkpoint: HeadAt,
    /// The head whose segment it keeps for its next commit (a planted bug).
    pub(super) kept: HeadAt,
    /// Commits whose callers were told that the outcome is unknown.
    pub(super) unknown: Few<3>,
    /// Transactions that wait, or ride in what is sent.
    pub(super) open: u16,
    /// Of these, the ones that failed against the base of what is sent.
    pub(super) failed: u16,
    /// Calls that have not begun.
    pub(super) idle: u16,
    pub(super) crashes: u16,
    pub(super) fences: u16,
    pub(super) checkpoints: u16,
    pub(super) bodies: u16,
}

/// One state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct World {
    /// The head that the store holds.
    pub(super) now: HeadAt,
    /// An operator has put an older head back.
    pub(super) rewound: u16,
    /// Transactions whose callers were told "never", and do not try again.
    pub(super) never: u16,
    /// Requests that may still be applied: each may arrive at any time, any
    /// number of times, or never.
    pub(super) alive: Few<6>,
    /// The version that each call expects.
    pub(super) expects: [HeadAt; MEMBERS],
    pub(super) writers: [Writer; WRITERS],
}

impl World {
    pub(super) fn start(setup: &Setup) -> Self {
        let writer = |writer| {
            let all = setup.of_writer(writer);
            Writer {
                base: 0,
                sent: NONE,
                checkpoint: NONE,
                kept: NONE,
                unknown: Few::EMPTY,
                open: if setup.calls { 0 } else { all },
                failed: 0,
                idle: if setup.calls { all } else { 0 },
                crashes: setup.crashes,
                fences: setup.fences,
                checkpoints: setup.checkpoints,
                bodies: setup.bodies,
            }
        };
        Self {
            now: 0,
            rewound: 0,
            never: 0,
            alive: Few::EMPTY,
            expects: [NONE; MEMBERS],
            writers: [writer(0), writer(1)],
        }
    }

    /// The promise that the store's head breaks. What an operator took away
    /// was not lost by the protocol, and a request whose base he revived may
    /// land after all; only a commit of his own closes that.
    pub(super) fn violation(&self, chain: &Chain) -> Option<Violation> {
        if !chain.is_whole(self.now) {
            Some(Violation::Unreachable)
        } else if self.rewound != 0 {
            None
        } else if chain.doubled(self.now) {
            Some(Violation::Doubled)
        } else if chain.applied(self.now) & self.never != 0 {
            Some(Violation::Phantom)
        } else {
            None
        }
    }

    fn code(&mut self, codec: &mut impl Codec) {
        codec.field(&mut self.now, HEAD_BITS);
        codec.field(&mut self.rewound, 1);
        codec.field(&mut self.never, 6);
        self.alive.code(codec);
        self.expects.iter_mut().for_each(|head| codec.field(head, HEAD_BITS));
        for writer in &mut self.writers {
            for head in
                [&mut writer.base, &mut writer.sent, &mut writer.checkpoint, &mut writer.kept]
            {
                codec.field(head, HEAD_BITS);
            }
            writer.unknown.code(codec);
            for members in [&mut writer.open, &mut writer.failed, &mut writer.idle] {
                codec.field(members, 6);
            }
            for left in [&mut writer.crashes, &mut writer.fences, &mut writer.checkpoints] {
                codec.field(left, 2);
            }
            codec.field(&mut writer.bodies, 4);
        }
    }

    pub(super) fn pack(mut self) -> [u64; WORDS] {
        let mut pack = Pack::new();
        self.code(&mut pack);
        pack.words
    }

    pub(super) fn unpack(words: &[u64; WORDS], setup: &Setup) -> Self {
        let mut world = Self::start(setup);
        world.code(&mut Unpack::new(words));
        world
    }
}
