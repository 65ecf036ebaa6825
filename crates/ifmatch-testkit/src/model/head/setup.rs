//! How large the model of the head register is, and what can go wrong in it.

/// The bounds of a search, and the events that it allows beyond lost, late and
/// repeated requests, deadlines and later questions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    pub(super) members: u8,
    pub(super) rings: [usize; 2],
    pub(super) stale: bool,
    pub(super) rewind: bool,
    pub(super) crashes: u16,
    pub(super) fences: u16,
    pub(super) checkpoints: u16,
    pub(super) tail: usize,
    pub(super) calls: bool,
    pub(super) bodies: u16,
}

/// No bound on the bodies of a writer.
pub(super) const UNBOUNDED: u16 = 15;

impl Setup {
    /// Two writers with so many transactions each, at most three. A
    /// transaction rides in any batch with others of its writer.
    pub const fn of(members: u8) -> Self {
        Self {
            members: if members > 3 { 3 } else { members },
            rings: [2, 2],
            stale: false,
            rewind: false,
            crashes: 0,
            fences: 0,
            checkpoints: 0,
            tail: 0,
            calls: false,
            bodies: UNBOUNDED,
        }
    }

    /// How many commits the heads of either writer remember; two by default.
    pub const fn rings(mut self, first: usize, second: usize) -> Self {
        self.rings = [first, second];
        self
    }

    /// Every read may answer with any older head.
    pub const fn stale(mut self) -> Self {
        self.stale = true;
        self
    }

    /// An operator puts an older head back, once.
    pub const fn rewind(mut self) -> Self {
        self.rewind = true;
        self
    }

    /// Each writer's process may end and start again so often, at most three
    /// times. It remembers the ids of its pending commits and nothing else.
    pub const fn crashes(mut self, times: u16) -> Self {
        self.crashes = if times > 3 { 3 } else { times };
        self
    }

    /// Each writer may end a question by an empty commit so often, at most
    /// three times.
    pub const fn fences(mut self, times: u16) -> Self {
        self.fences = if times > 3 { 3 } else { times };
        self
    }

    /// Heads keep the entries of so many commits; more move to a segment. Each
    /// writer commits so many checkpoints, at most three.
    pub const fn layout(mut self, tail: usize, checkpoints: u16) -> Self {
        self.tail = tail;
        self.checkpoints = if checkpoints > 3 { 3 } else { checkpoints };
        self
    }

    /// Transactions are calls with a condition: each begins at some time with
    /// the document's version at that time, which it may have from another
    /// process, and is refused where the document has changed.
    pub const fn calls(mut self) -> Self {
        self.calls = true;
        self
    }

    /// Each writer sends at most so many bodies, at most fourteen. Without this
    /// only the transactions bound a search, which is enough unless an
    /// operator may revive every base.
    pub const fn bodies(mut self, most: u16) -> Self {
        self.bodies = if most < UNBOUNDED { most } else { UNBOUNDED - 1 };
        self
    }

    /// Every transaction of one writer.
    pub(super) fn of_writer(&self, writer: usize) -> u16 {
        let all = (1 << self.members) - 1;
        if writer == 0 { all } else { all << self.members }
    }
}
