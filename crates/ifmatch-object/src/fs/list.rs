//! Listings: a walk over the folders in byte order of the key.
//!
//! In its folder an object sorts as its segment and a folder as its segment and
//! a slash; that is the order of the whole keys. Nothing stays open between two
//! pages.

use std::sync::Arc;

use ifmatch_core::{BlobInfo, BlobKey, BlobPrefix, Error, Operation, Result, Timestamp};

use super::core::Core;
use super::error::FileError;
use super::files::Dir;
use super::layout::{self, Name};
use super::lock;
use super::object::{Found, Object};
use super::read;

/// Blobs in a page.
const PAGE: usize = 256;

/// A folder of files: its names from the root down.
type Path = Arc<[String]>;

/// What is still to be visited, the next one last.
#[derive(Debug)]
pub(super) struct Walk {
    prefix: BlobPrefix,
    after: Option<BlobKey>,
    pending: Vec<Entry>,
    foreign: u64,
}

#[derive(Debug)]
struct Entry {
    /// The key of an object; the key and a slash of a folder; empty at the root.
    key: String,
    /// The file folder that holds the object, or that is the folder.
    within: Path,
    /// The object's file.
    object: Option<String>,
}

impl Walk {
    pub(super) fn new(prefix: BlobPrefix, after: Option<BlobKey>) -> Self {
        let (key, within) = prefix.folder().map_or_else(Default::default, |folder| {
            (format!("{folder}/"), layout::folders_of(folder).into())
        });
        let mut walk = Self { prefix, after, pending: Vec::new(), foreign: 0 };
        walk.push(vec![Entry { key, within, object: None }]);
        walk
    }

    /// The next blobs, none at the end. A blob that does not verify is an
    /// error in its place; after any other error the walk is at its end.
    pub(super) fn page(&mut self, core: &Core, date: Timestamp) -> Vec<Result<BlobInfo>> {
        let mut page = Vec::new();
        let mut last = None;
        while page.len() < PAGE {
            let Some(entry) = self.pending.pop() else { break };
            let visited = match &entry.object {
                Some(file) => object(core, &entry, file, &mut last, date),
                None => self.enter(core, &entry).map(|()| None),
            };
            match visited {
                Ok(info) => page.extend(info.map(Ok)),
                Err(error) => {
                    if !matches!(error, Error::Corrupt { .. }) {
                        self.pending.clear();
                    }
                    page.push(Err(error));
                }
            }
        }
        page
    }

    /// How many names below the root are no object and no folder of keys.
    pub(super) fn count_foreign(mut self, core: &Core) -> Result<u64> {
        while let Some(entry) = self.pending.pop() {
            if entry.object.is_none() {
                match self.enter(core, &entry) {
                    // A link or a file in the place of a folder.
                    Err(Error::Corrupt { .. }) => self.foreign += 1,
                    entered => entered?,
                }
            }
        }
        Ok(self.foreign)
    }

    fn enter(&mut self, core: &Core, folder: &Entry) -> Result<()> {
        let failed = |error| core.failed(error, Operation::List, &folder.key);
        let Some(root) = core.root_to_read().map_err(failed)? else { return Ok(()) };
        let level = Level::read(core, &root, folder).map_err(failed)?;
        self.foreign += level.foreign;
        self.push(level.entries);
        Ok(())
    }

    /// Keeps those entries that may be listed, the first one last.
    fn push(&mut self, mut entries: Vec<Entry>) {
        entries.retain(|entry| self.wants(entry));
        entries.sort_unstable_by(|a, b| b.key.cmp(&a.key));
        self.pending.append(&mut entries);
    }

    fn wants(&self, entry: &Entry) -> bool {
        let after = self.after.as_ref().map_or("", BlobKey::as_str);
        if entry.object.is_some() {
            return entry.key.as_str() > after
                && BlobKey::internal(&entry.key).is_ok_and(|key| self.prefix.contains(&key));
        }
        // Whether a key in the folder may be listed: all of them are, or none.
        let inner = BlobKey::internal(format!("{}x", entry.key));
        (entry.key.as_str() > after || after.starts_with(&entry.key))
            && inner.is_ok_and(|key| self.prefix.contains(&key))
    }
}

/// The blob of an entry, if it is still there. `last` is the folder opened last.
fn object(
    core: &Core,
    entry: &Entry,
    file: &str,
    last: &mut Option<(Path, Dir)>,
    date: Timestamp,
) -> Result<Option<BlobInfo>> {
    let failed = |error| core.failed(error, Operation::List, &entry.key);
    if last.as_ref().is_none_or(|(path, _)| !Arc::ptr_eq(path, &entry.within)) {
        let Some(root) = core.root_to_read().map_err(failed)? else { return Ok(None) };
        let dir = core.tree().find(&root, &entry.within).map_err(failed)?;
        *last = dir.map(|dir| (entry.within.clone(), dir));
    }
    let Some((_, dir)) = last else { return Ok(None) };
    let key = BlobKey::internal(&entry.key)?;
    match Object::open(core.files(), dir, &key, file).map_err(failed)? {
        Found::Nothing => Ok(None),
        Found::Object(object) => Ok(Some(read::info(&key, &object.trailer, date))),
        Found::Corrupt(error) => Err(error),
    }
}

/// One folder of keys, in no order. Its names lie in several file folders
/// where segments are cut.
#[derive(Debug, Default)]
struct Level {
    entries: Vec<Entry>,
    /// File folders to be read, and the beginning of the segments in them.
    cut: Vec<(Path, String)>,
    foreign: u64,
}

impl Level {
    fn read(core: &Core, root: &Dir, folder: &Entry) -> Result<Self, FileError> {
        let mut level = Self::default();
        level.cut.push((folder.within.clone(), String::new()));
        while let Some((within, begun)) = level.cut.pop() {
            let Some(dir) = core.tree().find(root, &within)? else { continue };
            let names = {
                let _alone = lock::no_renames(core.files(), root)?;
                core.files().read_folder(&dir)?
            };
            for name in names {
                let ours = name.to_str().and_then(|name| {
                    let is_private = within.is_empty() && name == layout::PRIVATE;
                    if is_private {
                        Some(())
                    } else {
                        level.add(&folder.key, &within, &begun, name)
                    }
                });
                level.foreign += u64::from(ours.is_none());
            }
        }
        Ok(level)
    }

    /// Adds what has this name; nothing where the name is not ours.
    fn add(&mut self, folder: &str, within: &Path, begun: &str, name: &str) -> Option<()> {
        let below = |name: &str| within.iter().cloned().chain([name.to_owned()]).collect::<Path>();
        match Name::parse(name)? {
            Name::Cut(stem) => {
                let begun = format!("{begun}{stem}");
                let longest = 3 * ifmatch_core::MAX_SEGMENT_BYTES;
                (begun.len() < longest).then(|| self.cut.push((below(name), begun)))
            }
            Name::Folder(stem) => {
                let key = format!("{folder}{}/", layout::decode(&format!("{begun}{stem}"))?);
                BlobKey::internal(format!("{key}x")).ok()?;
                self.entries.push(Entry { key, within: below(name), object: None });
                Some(())
            }
            Name::Object(stem) => {
                let key = format!("{folder}{}", layout::decode(&format!("{begun}{stem}"))?);
                BlobKey::internal(&key).ok()?;
                let object = Some(name.to_owned());
                self.entries.push(Entry { key, within: within.clone(), object });
                Some(())
            }
        }
    }
}
