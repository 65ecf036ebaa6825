//! Every head that the model ever meets, made once.

use std::collections::HashMap;

use ifmatch_journal::{Entries, ForkId, Head, JournalId, Next, Nonce, WriterId};

use super::layout::{Layout, Segment};
use super::setup::Setup;

/// A head, by its place in the [`Chain`].
pub(super) type HeadAt = u16;

/// Bits of a [`HeadAt`] in a packed state.
pub(super) const HEAD_BITS: u32 = 14;

/// No head.
pub(super) const NONE: HeadAt = (1 << HEAD_BITS) - 1;

/// What makes a commit on a base this one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Body {
    pub(super) writer: u8,
    /// The transactions that ride in it, of all writers one bit each.
    pub(super) members: u16,
    /// Which of the bodies that are otherwise equal.
    pub(super) nth: u8,
    /// The checkpoint that it commits: of the state at this head.
    pub(super) checkpoint: HeadAt,
    /// The segment that it names instead of one of its own: this head's.
    pub(super) kept: HeadAt,
    /// The head whose commit id it carries instead of one of its own.
    pub(super) twin: HeadAt,
}

impl Body {
    pub(super) fn of(writer: usize, members: u16) -> Self {
        let writer = u8::try_from(writer).unwrap_or(u8::MAX);
        Self { writer, members, nth: 0, checkpoint: NONE, kept: NONE, twin: NONE }
    }
}

/// The heads, and how each came from its base.
#[derive(Debug)]
pub(super) struct Chain {
    heads: Vec<Made>,
    by_base: HashMap<(HeadAt, Body), HeadAt>,
    setup: Setup,
}

/// A head and what it stands for, computed when it is made.
#[derive(Debug)]
struct Made {
    head: Head,
    base: HeadAt,
    members: u16,
    /// The checkpoint that its commit brought.
    carried: HeadAt,
    /// Transactions applied on the way to it, and whether one was twice.
    applied: u16,
    doubled: bool,
    /// The last head that changed the document.
    document: HeadAt,
    layout: Layout,
    spilled: Option<Segment>,
    whole: bool,
}

fn id<T: std::str::FromStr>(bits: u128) -> T
where
    T::Err: std::fmt::Debug,
{
    #[allow(clippy::expect_used)] // 32 hex digits are an id.
    format!("{bits:032x}").parse().expect("32 hex digits")
}

fn next(number: u128) -> Next {
    // The ring keeps the first half of a nonce.
    let nonce: Nonce = id((number << 64) | number);
    #[allow(clippy::expect_used)] // 16 hex digits are a writer.
    let writer: WriterId = format!("{:016x}", 1).parse().expect("16 hex digits");
    Next { nonce, writer, entries: Entries::default(), base_time: None }
}

impl Chain {
    /// A chain with one head. Rings are cut as the setup says, and tails
    /// emptied, so that forgetting is met early.
    pub(super) fn new(setup: Setup) -> Self {
        let (journal, fork): (JournalId, ForkId) = (id(1), id(2));
        let mut head = Head::first("model", journal, fork, next(0));
        head.tail.clear();
        let first = Made {
            head,
            base: NONE,
            members: 0,
            carried: NONE,
            applied: 0,
            doubled: false,
            document: 0,
            layout: Layout::first(),
            spilled: None,
            whole: true,
        };
        Self { heads: vec![first], by_base: HashMap::new(), setup }
    }

    /// The head of `body` on `base`; `None` if there are too many.
    pub(super) fn on(&mut self, base: HeadAt, body: Body) -> Option<HeadAt> {
        if let Some(at) = self.by_base.get(&(base, body)) {
            return Some(*at);
        }
        let at = HeadAt::try_from(self.heads.len()).ok().filter(|at| *at < NONE)?;
        let number = if body.twin == NONE { at } else { body.twin };
        let under = self.made(base);
        let mut head = under.head.after(&[], next(u128::from(number)));
        head.tail.clear();
        let ring = self.setup.rings[usize::from(body.writer)];
        let surplus = head.ring.slots.len().saturating_sub(ring);
        head.ring.slots.drain(..surplus);
        head.ring.first += surplus as u64;
        let spilled = match body.kept {
            NONE if self.setup.tail == 0 => None,
            NONE => under.layout.spill(head.seq, self.setup.tail, at),
            kept => self.made(kept).spilled,
        };
        let checkpoint = Some(body.checkpoint).filter(|held| *held != NONE);
        let checkpoint = checkpoint.map(|held| (held, self.seq(held)));
        let made = Made {
            base,
            members: body.members,
            carried: body.checkpoint,
            applied: under.applied | body.members,
            doubled: under.doubled || under.applied & body.members != 0,
            document: if body.members == 0 { under.document } else { at },
            layout: under.layout.after(head.seq, spilled, checkpoint),
            spilled,
            whole: true,
            head,
        };
        self.heads.push(made);
        let whole = self.setup.tail == 0 || self.made(at).layout.is_whole(self, at);
        self.heads[usize::from(at)].whole = whole;
        self.by_base.insert((base, body), at);
        Some(at)
    }

    fn made(&self, at: HeadAt) -> &Made {
        &self.heads[usize::from(at)]
    }

    pub(super) fn head(&self, at: HeadAt) -> &Head {
        &self.made(at).head
    }

    pub(super) fn seq(&self, at: HeadAt) -> u64 {
        self.made(at).head.seq
    }

    /// The head that it was made on, or [`NONE`].
    pub(super) fn base(&self, at: HeadAt) -> HeadAt {
        self.made(at).base
    }

    pub(super) fn members(&self, at: HeadAt) -> u16 {
        self.made(at).members
    }

    pub(super) fn applied(&self, at: HeadAt) -> u16 {
        self.made(at).applied
    }

    pub(super) fn doubled(&self, at: HeadAt) -> bool {
        self.made(at).doubled
    }

    pub(super) fn document(&self, at: HeadAt) -> HeadAt {
        self.made(at).document
    }

    pub(super) fn is_whole(&self, at: HeadAt) -> bool {
        self.made(at).whole
    }

    /// The checkpoint that its commit brought: of this head, or [`NONE`].
    pub(super) fn carried(&self, at: HeadAt) -> HeadAt {
        self.made(at).carried
    }

    /// Whether its commit wrote a segment.
    pub(super) fn spills(&self, at: HeadAt) -> bool {
        self.made(at).spilled.is_some()
    }

    /// The number of the checkpoint that it names.
    pub(super) fn checkpoint(&self, at: HeadAt) -> Option<u64> {
        self.made(at).layout.checkpoint().map(|held| self.seq(held))
    }

    /// The head with that number on the way to `at`, or [`NONE`].
    pub(super) fn ancestor(&self, at: HeadAt, seq: u64) -> HeadAt {
        let mut now = at;
        while now != NONE && self.seq(now) != seq {
            now = self.base(now);
        }
        now
    }

    /// Whether `ancestor` is `at` or one of its bases: the truth that heads
    /// only witness.
    pub(super) fn descends(&self, at: HeadAt, ancestor: HeadAt) -> bool {
        self.ancestor(at, self.seq(ancestor)) == ancestor
    }
}
