//! Garbage collection in the small.
//!
//! Writers upload objects and commit heads that name them, beside what the head
//! names already or in its place; collectors list, delete and strike off what no
//! head names; a reader pins a head. Everybody may pause anywhere for any time.
//! A commit succeeds if its base is still the head; what becomes of lost answers
//! is the matter of [`head`](super::head). The rules are pure functions; a
//! [`Bug`] leaves one out.

mod bug;
mod collect;
mod rules;
mod world;

use std::fmt;

pub use bug::Bug;
pub use world::Violation;

use rules::Time;
use world::{COLLECTORS, OBJECTS, Set, WORDS, WRITERS, World};

use super::search::{Found, Model, Next, search};

/// The bounds of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    commits: [u16; WRITERS],
    ticks: Time,
    objects: u16,
    collectors: usize,
    reader: bool,
    by_date: bool,
}

impl Setup {
    /// Writers that make so many commits each, at most three.
    pub const fn of(first: u16, second: u16) -> Self {
        let first = if first > 3 { 3 } else { first };
        let second = if second > 3 { 3 } else { second };
        Self {
            commits: [first, second],
            ticks: 6,
            objects: 4,
            collectors: 1,
            reader: false,
            by_date: false,
        }
    }

    /// The store's clock moves on so often, at most seven times.
    pub const fn ticks(mut self, ticks: u16) -> Self {
        self.ticks = if ticks > 7 { 7 } else { ticks };
        self
    }

    /// Names of objects, at most six.
    pub const fn objects(mut self, objects: u16) -> Self {
        self.objects = if objects > 6 { 6 } else { objects };
        self
    }

    /// Two collect at once.
    pub const fn two_collectors(mut self) -> Self {
        self.collectors = 2;
        self
    }

    /// An object's age is counted by the date of the list's answer, not by the
    /// head's own time, which is earlier.
    pub const fn by_date(mut self) -> Self {
        self.by_date = true;
        self
    }

    /// Somebody reads a head, once, and the objects that it names for as long
    /// as the retention.
    pub const fn reader(mut self) -> Self {
        self.reader = true;
        self
    }
}

/// The model: what [`search`] visits.
#[derive(Debug)]
pub struct GarbageModel {
    setup: Setup,
    bug: Option<Bug>,
}

impl GarbageModel {
    /// With all rules.
    pub const fn shipped(setup: Setup) -> Self {
        Self { setup, bug: None }
    }

    /// With a bug.
    pub const fn planted(setup: Setup, bug: Bug) -> Self {
        Self { setup, bug: Some(bug) }
    }

    /// Searches to the end, or until `limit` states.
    pub fn search(mut self, limit: usize) -> Found<Violation> {
        search(&mut self, limit)
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn writes(&self, world: &World, who: usize, out: &mut Out) {
        let writer = world.writers[who];
        if writer.object == 0 {
            if writer.left > 0 {
                self.uploads(world, who, out);
            }
            return;
        }
        let at = usize::from(writer.object) - 1;
        if writer.current == 1 {
            // Beside what the head names, or in its place (a merge of segments,
            // a checkpoint): what it replaces is dropped by the same commit.
            for replaced in [0, world.named] {
                let mut after = *world;
                after.named = (world.named & !replaced) | 1 << at;
                after.listed |= replaced;
                after.was_named |= replaced;
                for object in (0..OBJECTS).filter(|object| replaced >> object & 1 == 1) {
                    after.dropped[object] = world.time;
                }
                after.writers[who].object = 0;
                after.writers[who].left -= 1;
                after.commit();
                out.put(Step::Commits(who, 1 << at, replaced), after);
                if world.named == 0 {
                    break;
                }
            }
            return;
        }
        // The head moved: rebase.
        let listed = world.listed >> at & 1 == 1;
        let kept = match self.bug {
            Some(Bug::KeepsObject) => true,
            Some(Bug::KeepsUnlessListed) => !listed,
            _ => rules::may_keep(world.created[at], listed, world.head),
        };
        if kept {
            let mut after = *world;
            after.writers[who].current = 1;
            out.put(Step::Keeps(who, 1 << at), after);
        } else {
            self.uploads(world, who, out);
        }
    }

    /// Reads the head and uploads an object under a new name.
    fn uploads(&self, world: &World, who: usize, out: &mut Out) {
        if world.names == self.setup.objects {
            return;
        }
        let mut after = *world;
        let at = usize::from(world.names);
        after.names += 1;
        after.exists |= 1 << at;
        after.created[at] = world.time;
        after.writers[who].object = after.names;
        after.writers[who].current = 1;
        out.put(Step::Uploads(who, 1 << at), after);
    }
}

impl Model for GarbageModel {
    type State = [u64; WORDS];
    type Step = Step;
    type Violation = Violation;

    fn start(&mut self) -> Self::State {
        World::start(self.setup.commits).pack()
    }

    fn steps(&mut self, state: &Self::State, next: &mut Vec<Next<Self>>) {
        let world = World::unpack(state);
        let mut out = Out(next);
        for writer in 0..WRITERS {
            self.writes(&world, writer, &mut out);
        }
        for collector in 0..self.setup.collectors.min(COLLECTORS) {
            self.collects(&world, collector, &mut out);
        }
        if self.setup.reader && world.pinned == 0 && world.named != 0 {
            let after = World { pinned: world.named, pinned_at: world.time, ..world };
            out.put(Step::Pins(world.named), after);
        }
        if world.time < self.setup.ticks {
            out.put(Step::Ticks, World { time: world.time + 1, ..world });
        }
    }

    fn overflowed(&self) -> bool {
        false
    }
}

/// Where steps go.
struct Out<'a>(&'a mut Vec<Next<GarbageModel>>);

impl Out<'_> {
    fn put(&mut self, step: Step, after: World) {
        let reads = after.time <= after.pinned_at + rules::RETENTION;
        let after = if after.named & !after.exists != 0 {
            Err(Violation::Lost)
        } else if reads && after.pinned & !after.exists != 0 {
            Err(Violation::Missing)
        } else {
            Ok(after.pack())
        };
        self.0.push((step, after));
    }
}

/// An event. Writers and collectors have numbers, objects are sets of bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// The store's clock moves on.
    Ticks,
    /// A writer uploads an object for the head that it read.
    Uploads(usize, Set),
    /// A writer commits a head that names its object, in the place of others.
    Commits(usize, Set, Set),
    /// A writer rebases, and keeps its object.
    Keeps(usize, Set),
    /// A collector reads the head and lists the store.
    Looks(usize, Set),
    /// A collector commits its list.
    Lists(usize, Set),
    /// A collector takes its list to a newer head.
    Rebases(usize, Set),
    /// A collector hears no answer, and goes on as if it had one.
    HearsNothing(usize),
    /// A collector reads the head, and decides what to delete.
    Plans(usize, Set),
    /// A collector deletes.
    Deletes(usize, Set),
    /// A collector commits a head without what is gone.
    Strikes(usize, Set),
    /// A collector stops.
    Gives(usize),
    /// A reader takes the head.
    Pins(Set),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticks => write!(f, "the store's clock moves on"),
            Self::Uploads(who, set) => write!(f, "writer {who} uploads {set:06b}"),
            Self::Commits(who, set, 0) => write!(f, "writer {who} commits {set:06b}"),
            Self::Commits(who, set, old) => {
                write!(f, "writer {who} commits {set:06b} in the place of {old:06b}")
            }
            Self::Keeps(who, set) => write!(f, "writer {who} rebases and keeps {set:06b}"),
            Self::Looks(who, set) => write!(f, "collector {who} finds {set:06b} unnamed"),
            Self::Lists(who, set) => write!(f, "collector {who} commits the list {set:06b}"),
            Self::Rebases(who, set) => write!(f, "collector {who} rebases its list {set:06b}"),
            Self::HearsNothing(who) => write!(f, "collector {who} hears no answer"),
            Self::Plans(who, set) => write!(f, "collector {who} may delete {set:06b}"),
            Self::Deletes(who, set) => write!(f, "collector {who} deletes {set:06b}"),
            Self::Strikes(who, set) => write!(f, "collector {who} strikes {set:06b} off"),
            Self::Gives(who) => write!(f, "collector {who} stops"),
            Self::Pins(set) => write!(f, "a reader takes the head that names {set:06b}"),
        }
    }
}
