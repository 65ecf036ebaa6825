//! The head register in the small.
//!
//! Two writers commit batches of transactions on one head by compare-and-swap.
//! Requests are lost, late and repeated; answers do not come; callers give up
//! and ask later; processes end and start again; an operator puts an older head
//! back. The writers decide by the shipped rules
//! ([`ifmatch_journal::outcome_of`], [`ifmatch_journal::descent`]) on shipped
//! heads, with short rings and empty tails, so that forgetting is met early; a
//! [`Bug`] leaves one rule out and shows that the search would notice.
//!
//! Transactions change one document. They carry no condition (so that one
//! applied twice is seen as such) unless the setup says
//! [`calls`](Setup::calls).

mod bug;
mod chain;
mod judge;
mod layout;
mod send;
mod settle;
mod setup;
mod step;
mod world;

pub use bug::Bug;
pub use setup::Setup;
pub use step::Step;
pub use world::Violation;

use chain::{Chain, HeadAt, NONE};
use judge::Judge;
use step::What;
use world::{WORDS, WRITERS, World};

use super::search::{Found, Model, Next, search};

/// The model: what [`search`] visits.
#[derive(Debug)]
pub struct HeadModel {
    setup: Setup,
    bug: Option<Bug>,
    chain: Chain,
    judge: Judge,
    overflowed: bool,
}

impl HeadModel {
    /// With the shipped rules.
    pub fn shipped(setup: Setup) -> Self {
        Self::with(setup, None)
    }

    /// With a bug.
    pub fn planted(setup: Setup, bug: Bug) -> Self {
        Self::with(setup, Some(bug))
    }

    fn with(setup: Setup, bug: Option<Bug>) -> Self {
        let judge = Judge::new(bug, setup.rings[0].max(setup.rings[1]));
        Self { setup, bug, chain: Chain::new(setup), judge, overflowed: false }
    }

    /// Searches to the end, or until `limit` states.
    pub fn search(mut self, limit: usize) -> Found<Violation> {
        search(&mut self, limit)
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The heads that a read may answer with.
    fn readable(&self, world: &World) -> impl Iterator<Item = HeadAt> + use<> {
        let most = if self.setup.stale { usize::MAX } else { 1 };
        let mut heads = Vec::new();
        let mut head = world.now;
        while head != NONE && heads.len() < most {
            heads.push(head);
            head = self.chain.base(head);
        }
        heads.into_iter()
    }

    /// The store holds another head: requests on other bases are dead, unless
    /// an operator may still revive one.
    fn moves(&self, world: &mut World, now: HeadAt) {
        world.now = now;
        if !self.setup.rewind || world.rewound != 0 {
            world.alive.retain(|head| self.chain.base(head) == now);
        }
    }

    /// Each request arrives: now, late, or again. It is applied if its base is
    /// what the store holds; if not, nothing changes, and its answer is no
    /// verdict.
    fn deliveries(&self, world: &World, out: &mut Out) {
        for head in world.alive.iter().filter(|head| self.chain.base(*head) == world.now) {
            let mut after = *world;
            self.moves(&mut after, head);
            out.put(self, 0, What::Applied(head), after);
        }
    }

    fn rewinds(&self, world: &World, out: &mut Out) {
        if !self.setup.rewind || world.rewound != 0 {
            return;
        }
        let mut head = self.chain.base(world.now);
        while head != NONE {
            let mut after = *world;
            after.rewound = 1;
            self.moves(&mut after, head);
            out.put(self, 0, What::PutBack(head), after);
            head = self.chain.base(head);
        }
    }
}

impl Model for HeadModel {
    type State = [u64; WORDS];
    type Step = Step;
    type Violation = Violation;

    fn start(&mut self) -> Self::State {
        World::start(&self.setup).pack()
    }

    fn steps(&mut self, state: &Self::State, next: &mut Vec<Next<Self>>) {
        let world = World::unpack(state, &self.setup);
        let mut out = Out(next);
        self.deliveries(&world, &mut out);
        for writer in 0..WRITERS {
            self.calls(&world, writer, &mut out);
            if world.writers[writer].sent == NONE {
                self.sends(&world, writer, &mut out);
                self.looks(&world, writer, &mut out);
            } else {
                self.settles(&world, writer, &mut out);
            }
            self.resolves(&world, writer, &mut out);
            self.crashes(&world, writer, &mut out);
        }
        self.rewinds(&world, &mut out);
    }

    fn overflowed(&self) -> bool {
        self.overflowed
    }
}

/// Where steps go.
struct Out<'a>(&'a mut Vec<Next<HeadModel>>);

impl Out<'_> {
    /// A step to a state that may break a promise by itself.
    fn put(&mut self, model: &HeadModel, writer: usize, what: What, after: World) {
        let after = after.violation(&model.chain).map_or_else(|| Ok(after.pack()), Err);
        self.0.push((Step { writer, what }, after));
    }

    /// A step that tells something, which may be untrue.
    fn tell(
        &mut self,
        model: &HeadModel,
        writer: usize,
        what: What,
        after: Result<World, Violation>,
    ) {
        match after {
            Ok(after) => self.put(model, writer, what, after),
            Err(violation) => self.0.push((Step { writer, what }, Err(violation))),
        }
    }
}
