//! How a writer learns what became of its commits, and goes on.

use super::chain::{Body, HeadAt, NONE};
use super::judge::{Adoption, Told};
use super::send::bits;
use super::step::What;
use super::world::{Violation, World};
use super::{Bug, HeadModel, Out};

impl HeadModel {
    /// Everything that ends the wait for an answer.
    pub(super) fn settles(&mut self, world: &World, writer: usize, out: &mut Out) {
        let sent = world.writers[writer].sent;
        let base = self.chain.base(sent);
        if self.chain.descends(world.now, sent) {
            let after = self.committed(world, writer, sent, sent);
            out.tell(self, writer, What::Hears(sent), after);
        }
        if self.has(Bug::RejectionIsNever) && world.now != base {
            out.put(self, writer, What::HearsRefusal(sent), self.never(world, writer));
        }
        if self.has(Bug::SilenceIsNever) {
            out.put(self, writer, What::HearsNothing(sent), self.never(world, writer));
        }
        for read in self.readable(world) {
            let told = self.judge.outcome(&self.chain, sent, read);
            let after = match told {
                Told::Nothing => continue, // Sent again, or read again.
                Told::Committed => self.committed(world, writer, sent, base),
                Told::Never => Ok(self.never(world, writer)),
            };
            let after = after.and_then(|after| self.adopt(&after, writer, read));
            let committed = told == Told::Committed;
            out.tell(self, writer, What::Reads { head: read, about: sent, committed }, after);
        }
        self.give_up(world, writer, out);
    }

    /// All that ride in `sent` are told, and those that failed against its
    /// base: it was current when the commit was applied.
    pub(super) fn committed(
        &self,
        world: &World,
        writer: usize,
        sent: HeadAt,
        base: HeadAt,
    ) -> Result<World, Violation> {
        let mut after = self.acknowledged(world, writer, self.chain.members(sent))?;
        if after.writers[writer].failed != 0 {
            after = self.refused(&after, writer, after.writers[writer].failed)?;
        }
        let state = &mut after.writers[writer];
        if self.chain.carried(sent) == state.checkpoint {
            state.checkpoint = NONE;
        }
        (state.base, state.sent, state.failed, state.kept) = (base, NONE, 0, NONE);
        Ok(after)
    }

    fn acknowledged(&self, world: &World, writer: usize, members: u16) -> Result<World, Violation> {
        if world.rewound == 0 && members & !self.chain.applied(world.now) != 0 {
            return Err(Violation::Lost);
        }
        let mut after = *world;
        after.writers[writer].open &= !members;
        bits(members).for_each(|member| after.expects[member] = NONE);
        Ok(after)
    }

    /// The commit never will be: what rode in it waits for another one.
    fn never(&self, world: &World, writer: usize) -> World {
        let mut after = *world;
        let state = &mut after.writers[writer];
        if self.has(Bug::KeepsSegment) && self.chain.spills(state.sent) {
            state.kept = state.sent;
        }
        (state.sent, state.failed) = (NONE, 0);
        after
    }

    /// The deadline: callers are told that the outcome is unknown, and what
    /// they asked for rides in no other commit.
    fn give_up(&mut self, world: &World, writer: usize, out: &mut Out) {
        let sent = world.writers[writer].sent;
        let mut after = *world;
        let state = &mut after.writers[writer];
        (state.sent, state.failed, state.kept) = (NONE, 0, NONE);
        if self.chain.carried(sent) == state.checkpoint {
            state.checkpoint = NONE;
        }
        let members = self.chain.members(sent);
        if !self.has(Bug::RebatchesUnknown) {
            state.open &= !members;
        }
        if self.has(Bug::DeadlineIsNever) {
            after.never |= members;
        } else if members != 0 && !state.unknown.insert(sent) {
            self.overflowed = true;
            return;
        }
        out.put(self, writer, What::GivesUp(sent), after);
    }

    /// Somebody asks later what became of a commit.
    pub(super) fn resolves(&mut self, world: &World, writer: usize, out: &mut Out) {
        for about in world.writers[writer].unknown.iter() {
            for read in self.readable(world) {
                let told = self.judge.resolve(&self.chain, about, read);
                let what = |again| {
                    let committed = told == Told::Committed;
                    What::Resolves { head: read, about, committed, again }
                };
                match told {
                    Told::Nothing => {}
                    Told::Committed => {
                        let members = self.chain.members(about);
                        let after = self.acknowledged(world, writer, members).map(|mut after| {
                            after.writers[writer].unknown.retain(|other| other != about);
                            after
                        });
                        out.tell(self, writer, what(false), after);
                    }
                    Told::Never => {
                        for again in [false, true] {
                            let after = self.never_told(world, writer, about, again);
                            out.tell(self, writer, what(again), after);
                        }
                    }
                }
            }
        }
    }

    /// A caller is told "never": it goes away, or asks for the same again.
    pub(super) fn never_told(
        &self,
        world: &World,
        writer: usize,
        about: HeadAt,
        again: bool,
    ) -> Result<World, Violation> {
        if world.rewound == 0 && self.chain.descends(world.now, about) {
            return Err(Violation::Phantom);
        }
        let mut after = *world;
        let members = self.chain.members(about);
        after.writers[writer].unknown.retain(|other| other != about);
        if !again {
            after.never |= members;
            return Ok(after);
        }
        after.writers[writer].open |= members;
        if self.setup.calls {
            let document = self.chain.document(world.now);
            bits(members).for_each(|member| after.expects[member] = document);
        }
        Ok(after)
    }

    /// A reader looks for news.
    pub(super) fn looks(&mut self, world: &World, writer: usize, out: &mut Out) {
        let base = world.writers[writer].base;
        for read in self.readable(world).filter(|read| *read != base) {
            if self.judge.adopts(&self.chain, base, read) != Adoption::Refused {
                let after = self.adopt(world, writer, read);
                out.tell(self, writer, What::Looks(read), after);
            }
        }
    }

    /// The writer's state moves to the head it read, if that may be adopted.
    fn adopt(&mut self, world: &World, writer: usize, read: HeadAt) -> Result<World, Violation> {
        let mut after = *world;
        let state = &mut after.writers[writer];
        match self.judge.adopts(&self.chain, state.base, read) {
            Adoption::Refused => return Ok(after),
            Adoption::GoesOn if !self.chain.descends(read, state.base) => {
                return Err(Violation::Diverged);
            }
            Adoption::GoesOn => {}
            Adoption::Anew => state.checkpoint = NONE,
        }
        state.base = read;
        Ok(after)
    }

    /// The process ends and starts again. It knows the ids of its pending
    /// commits; a commit under way is one of them. Callers are gone.
    pub(super) fn crashes(&mut self, world: &World, writer: usize, out: &mut Out) {
        if world.writers[writer].crashes == 0 {
            return;
        }
        let mut after = *world;
        let state = &mut after.writers[writer];
        let sent = state.sent;
        state.crashes -= 1;
        (state.sent, state.failed, state.kept, state.checkpoint) = (NONE, 0, NONE, NONE);
        if sent != NONE && self.has(Bug::OneIdTwoBodies) {
            let body = Body { twin: sent, ..Body::of(writer, state.open) };
            let head = self.chain.on(state.base, body).filter(|_| state.open != 0);
            let Some(head) = head else { return };
            state.sent = head;
            if self.request(&mut after, head) {
                out.put(self, writer, What::RestartsWith(head), after);
            }
            return;
        }
        if sent != NONE && !self.has(Bug::ForgetsPending) {
            let members = self.chain.members(sent);
            state.open &= !members;
            if members != 0 && !state.unknown.insert(sent) {
                self.overflowed = true;
                return;
            }
        }
        if self.setup.calls {
            let gone = std::mem::take(&mut state.open);
            bits(gone).for_each(|member| after.expects[member] = NONE);
        }
        for read in self.readable(world) {
            let mut after = after;
            after.writers[writer].base = read;
            out.put(self, writer, What::Restarts(read), after);
        }
    }
}
