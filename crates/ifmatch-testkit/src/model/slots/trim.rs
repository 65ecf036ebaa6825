//! Trimming: publish the floor, then delete.

use super::rules::{self, Slot};
use super::world::{Trimmer, World};
use super::{Bug, Out, SlotModel, Step};

const IDLE: Trimmer = Trimmer { seen: 0, to: 0, published: 0 };

impl SlotModel {
    pub(super) fn trims(&self, world: &World, who: usize, out: &mut Out) {
        let Trimmer { seen, to, published } = world.trimmers[who];
        if to == 0 {
            return plan(world, who, out);
        }
        if published == 0 {
            let mut after = *world;
            if rules::may_raise(seen, world.floor, to) || self.has(Bug::FloorUnconditional) {
                after.floor = to;
                after.trimmers[who].published = 1;
                out.put(Step::Publishes(who, to), Ok(after));
            } else {
                after.trimmers[who] = IDLE;
                out.put(Step::Refused(who), Ok(after));
            }
            if !self.has(Bug::DeletesFirst) {
                return;
            }
        }
        for slot in (1..=to).filter(|slot| world.slot(*slot) != 0) {
            let mut after = *world;
            after.slots[usize::from(slot) - 1] = 0;
            after.created[usize::from(slot) - 1] = 0;
            out.put(Step::Deletes(who, slot), Ok(after));
        }
        if published != 0 {
            let mut after = *world;
            after.trimmers[who] = IDLE;
            out.put(Step::Done(who), Ok(after));
        }
    }
}

/// Reads the floor, then lists; chooses any floor above that the rules allow.
fn plan(world: &World, who: usize, out: &mut Out) {
    let newest = world.listed();
    let old = |slot: &Slot| {
        let created = world.created[usize::from(*slot) - 1];
        world.slot(*slot) == 0 || rules::may_trim(*slot, newest, created, world.time)
    };
    for to in (1..newest).take_while(old).filter(|slot| *slot > world.floor) {
        let mut after = *world;
        after.trimmers[who] = Trimmer { seen: world.floor, to, published: 0 };
        out.put(Step::Plans(who, to), Ok(after));
    }
}
