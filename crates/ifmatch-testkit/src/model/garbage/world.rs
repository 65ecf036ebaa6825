//! One state of the model.

use super::rules::Time;
use crate::model::bits::{Codec, Pack, Unpack};

/// Writers of the model.
pub(super) const WRITERS: usize = 2;
/// Collectors, at most.
pub(super) const COLLECTORS: usize = 2;
/// Names of objects.
pub(super) const OBJECTS: usize = 6;
/// Words of a packed state.
pub(super) const WORDS: usize = 3;

/// Objects, one bit each.
pub(super) type Set = u16;

/// A promise that was broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Violation {
    /// The head names an object that is gone.
    Lost,
    /// A reader of an older head, within the retention, met an object that is
    /// gone.
    Missing,
}

/// A writer: it uploads an object, then commits a head that names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Writer {
    /// Its uploaded object, counted from 1; zero: none.
    pub(super) object: u16,
    /// Whether its base is still the head.
    pub(super) current: u16,
    /// Commits that it still makes.
    pub(super) left: u16,
}

/// A collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Collector {
    /// What it wants to list.
    pub(super) list: Set,
    /// Whether the head that it looked at is still the head.
    pub(super) current: u16,
    /// What it may delete.
    pub(super) delete: Set,
}

/// One state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct World {
    pub(super) time: Time,
    /// How many names were used.
    pub(super) names: u16,
    /// What the store holds, and since when.
    pub(super) exists: Set,
    pub(super) created: [Time; OBJECTS],
    /// The head: its time, what it names, what it lists as dropped, since when,
    /// and whether an earlier head named that.
    pub(super) head: Time,
    pub(super) named: Set,
    pub(super) listed: Set,
    pub(super) dropped: [Time; OBJECTS],
    pub(super) was_named: Set,
    pub(super) writers: [Writer; WRITERS],
    pub(super) collectors: [Collector; COLLECTORS],
    /// What a reader's head names, and when it was read.
    pub(super) pinned: Set,
    pub(super) pinned_at: Time,
}

impl World {
    pub(super) fn start(commits: [u16; WRITERS]) -> Self {
        let writer = |left| Writer { object: 0, current: 0, left };
        Self {
            time: 0,
            names: 0,
            exists: 0,
            created: [0; OBJECTS],
            head: 0,
            named: 0,
            listed: 0,
            dropped: [0; OBJECTS],
            was_named: 0,
            writers: commits.map(writer),
            collectors: [Collector { list: 0, current: 0, delete: 0 }; COLLECTORS],
            pinned: 0,
            pinned_at: 0,
        }
    }

    /// The store takes another head: everybody's base is old.
    pub(super) fn commit(&mut self) {
        self.head = self.time;
        self.writers.iter_mut().for_each(|writer| writer.current = 0);
        self.collectors.iter_mut().for_each(|collector| collector.current = 0);
    }

    fn code(&mut self, codec: &mut impl Codec) {
        for narrow in [&mut self.time, &mut self.names, &mut self.head, &mut self.pinned_at] {
            codec.field(narrow, 3);
        }
        for set in [
            &mut self.exists,
            &mut self.named,
            &mut self.listed,
            &mut self.was_named,
            &mut self.pinned,
        ] {
            codec.field(set, 6);
        }
        self.created.iter_mut().for_each(|time| codec.field(time, 3));
        self.dropped.iter_mut().for_each(|time| codec.field(time, 3));
        for writer in &mut self.writers {
            codec.field(&mut writer.object, 3);
            codec.field(&mut writer.current, 1);
            codec.field(&mut writer.left, 2);
        }
        for collector in &mut self.collectors {
            codec.field(&mut collector.list, 6);
            codec.field(&mut collector.current, 1);
            codec.field(&mut collector.delete, 6);
        }
    }

    pub(super) fn pack(mut self) -> [u64; WORDS] {
        let mut pack = Pack::new();
        self.code(&mut pack);
        pack.words
    }

    pub(super) fn unpack(words: &[u64; WORDS]) -> Self {
        let mut world = Self::start([0; WRITERS]);
        world.code(&mut Unpack::new(words));
        world
    }
}
