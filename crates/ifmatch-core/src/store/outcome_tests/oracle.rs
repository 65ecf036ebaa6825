//! What may be said, judged by what really happened.
//!
//! A verdict rests on what was seen alone. So the histories are grouped by what
//! was seen in them, with foreign names taken out: if our write was applied in
//! one history and never in another that looks the same, nothing but "outcome
//! unknown" is true in both; if all agree, "unknown" has no excuse.

use std::collections::HashMap;
use std::fmt;

use super::scripted::{Fate, Look, Seen};
use super::world::{MINE, World};
use crate::capabilities::Versions;
use crate::error::{Error, OutcomeUnknown, Result};
use crate::precondition::Precondition;
use crate::store::{BlobInfo, Resolved, Stored};
use crate::version::Version;
use crate::write_id::{Base, WriteId};

/// What the caller was told.
#[derive(Debug)]
pub(super) enum Told {
    Done(Version),
    Conflict,
    Unknown(Box<OutcomeUnknown>),
    /// Any other error: nothing was applied and nothing is under way.
    Failed,
}

pub(super) trait Made {
    fn version(self) -> Version;
}

impl Made for Stored {
    fn version(self) -> Version {
        self.version
    }
}

impl Made for () {
    fn version(self) -> Version {
        Version::default()
    }
}

impl Told {
    pub(super) fn of(result: Result<impl Made>) -> Self {
        match result {
            Ok(made) => Self::Done(made.version()),
            Err(Error::Conflict(_)) => Self::Conflict,
            Err(Error::OutcomeUnknown(unknown)) => Self::Unknown(unknown),
            Err(_) => Self::Failed,
        }
    }
}

/// What happened in one history.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    applied: bool,
    /// A request that may still arrive.
    under_way: bool,
    mine: Vec<Version>,
    delete_any: bool,
    /// Why a conflict may be false here, where the docs leave that open.
    open: Option<&'static str>,
}

impl Truth {
    pub(super) fn of(world: &World, condition: &Precondition) -> Self {
        Self {
            applied: world.applied(),
            under_way: !world.under_way.is_empty(),
            mine: world.mine.clone(),
            delete_any: world.mine.is_empty() && *condition == Precondition::Overwrite,
            open: left_open(world, condition),
        }
    }
}

/// Why a conflict may be false in this history, where the docs of `put` and
/// `delete` leave that open.
fn left_open(world: &World, condition: &Precondition) -> Option<&'static str> {
    let record = world.object.as_ref().map(|object| &object.record);
    let base = record.and_then(|record| record.base.as_ref());
    let overwritten = record.is_none_or(|record| record.id != MINE);
    match (condition, base) {
        (Precondition::IfAbsent, _) if world.stale => Some("a create that is read stale"),
        _ if world.doubled && world.deletes > 0 => Some("a delete delivered twice"),
        _ if world.doubled && world.stale => Some("delivered twice, then read stale"),
        _ if world.doubled && overwritten => Some("delivered twice and overwritten"),
        (Precondition::IfAbsent, Some(Base::Absent)) if overwritten => {
            Some("created, deleted and created anew")
        }
        (Precondition::IfMatch(expected), Some(Base::Version(base)))
            if world.versions == Versions::ByContent && base.is_same_write(expected) =>
        {
            Some("restored, then replaced by a late reader")
        }
        _ => None,
    }
}

/// One thing seen, foreign names replaced by the order in which they came.
type Glimpse = (u8, [u8; 4]);

#[derive(Default)]
struct Names {
    etags: Vec<String>,
    writes: Vec<WriteId>,
}

impl Names {
    fn etag(&mut self, version: &Version) -> u8 {
        let etag = version.etag().unwrap_or_default();
        position(&mut self.etags, |known| known == etag, || etag.to_owned())
    }

    fn write(&mut self, write: Option<WriteId>) -> u8 {
        match write {
            None => 200,
            Some(MINE) => 201,
            Some(write) => position(&mut self.writes, |known| *known == write, || write),
        }
    }

    fn info(&mut self, info: &BlobInfo) -> [u8; 4] {
        let record = info.write.as_ref();
        let (base, by) = match record.and_then(|record| record.base.as_ref()) {
            None => (202, 0),
            Some(Base::Absent) => (203, 0),
            Some(Base::Any) => (204, 0),
            Some(Base::Version(base)) => (self.etag(base), self.write(base.written_by())),
        };
        [self.etag(&info.version), self.write(record.map(|record| record.id)), base, by]
    }

    fn glimpse(&mut self, seen: &Seen) -> Glimpse {
        match seen {
            Seen::Applied => (0, [0; 4]),
            Seen::Rejected => (1, [0; 4]),
            Seen::Lost => (2, [0; 4]),
            Seen::Refused(Fate::Denied) => (3, [0; 4]),
            Seen::Refused(_) => (4, [0; 4]),
            Seen::NoLook(Look::Denied) => (5, [0; 4]),
            Seen::NoLook(_) => (6, [0; 4]),
            Seen::Object(None) => (7, [0; 4]),
            Seen::Object(Some(info)) => (8, self.info(info)),
        }
    }
}

fn position<T>(known: &mut Vec<T>, is: impl Fn(&T) -> bool, make: impl Fn() -> T) -> u8 {
    let at = known.iter().position(is).unwrap_or_else(|| {
        known.push(make());
        known.len() - 1
    });
    u8::try_from(at).unwrap()
}

/// Histories that look the same.
#[derive(Default, Debug)]
struct Alike {
    applied: bool,
    not_applied: bool,
    under_way: bool,
    /// Somebody was told "unknown", having seen this.
    unknown: Option<Vec<Seen>>,
}

/// What was told in all histories.
#[derive(Default)]
pub(super) struct Verdicts {
    histories: u64,
    done: u64,
    conflicts: u64,
    unknown: u64,
    failed: u64,
    resolved: u64,
    left_open: HashMap<&'static str, u64>,
    alike: HashMap<Vec<Glimpse>, Alike>,
    views: usize,
}

impl Verdicts {
    /// Adds a history; panics where the caller was told what is not true.
    ///
    /// `spare`: more could have happened in it, so that its opposite, if there
    /// is one, is among the histories too.
    pub(super) fn add(&mut self, seen: &[Seen], told: &Told, truth: &Truth, spare: bool) {
        self.histories += 1;
        let mut names = Names::default();
        let view: Vec<_> = seen.iter().map(|seen| names.glimpse(seen)).collect();
        let alike = self.alike.entry(view).or_default();
        alike.applied |= truth.applied;
        alike.not_applied |= !truth.applied;
        alike.under_way |= truth.under_way;
        match told {
            Told::Done(version) => {
                self.done += 1;
                let gone = matches!(seen.last(), Some(Seen::Object(None))) && truth.delete_any;
                assert!(truth.applied || gone, "told done, never applied: {seen:#?}");
                let ours = truth.mine.is_empty() || truth.mine.contains(version);
                assert!(ours, "told {version:?}, made {:?}: {seen:#?}", truth.mine);
            }
            Told::Conflict if !truth.applied => self.conflicts += 1,
            Told::Conflict => match truth.open {
                Some(open) => *self.left_open.entry(open).or_default() += 1,
                None => panic!("told a conflict, but it was applied: {truth:?} {seen:#?}"),
            },
            Told::Unknown(_) => {
                self.unknown += 1;
                if spare {
                    alike.unknown = Some(seen.to_vec());
                }
            }
            Told::Failed => {
                self.failed += 1;
                let nothing = !truth.applied && !truth.under_way;
                assert!(nothing, "told that nothing was applied: {truth:?} {seen:#?}");
            }
        }
    }

    /// Adds what was found out later about a put that ended unknown.
    ///
    /// `excused`: the read was stale, or what we created was deleted.
    pub(super) fn add_resolved(&mut self, resolved: &Resolved, truth: &Truth, excused: bool) {
        let open = truth.open.is_some();
        let holds = match resolved {
            Resolved::Applied(stored) => truth.mine.contains(&stored.version),
            Resolved::Never { .. } => !truth.applied || open,
            Resolved::Open => !truth.applied || excused || open,
            Resolved::Forgotten => true,
        };
        assert!(holds, "resolved as {resolved:?}, but {truth:?}");
        self.resolved += u64::from(*resolved != Resolved::Forgotten);
    }

    /// Panics where the caller was told "unknown" though what was seen leaves
    /// one answer only.
    pub(super) fn check(&self, setting: &str) {
        for alike in self.alike.values().filter(|alike| alike.unknown.is_some()) {
            let open = alike.not_applied && (alike.applied || alike.under_way);
            assert!(open, "{setting}: unknown without need: {alike:#?}");
        }
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.histories += other.histories;
        self.done += other.done;
        self.conflicts += other.conflicts;
        self.unknown += other.unknown;
        self.failed += other.failed;
        self.resolved += other.resolved;
        self.views += other.views + other.alike.len();
        for (open, count) in other.left_open {
            *self.left_open.entry(open).or_default() += count;
        }
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, done, conflicts, unknown, failed, resolved, .. } = self;
        let views = self.views + self.alike.len();
        write!(
            f,
            "{histories} histories, {views} views: {done} done, {conflicts} conflicts, \
             {unknown} unknown ({resolved} of them resolved later), {failed} failed, left open {:?}",
            self.left_open
        )
    }
}
