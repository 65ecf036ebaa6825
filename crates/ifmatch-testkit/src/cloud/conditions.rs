//! Preconditions as sent, and their evaluation (RFC 9110 section 13.1).

use super::object::StoredObject;

/// The conditions of a request, as the client wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `x-goog-if-generation-match`.
    pub if_generation_match: Option<u64>,
}

/// Why a condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A version was named and the object does not exist.
    Missing,
    /// Absence was demanded and the object exists.
    Exists,
    /// The object has another version.
    Mismatch,
    /// The object has the version that the client has already (a read's 304).
    Unchanged,
}

impl Conditions {
    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a write over `current` may proceed.
    pub(super) fn check_write(&self, current: Option<&StoredObject>) -> Result<(), Refusal> {
        self.check_match(current)?;
        match (&self.if_none_match, current) {
            (Some(tags), Some(_)) if tags.trim() == "*" => Err(Refusal::Exists),
            (Some(tags), Some(object)) if names(tags, &object.version.etag, false) => {
                Err(Refusal::Mismatch)
            }
            _ => Ok(()),
        }
    }

    /// Whether a read of `object` may proceed.
    pub(super) fn check_read(&self, object: &StoredObject) -> Result<(), Refusal> {
        self.check_match(Some(object))?;
        match &self.if_none_match {
            Some(tags) if names(tags, &object.version.etag, false) => Err(Refusal::Unchanged),
            _ => Ok(()),
        }
    }

    fn check_match(&self, current: Option<&StoredObject>) -> Result<(), Refusal> {
        if let Some(tags) = &self.if_match {
            let object = current.ok_or(Refusal::Missing)?;
            if !names(tags, &object.version.etag, true) {
                return Err(Refusal::Mismatch);
            }
        }
        match (self.if_generation_match, current) {
            (None, _) | (Some(0), None) => Ok(()),
            (Some(0), Some(_)) => Err(Refusal::Exists),
            (Some(_), None) => Err(Refusal::Missing),
            (Some(wanted), Some(object)) if wanted == object.version.generation => Ok(()),
            (Some(_), Some(_)) => Err(Refusal::Mismatch),
        }
    }
}

/// Whether the list `tags` names `etag`. A weak tag never names it in the
/// strong comparison that `If-Match` demands. Quotes are optional.
fn names(tags: &str, etag: &str, strong: bool) -> bool {
    let bare = |tag: &str| tag.trim_matches('"').to_owned();
    tags.split(',').map(str::trim).any(|tag| match tag.strip_prefix("W/") {
        Some(weak) => !strong && bare(weak) == bare(etag),
        None => tag == "*" || bare(tag) == bare(etag),
    })
}
