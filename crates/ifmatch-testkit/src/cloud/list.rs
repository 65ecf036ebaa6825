//! Listing: byte order, prefix, delimiter, pages.

use super::object::StoredObject;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use std::collections::BTreeMap;

/// A listing as asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct ListQuery {
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    /// Where the page before ended, as given to the client.
    pub(super) token: Option<String>,
    /// Only keys greater than this one.
    pub(super) after: Option<String>,
    /// Only keys greater than or equal to this one.
    pub(super) from: Option<String>,
    pub(super) max: Option<usize>,
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) query: ListQuery,
    pub(super) objects: Vec<StoredObject>,
    pub(super) prefixes: Vec<String>,
    /// Where the next page starts; `None` on the last one.
    pub(super) next: Option<String>,
    pub(super) limit: usize,
}

/// An entry of a listing: its name decides the order.
enum Entry<'a> {
    Object(&'a StoredObject),
    Prefix(String),
}

impl Entry<'_> {
    fn token(&self) -> String {
        let plain = match self {
            Self::Object(object) => format!("k{}", object.key),
            Self::Prefix(prefix) => format!("p{prefix}"),
        };
        BASE64_URL_SAFE_NO_PAD.encode(plain)
    }
}

/// Cuts the page that `query` asks for out of `objects`. A token that the
/// server never gave out reads as the start.
pub(super) fn page(
    objects: &BTreeMap<String, StoredObject>,
    query: ListQuery,
    page_size: usize,
) -> Page {
    let limit = query.max.unwrap_or(page_size).min(page_size);
    let resume = query.token.as_deref().and_then(decode);
    let passed = |key: &str| match &resume {
        Some((true, prefix)) => key <= prefix.as_str() || key.starts_with(prefix.as_str()),
        Some((false, last)) => key <= last.as_str(),
        None => false,
    };
    let mut page = Page { limit, ..Page::default() };
    let mut last_token = None;
    let wanted = objects
        .range(query.prefix.clone()..)
        .take_while(|(key, _)| key.starts_with(&query.prefix))
        .filter(|(key, _)| !passed(key))
        .filter(|(key, _)| query.after.as_ref().is_none_or(|after| *key > after))
        .filter(|(key, _)| query.from.as_ref().is_none_or(|from| *key >= from));
    for (key, object) in wanted {
        let entry = match common_prefix(key, &query) {
            Some(prefix) if page.prefixes.last() == Some(&prefix) => continue,
            Some(prefix) => Entry::Prefix(prefix),
            None => Entry::Object(object),
        };
        if page.objects.len() + page.prefixes.len() == limit {
            page.next = last_token;
            break;
        }
        last_token = Some(entry.token());
        match entry {
            Entry::Object(object) => page.objects.push(object.clone()),
            Entry::Prefix(prefix) => page.prefixes.push(prefix),
        }
    }
    page.query = query;
    page
}

fn common_prefix(key: &str, query: &ListQuery) -> Option<String> {
    let delimiter = query.delimiter.as_deref().filter(|d| !d.is_empty())?;
    let rest = &key[query.prefix.len()..];
    let end = rest.find(delimiter)? + delimiter.len();
    Some(format!("{}{}", query.prefix, &rest[..end]))
}

/// Whether the token stands for a common prefix, and its text.
fn decode(token: &str) -> Option<(bool, String)> {
    let plain = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    if let Some(prefix) = plain.strip_prefix('p') {
        return Some((true, prefix.to_owned()));
    }
    plain.strip_prefix('k').map(|key| (false, key.to_owned()))
}
