//! Collectors: list in a commit, delete, strike off in a later commit.

use super::rules;
use super::world::{Collector, OBJECTS, Set, World};
use super::{Bug, GarbageModel, Out, Step};

const IDLE: Collector = Collector { list: 0, current: 0, delete: 0 };

impl GarbageModel {
    pub(super) fn collects(&self, world: &World, who: usize, out: &mut Out) {
        let Collector { list, current, delete } = world.collectors[who];
        if delete != 0 {
            return deletes(world, who, out);
        }
        if list == 0 {
            self.looks(world, who, out);
            self.plans(world, who, out);
            return strikes(world, who, out);
        }
        let mut after = *world;
        if current == 1 {
            lists(&mut after, who);
            out.put(Step::Lists(who, list), after);
        } else if self.has(Bug::CarriesList) {
            after.collectors[who].current = 1;
            out.put(Step::Rebases(who, list), after);
        } else {
            // The head moved: all is looked at again.
            after.collectors[who] = IDLE;
            out.put(Step::Gives(who), after);
        }
        if self.has(Bug::UnknownIsListing) {
            let mut after = *world;
            after.collectors[who] = Collector { delete: list, ..IDLE };
            out.put(Step::HearsNothing(who), after);
        }
    }

    /// Reads the head and lists the store.
    fn looks(&self, world: &World, who: usize, out: &mut Out) {
        let list = world.exists & !world.named & !world.listed;
        let date = if self.setup.by_date { world.time } else { world.head };
        let list = only(list, |object| {
            self.has(Bug::LocalClock) || rules::may_list(world.created[object], date)
        });
        if list == 0 {
            return;
        }
        let mut after = *world;
        after.collectors[who] = if self.has(Bug::OnePhase) {
            Collector { delete: list, ..IDLE }
        } else {
            Collector { list, current: 1, ..IDLE }
        };
        out.put(Step::Looks(who, list), after);
    }

    /// Reads the head, and decides what of its list may be deleted now.
    fn plans(&self, world: &World, who: usize, out: &mut Out) {
        let delete = only(world.listed & world.exists, |object| {
            let was_named = world.was_named >> object & 1 == 1;
            let since = match self.bug {
                Some(Bug::LocalClock) => return true,
                Some(Bug::RetentionByAge) => world.created[object],
                _ => world.dropped[object],
            };
            rules::may_delete(since, was_named, world.time)
        });
        if delete != 0 {
            let mut after = *world;
            after.collectors[who] = Collector { delete, ..IDLE };
            out.put(Step::Plans(who, delete), after);
        }
    }
}

/// The head lists what the collector found.
fn lists(after: &mut World, who: usize) {
    let list = after.collectors[who].list;
    after.collectors[who] = IDLE;
    after.listed |= list;
    for object in (0..OBJECTS).filter(|object| list >> object & 1 == 1) {
        after.dropped[object] = after.time;
    }
    after.commit();
}

/// One object after the other; the collector may stop anywhere.
fn deletes(world: &World, who: usize, out: &mut Out) {
    let delete = world.collectors[who].delete;
    for object in (0..OBJECTS).filter(|object| delete >> object & 1 == 1) {
        let mut after = *world;
        after.exists &= !(1 << object);
        after.collectors[who].delete &= !(1 << object);
        out.put(Step::Deletes(who, 1 << object), after);
    }
    let mut after = *world;
    after.collectors[who] = IDLE;
    out.put(Step::Gives(who), after);
}

/// A commit without the entries whose objects are gone. The head that it is
/// made on is the one that the store holds, or it fails and nothing happens.
fn strikes(world: &World, who: usize, out: &mut Out) {
    let gone = world.listed & !world.exists;
    if gone != 0 {
        let mut after = *world;
        after.listed &= !gone;
        after.was_named &= !gone;
        for object in (0..OBJECTS).filter(|object| gone >> object & 1 == 1) {
            after.dropped[object] = 0;
        }
        after.commit();
        out.put(Step::Strikes(who, gone), after);
    }
}

fn only(set: Set, keep: impl Fn(usize) -> bool) -> Set {
    (0..OBJECTS)
        .filter(|object| set >> object & 1 == 1 && keep(*object))
        .fold(0, |set, object| set | 1 << object)
}
