//! One object file, opened once: what is read of it is of one version.

use std::ops::Range;

use bytes::Bytes;
use ifmatch_core::{BlobKey, Error};
use rustix::io::Errno;

use super::error::{FileError, Result};
use super::files::{Dir, Files, OpenFile};
use super::layout::Place;
use super::seam::Call;
use super::trailer::{self, LENGTH, Trailer};
use super::tree::Tree;

/// What has a key's name.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Object(Object),
    /// Something that is not an object of this key, and why.
    Corrupt(Error),
}

/// An object whose trailer verifies.
#[derive(Debug)]
pub(super) struct Object {
    file: OpenFile,
    pub(super) trailer: Trailer,
}

impl Object {
    /// The object at `place` below the root.
    pub(super) fn find(tree: Tree<'_>, root: &Dir, key: &BlobKey, place: &Place) -> Result<Found> {
        match tree.find(root, &place.folders)? {
            Some(dir) => Self::open(tree.files, &dir, key, &place.name),
            None => Ok(Found::Nothing),
        }
    }

    /// The object in this folder. Only its trailer is read.
    pub(super) fn open(files: &Files, dir: &Dir, key: &BlobKey, name: &str) -> Result<Found> {
        let corrupt = |detail| Ok(Found::Corrupt(Error::corrupt(key.as_str(), detail)));
        let file = match files.open_file(dir, name) {
            Ok(file) => file,
            Err(error) if error.is_missing() => return Ok(Found::Nothing),
            Err(error) if error.is(Errno::LOOP) => return corrupt("it is a symbolic link"),
            Err(error) if error.is(Errno::NXIO) => return corrupt("it is no regular file"),
            Err(error) => return Err(error),
        };
        let Some(size) = files.size(&file)? else { return corrupt("it is no regular file") };
        let Some(body) = size.checked_sub(LENGTH as u64) else {
            return corrupt("it is shorter than a trailer");
        };
        let mut end = [0; LENGTH];
        match files.read_at(&file, &mut end, body) {
            Err(error) if error.is_end_of_file() => return corrupt("it is being cut"),
            read => read?,
        }
        match Trailer::decode(&end, key, size) {
            Ok(trailer) => Ok(Found::Object(Self { file, trailer })),
            Err(detail) => corrupt(detail),
        }
    }

    /// The whole body, or nothing where it is not the one that was written.
    pub(super) fn body(&self, files: &Files) -> Result<Option<Bytes>> {
        let body = self.range(files, &(0..self.trailer.size))?;
        Ok(body.filter(|body| trailer::sum(body) == self.trailer.body_sum))
    }

    /// A part of the body, as it is in the file; nothing where the file is cut
    /// meanwhile.
    pub(super) fn range(&self, files: &Files, range: &Range<u64>) -> Result<Option<Bytes>> {
        let mut bytes = Vec::new();
        let fits = usize::try_from(range.end - range.start)
            .ok()
            .filter(|length| bytes.try_reserve_exact(*length).is_ok());
        let Some(length) = fits else {
            return Err(FileError::new(Call::Read, self.file.path(), Errno::NOMEM));
        };
        bytes.resize(length, 0);
        match files.read_at(&self.file, &mut bytes, range.start) {
            Err(error) if error.is_end_of_file() => Ok(None),
            read => read.map(|()| Some(bytes.into())),
        }
    }
}
