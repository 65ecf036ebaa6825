//! Gets and heads: one open file answers one call.

use ifmatch_core::{
    Blob, BlobInfo, BlobKey, Current, Error, Fetched, GetOptions, Operation, Precondition, Result,
    Timestamp, clamp_range,
};

use super::core::Core;
use super::layout::Place;
use super::object::{Found, Object};
use super::trailer::Trailer;

/// What a trailer says of a key, for a caller.
pub(super) fn info(key: &BlobKey, trailer: &Trailer, date: Timestamp) -> BlobInfo {
    BlobInfo {
        key: key.clone(),
        version: trailer.as_version(),
        size: trailer.size,
        last_modified: Some(trailer.modified),
        write: Some(trailer.record()),
        date: Some(date),
    }
}

/// Blocks.
pub(super) fn head(core: &Core, key: &BlobKey, date: Timestamp) -> Result<Option<BlobInfo>> {
    let found = find(core, Operation::Head, key)?;
    Ok(found.map(|object| info(key, &object.trailer, date)))
}

/// Blocks.
pub(super) fn get(
    core: &Core,
    key: &BlobKey,
    options: GetOptions,
    date: Timestamp,
) -> Result<Fetched> {
    let failed = |error| core.failed(error, Operation::Get, key.as_str());
    let Some(object) = find(core, Operation::Get, key)? else {
        return match options.if_match {
            Some(version) => {
                Err(Error::conflict(key, Precondition::IfMatch(version), Current::Absent))
            }
            None => Ok(Fetched::Absent { date: Some(date) }),
        };
    };
    let info = info(key, &object.trailer, date);
    if let Some(version) = options.if_match.filter(|version| *version != info.version) {
        let current = Current::Present(info.version);
        return Err(Error::conflict(key, Precondition::IfMatch(version), current));
    }
    if options.if_none_match.is_some_and(|version| version == info.version) {
        return Ok(Fetched::NotModified { date: Some(date) });
    }
    let body = match options.range {
        None => object.body(core.files()),
        Some(range) => object.range(core.files(), &clamp_range(key, info.size, &range)?),
    };
    match body.map_err(failed)? {
        Some(body) => Ok(Fetched::Found(Blob { body, info })),
        None => Err(Error::corrupt(key.as_str(), "its body is not the one that was written")),
    }
}

fn find(core: &Core, operation: Operation, key: &BlobKey) -> Result<Option<Object>> {
    let failed = |error| core.failed(error, operation, key.as_str());
    let Some(root) = core.root_to_read().map_err(failed)? else { return Ok(None) };
    match Object::find(core.tree(), &root, key, &Place::of(key)).map_err(failed)? {
        Found::Nothing => Ok(None),
        Found::Object(object) => Ok(Some(object)),
        Found::Corrupt(error) => Err(error),
    }
}
