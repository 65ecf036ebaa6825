//! A client commits, and learns what became of it.

use super::rules::{self, Time};
use super::world::{BODIES, Client, Commit, Phase, Violation, World, count};
use super::{Bug, Out, SlotModel, Step};

impl SlotModel {
    pub(super) fn commits(&self, world: &World, who: usize, out: &mut Out) {
        let client = world.clients[who];
        let slot = client.base + 1;
        match client.phase {
            Phase::Idle if client.made < self.setup.bodies[who] => {
                let mut after = *world;
                let body = who * BODIES + usize::from(client.made);
                let commit = count(body + 1);
                after.requests[body] = slot;
                let state = &mut after.clients[who];
                (state.phase, state.sent) = (Phase::Sent, commit);
                state.made += 1;
                out.put(Step::Sends(who, commit, slot), Ok(after));
            }
            Phase::Sent => {
                let found = world.slot(slot);
                if found != 0 && self.has(Bug::TakenIsNever) {
                    out.put(Step::Taken(who, slot), Ok(never(world, who)));
                }
                out.put(Step::Reads(who, slot, found), self.saw(world, who, found, false));
            }
            Phase::Seen => {
                let after = if rules::counts(slot, world.floor) {
                    decides(world, who, client.found, client.when, client.own == 1)
                } else if self.has(Bug::BelowIsNever) {
                    Ok(never(world, who))
                } else {
                    Ok(lost(world, who))
                };
                out.put(Step::Floor(who, world.floor), after);
            }
            _ => {}
        }
    }

    /// The client has seen what its commit's slot holds now, `created` by its
    /// request just then.
    pub(super) fn saw(
        &self,
        world: &World,
        who: usize,
        found: Commit,
        created: bool,
    ) -> Result<World, Violation> {
        let mut after = *world;
        let client = &mut after.clients[who];
        let own = found == client.sent && self.has(Bug::SuccessUnchecked);
        if found == 0 && self.has(Bug::AbsentIsNever) {
            return Ok(never(world, who));
        }
        if own || self.is_exempt(client.absent, world.time) {
            return decides(world, who, found, world.time, created);
        }
        (client.phase, client.found, client.when) = (Phase::Seen, found, world.time);
        client.own = u16::from(created);
        Ok(after)
    }
}

/// The newest state, found at a slot, tells about the commit that waits.
pub(super) fn told(world: &World, who: usize, newest: Client) -> Result<World, Violation> {
    let slot = world.clients[who].base + 1;
    let mut after = *world;
    if newest.at < slot {
        // Its base is still the newest: not applied, but it may be.
        after.clients[who] = rest(Client { phase: Phase::Sent, ..world.clients[who] });
        after.clients[who].absent = newest.when;
        return Ok(after);
    }
    let record = if newest.at == slot { newest.found } else { world.truth(slot) };
    if record == world.clients[who].sent {
        acknowledged(world, who)?;
    } else {
        after = never(world, who);
    }
    let client = &mut after.clients[who];
    (client.base, client.absent, client.sent) = (newest.at, newest.when, 0);
    client.phase = Phase::Idle;
    *client = rest(*client);
    Ok(after)
}

/// What the slot holds decides. When that is nothing, the request is still
/// under way: sent again.
fn decides(
    world: &World,
    who: usize,
    found: Commit,
    when: Time,
    created: bool,
) -> Result<World, Violation> {
    let mut after = *world;
    let client = &mut after.clients[who];
    if found == 0 {
        *client = rest(Client { phase: Phase::Sent, absent: when, ..*client });
    } else if found == client.sent {
        acknowledged(world, who)?;
        // The slot after it was absent when its own was created, and before.
        let absent = if created { when } else { client.absent };
        let base = client.base + 1;
        *client = rest(Client { phase: Phase::Idle, base, absent, sent: 0, ..*client });
    } else {
        return Ok(never(world, who));
    }
    Ok(after)
}

fn acknowledged(world: &World, who: usize) -> Result<(), Violation> {
    let Client { base, sent, .. } = world.clients[who];
    if world.truth(base + 1) == sent { Ok(()) } else { Err(Violation::Lost) }
}

/// The caller is told "never"; the client needs the newest state.
fn never(world: &World, who: usize) -> World {
    let mut after = *world;
    let client = &mut after.clients[who];
    after.never |= 1 << (client.sent - 1);
    client.sent = 0;
    lost(&after, who)
}

fn lost(world: &World, who: usize) -> World {
    let mut after = *world;
    let client = world.clients[who];
    after.clients[who] = rest(Client { phase: Phase::Lost, ..client });
    after.clients[who].began = world.newest();
    after
}

/// Forgets what only a search needs to know.
pub(super) fn rest(client: Client) -> Client {
    Client { at: 0, found: 0, when: 0, own: 0, began: 0, ..client }
}
