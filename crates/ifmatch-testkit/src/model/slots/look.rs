//! A client looks for the newest slot.

use super::commit::{rest, told};
use super::rules::{self, Slot};
use super::world::{Client, Phase, Violation, World};
use super::{Bug, Out, SlotModel, Step};

impl SlotModel {
    pub(super) fn looks(&self, world: &World, who: usize, out: &mut Out) {
        let client = world.clients[who];
        let mut after = *world;
        let state = &mut after.clients[who];
        match client.phase {
            Phase::Idle => {
                // From its own state on.
                *state = Client { phase: Phase::Probes, at: client.base, own: 1, ..client };
                (state.found, state.began) = (world.truth(client.base), world.newest());
                out.put(Step::Looks(who), Ok(after));
            }
            Phase::Lost => {
                for hint in 1..=world.newest() {
                    self.hint(world, who, hint, out);
                }
                let newest = world.listed();
                *state = Client { phase: Phase::Listed, at: newest, ..client };
                out.put(Step::Lists(who, newest), Ok(after));
            }
            Phase::Listed => {
                let found = world.slot(client.at);
                let phase = if found == 0 { Phase::Lost } else { Phase::Probes };
                *state = Client { phase, found, ..client };
                out.put(Step::Reads(who, client.at, found), Ok(after));
            }
            Phase::Probes => {
                let (next, found) = (client.at + 1, world.slot(client.at + 1));
                let after = self.probed(world, who, next, found);
                out.put(Step::Reads(who, next, found), after);
            }
            Phase::Ends => {
                let after = if rules::counts(client.at, world.floor) {
                    reached(world, who)
                } else {
                    // What was read may be no part of the history.
                    let lost = Client { at: 0, found: 0, when: 0, own: 0, ..client };
                    *state = Client { phase: Phase::Lost, ..lost };
                    Ok(after)
                };
                out.put(Step::Floor(who, world.floor), after);
            }
            Phase::Sent | Phase::Seen => {}
        }
    }

    fn hint(&self, world: &World, who: usize, hint: Slot, out: &mut Out) {
        let content = Some(world.slot(hint)).filter(|commit| *commit != 0);
        let mut after = *world;
        let state = &mut after.clients[who];
        (state.phase, state.at) = (Phase::Probes, hint);
        if self.has(Bug::HintUnchecked) {
            state.found = world.truth(hint);
        } else if rules::may_start(content) {
            state.found = content.unwrap_or(0);
        } else {
            return; // By a list.
        }
        out.put(Step::Hint(who, hint), Ok(after));
    }

    /// The next slot was read.
    fn probed(
        &self,
        world: &World,
        who: usize,
        next: Slot,
        found: u16,
    ) -> Result<World, Violation> {
        let mut after = *world;
        let client = &mut after.clients[who];
        if found != 0 {
            (client.at, client.found) = (next, found);
            return Ok(after);
        }
        (client.phase, client.when) = (Phase::Ends, world.time);
        let own = client.own == 1;
        let exempt = own && self.is_exempt(client.absent, world.time);
        let unchanged = own && client.at == client.base && self.has(Bug::AbsentIsUnchanged);
        let hinted = !own && self.has(Bug::HintUnchecked);
        if exempt || unchanged || hinted {
            return reached(&after, who);
        }
        Ok(after)
    }
}

/// The newest slot was found.
fn reached(world: &World, who: usize) -> Result<World, Violation> {
    let client = world.clients[who];
    if world.truth(client.at) != client.found {
        return Err(Violation::Diverged);
    }
    if client.at < client.began.max(client.base) {
        return Err(Violation::Stale);
    }
    if client.sent != 0 {
        return told(world, who, client);
    }
    let (base, absent) = (client.at, client.when);
    let mut after = *world;
    after.clients[who] = rest(Client { phase: Phase::Idle, base, absent, ..client });
    Ok(after)
}
