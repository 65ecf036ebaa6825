//! Every head that the model ever meets, made once.

use std::collections::HashMap;

use ifmatch_journal::{ForkId, Head, JournalId, Next, Nonce, WriterId};

/// A head, by its place in the [`Chain`].
pub(super) type HeadAt = u16;

/// What a body carries: the transaction, and which attempt of it this is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Body {
    pub(super) transaction: u8,
    pub(super) attempt: u8,
}

/// The heads, and how each came from its base.
#[derive(Debug)]
pub(super) struct Chain {
    heads: Vec<Made>,
    by_base: HashMap<(HeadAt, Body), HeadAt>,
    ring: usize,
}

#[derive(Debug)]
struct Made {
    head: Head,
    base: Option<HeadAt>,
    body: Option<Body>,
}

fn id<T: std::str::FromStr>(bits: u128) -> T
where
    T::Err: std::fmt::Debug,
{
    #[allow(clippy::expect_used)] // 32 hex digits are an id.
    format!("{bits:032x}").parse().expect("32 hex digits")
}

impl Chain {
    /// A chain with one head. Rings are cut to `ring` commits, and tails
    /// emptied, so that forgetting is met early.
    pub(super) fn new(ring: usize) -> Self {
        let (journal, fork): (JournalId, ForkId) = (id(1), id(2));
        let mut head = Head::first("model", journal, fork, Self::next(0));
        head.tail.clear();
        let first = Made { head, base: None, body: None };
        Self { heads: vec![first], by_base: HashMap::new(), ring }
    }

    fn next(number: u128) -> Next {
        // The ring keeps the first half of a nonce.
        let nonce: Nonce = id((number << 64) | number);
        #[allow(clippy::expect_used)] // 16 hex digits are a writer.
        let writer: WriterId = format!("{:016x}", 1).parse().expect("16 hex digits");
        Next { nonce, writer, entries: Vec::new(), base_time: None }
    }

    pub(super) fn head(&self, at: HeadAt) -> &Head {
        &self.heads[usize::from(at)].head
    }

    /// The head of `body` on `base`.
    pub(super) fn on(&mut self, base: HeadAt, body: Body) -> HeadAt {
        if let Some(at) = self.by_base.get(&(base, body)) {
            return *at;
        }
        #[allow(clippy::expect_used)] // Bounded by the bounds of the search.
        let at = HeadAt::try_from(self.heads.len()).expect("a small model has few heads");
        let mut head = self.head(base).after(&[], Self::next(u128::from(at)));
        head.tail.clear();
        let surplus = head.ring.slots.len().saturating_sub(self.ring);
        head.ring.slots.drain(..surplus);
        head.ring.first += surplus as u64;
        self.heads.push(Made { head, base: Some(base), body: Some(body) });
        self.by_base.insert((base, body), at);
        at
    }

    pub(super) fn base(&self, at: HeadAt) -> Option<HeadAt> {
        self.heads[usize::from(at)].base
    }

    /// Whether `ancestor` is `at` or one of its bases: the truth that heads
    /// only witness.
    pub(super) fn descends(&self, at: HeadAt, ancestor: HeadAt) -> bool {
        let mut now = Some(at);
        while let Some(head) = now {
            if head == ancestor {
                return true;
            }
            now = self.base(head);
        }
        false
    }

    /// How often `transaction` was applied on the way to `at`.
    pub(super) fn times(&self, at: HeadAt, transaction: u8) -> usize {
        let (mut now, mut times) = (Some(at), 0);
        while let Some(head) = now {
            let made = &self.heads[usize::from(head)];
            times += usize::from(made.body.is_some_and(|body| body.transaction == transaction));
            now = made.base;
        }
        times
    }
}
