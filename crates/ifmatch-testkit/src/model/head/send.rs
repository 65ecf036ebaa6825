//! What a writer sends, and what it answers without sending.

use super::chain::{Body, HeadAt, NONE};
use super::setup::UNBOUNDED;
use super::step::What;
use super::world::{Violation, World, Writer};
use super::{Bug, HeadModel, Out, layout};

impl HeadModel {
    /// A call begins: with the version that the document has now, whoever told
    /// the caller.
    pub(super) fn calls(&self, world: &World, writer: usize, out: &mut Out) {
        for member in bits(world.writers[writer].idle) {
            let mut after = *world;
            after.writers[writer].idle &= !(1 << member);
            after.writers[writer].open |= 1 << member;
            after.expects[member] = self.chain.document(world.now);
            out.put(self, writer, What::Begins(1 << member), after);
        }
    }

    /// Everything that a writer with nothing under way may send.
    pub(super) fn sends(&mut self, world: &World, writer: usize, out: &mut Out) {
        let open = world.writers[writer].open;
        // Every batch of what waits.
        let mut batch = open;
        while batch != 0 {
            self.commit(world, writer, batch, out);
            batch = (batch - 1) & open;
        }
        self.refuse(world, writer, out);
        self.fence(world, writer, out);
        self.checkpoint(world, writer, out);
    }

    fn commit(&mut self, world: &World, writer: usize, batch: u16, out: &mut Out) {
        let state = world.writers[writer];
        let (valid, failed) = self.validate(world, state.base, batch);
        if valid == 0 {
            return;
        }
        let mut after = *world;
        let body = Body { kept: state.kept, ..Body::of(writer, valid) };
        let Some(head) = self.send(&mut after, writer, body) else { return };
        after.writers[writer].failed = failed;
        let what = What::Sends { head, base: state.base, members: valid };
        if self.has(Bug::AcknowledgesEarly) {
            let after = self.committed(&after, writer, head, state.base);
            return out.tell(self, writer, what, after);
        }
        out.put(self, writer, what, after);
    }

    /// Each of a batch against the base plus the earlier ones: those that go,
    /// and those that fail.
    fn validate(&self, world: &World, base: HeadAt, batch: u16) -> (u16, u16) {
        if !self.setup.calls {
            return (batch, 0);
        }
        let fits = |member: &usize| world.expects[*member] == self.chain.document(base);
        // The first to go changes the document under the others.
        let valid = bits(batch).find(fits).map_or(0, |member| 1 << member);
        (valid, batch & !valid)
    }

    /// All that waits fails, so there is nothing to PUT: a conditional read
    /// that shows the base to be current lets the conflict be told.
    fn refuse(&self, world: &World, writer: usize, out: &mut Out) {
        let state = world.writers[writer];
        let current = state.base == world.now || self.has(Bug::ConflictFromCache);
        if !self.setup.calls || state.open == 0 || !current {
            return;
        }
        let (valid, failed) = self.validate(world, state.base, state.open);
        if valid == 0 {
            let after = self.refused(world, writer, failed);
            out.tell(self, writer, What::Refuses(failed), after);
        }
    }

    /// Conflicts are told. One is true if the document has changed at some
    /// moment inside the call.
    pub(super) fn refused(
        &self,
        world: &World,
        writer: usize,
        failed: u16,
    ) -> Result<World, Violation> {
        let mut after = *world;
        after.writers[writer].open &= !failed;
        for member in bits(failed) {
            if world.rewound == 0 && world.expects[member] == self.chain.document(world.now) {
                return Err(Violation::FalseConflict);
            }
            after.expects[member] = NONE;
        }
        Ok(after)
    }

    /// An empty commit on the base that a question waits for.
    fn fence(&mut self, world: &World, writer: usize, out: &mut Out) {
        let state = world.writers[writer];
        let asked = state.unknown.iter().find(|about| self.chain.base(*about) == state.base);
        let (Some(about), true) = (asked, state.fences > 0) else { return };
        let mut after = *world;
        let Some(head) = self.send(&mut after, writer, Body::of(writer, 0)) else { return };
        after.writers[writer].fences -= 1;
        let what = What::Fences { head, base: state.base };
        if self.has(Bug::FenceUnproven) {
            let after = self.never_told(&after, writer, about, false);
            return out.tell(self, writer, what, after);
        }
        out.put(self, writer, what, after);
    }

    /// A checkpoint of the writer's state is stored, and committed later, as a
    /// commit of its own.
    fn checkpoint(&mut self, world: &World, writer: usize, out: &mut Out) {
        let state = world.writers[writer];
        let newest = self.chain.checkpoint(state.base);
        let mut after = *world;
        if state.checkpoint == NONE {
            let newer = layout::may_replace(self.chain.seq(state.base), newest);
            if state.checkpoints > 0 && newer {
                after.writers[writer].checkpoint = state.base;
                after.writers[writer].checkpoints -= 1;
                out.put(self, writer, What::Stores(state.base), after);
            }
            return;
        }
        let newer = layout::may_replace(self.chain.seq(state.checkpoint), newest);
        if newer || self.has(Bug::CarriesCheckpoint) {
            let body = Body { checkpoint: state.checkpoint, ..Body::of(writer, 0) };
            let Some(head) = self.send(&mut after, writer, body) else { return };
            out.put(self, writer, What::Checkpoints { head, base: state.base }, after);
        } else {
            after.writers[writer].checkpoint = NONE;
            out.put(self, writer, What::DropsCheckpoint(state.checkpoint), after);
        }
    }

    /// Sends a body that was never sent before.
    fn send(&mut self, world: &mut World, writer: usize, body: Body) -> Option<HeadAt> {
        let known = |head| {
            world.alive.contains(head)
                || world
                    .writers
                    .iter()
                    .any(|other| other.sent == head || other.unknown.contains(head))
        };
        let Writer { base, bodies, .. } = world.writers[writer];
        if bodies == 0 {
            return None;
        }
        let mut fresh = (0..=u8::MAX).map(|nth| self.chain.on(base, Body { nth, ..body }));
        let head = fresh.find(|head| head.is_none_or(|head| !known(head))).flatten();
        let Some(head) = head.filter(|head| self.request(world, *head)) else {
            self.overflowed = true;
            return None;
        };
        world.writers[writer].sent = head;
        if bodies != UNBOUNDED {
            world.writers[writer].bodies -= 1;
        }
        Some(head)
    }

    /// The request is under way; false if the state cannot hold it.
    pub(super) fn request(&self, world: &mut World, head: HeadAt) -> bool {
        let revivable = self.setup.rewind && world.rewound == 0;
        let dead = self.chain.base(head) != world.now && !revivable;
        dead || world.alive.insert(head)
    }
}

/// The numbers of the bits that are set.
pub(super) fn bits(set: u16) -> impl Iterator<Item = usize> {
    (0..16).filter(move |bit| set >> bit & 1 == 1)
}
