//! Where a document stands in an order, as bytes.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Number, Value};

use super::field::{Place, Source};
use super::order::members;
use super::{Sort, SortOrder};
use crate::document::Document;
use crate::error::Result;
use crate::json::whole;
use crate::key::DocKey;

/// Where a document stands in the order of a query: by its sort values, then by
/// partition and id. Keys of one query compare as their documents are ordered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SortKey {
    values: Arc<[u8]>,
    key: DocKey,
}

impl SortKey {
    /// A key of these values, as [`values`](Self::values) gives them.
    pub(super) fn new(values: impl Into<Arc<[u8]>>, key: DocKey) -> Self {
        Self { values: values.into(), key }
    }

    /// The sort values, so written that their bytes compare as the sort orders
    /// them. None is the beginning of another: they may be compared first, and
    /// partition and id after them.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Partition and id.
    pub const fn document(&self) -> &DocKey {
        &self.key
    }
}

/// Sorts, ready to make keys.
#[derive(Clone, Debug)]
pub(super) struct Order(Vec<(Place, SortOrder)>);

impl Order {
    pub(super) fn new(sorts: &[Sort]) -> Result<Self> {
        let places = sorts.iter().map(|sort| Ok((Place::new(&sort.field)?, sort.order)));
        places.collect::<Result<_>>().map(Self)
    }

    pub(super) fn key(&self, document: &Document) -> Result<SortKey> {
        let mut values = Vec::new();
        for (place, order) in &self.0 {
            let found = place.find(Source::Document(document))?;
            write_sorted(found.as_deref(), *order, &mut values);
        }
        Ok(SortKey::new(values, document.key.clone()))
    }
}

/// One field's values, ready to be looked up and written as keys.
pub(super) fn find<'a>(place: &Place, document: &'a Document) -> Result<Option<Cow<'a, Value>>> {
    let found = place.find(Source::Document(document))?;
    Ok(found.filter(|value| !value.is_null()))
}

/// Writes a value so that bytes compare as the sort orders it.
pub(super) fn write_sorted(value: Option<&Value>, order: SortOrder, into: &mut Vec<u8>) {
    let start = into.len();
    match value {
        // Last in either direction: no other begins so, inverted or not.
        None | Some(Value::Null) => return into.push(0xff),
        Some(value) => write(value, into),
    }
    if order == SortOrder::Descending {
        into[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

// Every value begins with one of these; 0 ends a text, a list or an object.
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const TEXT: u8 = 4;
const LIST: u8 = 5;
const OBJECT: u8 = 6;
const NULL: u8 = 7;
const MEMBER: u8 = 1;
const END: u8 = 0;

fn write(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Bool(false) => into.push(FALSE),
        Value::Bool(true) => into.push(TRUE),
        Value::Number(number) => {
            into.push(NUMBER);
            into.extend(number_bytes(number));
        }
        Value::String(text) => {
            into.push(TEXT);
            write_text(text, into);
        }
        Value::Array(list) => {
            into.push(LIST);
            for element in list {
                write(element, into);
            }
            into.push(END);
        }
        Value::Object(object) => {
            into.push(OBJECT);
            for (name, value) in members(object) {
                into.push(MEMBER);
                write_text(name, into);
                write(value, into);
            }
            into.push(END);
        }
        Value::Null => into.push(NULL),
    }
}

/// UTF-8 has no byte above 0xf4: each is written one higher, so that 0 is free.
fn write_text(text: &str, into: &mut Vec<u8>) {
    into.extend(text.bytes().map(|byte| byte.wrapping_add(1)));
    into.push(END);
}

/// The nearest float, and what a whole number beyond 2^53 has more than it: at
/// most 1,024 either way.
fn number_bytes(number: &Number) -> [u8; 10] {
    let (float, rest) = match whole(number) {
        // A float is its own nearest float, a whole number of 64 bits is near it.
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
        Some(whole) => (whole as f64, whole - (whole as f64) as i128),
        None => (number.as_f64().unwrap_or_default(), 0),
    };
    let bits = float.to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    let rest = u16::try_from(rest + 0x8000).unwrap_or_default();
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&ordered.to_be_bytes());
    bytes[8..].copy_from_slice(&rest.to_be_bytes());
    bytes
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
