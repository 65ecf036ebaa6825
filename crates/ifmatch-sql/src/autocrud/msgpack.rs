//! `MessagePack` as the JSON that autocrud would have written of the same data.

use std::fmt::Write as _;
use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{Error, MAX_DEPTH};
use rmpv::ValueRef;
use serde_json::Number;

use super::report::SkipReason;

type Result<T> = std::result::Result<T, SkipReason>;

/// What the reader goes down at most, so that the stack is safe. It counts each
/// nesting twice; what it lets through is checked as JSON.
const READER_DEPTH: usize = 2 * MAX_DEPTH + 8;

/// The JSON text of one `MessagePack` value, members in their order.
pub(super) fn to_json(data: &[u8], largest: usize) -> Result<String> {
    let mut rest = data;
    let value = rmpv::decode::read_value_ref_with_max_depth(&mut rest, READER_DEPTH)
        .map_err(|error| unreadable(format!("no MessagePack: {error}")))?;
    if !rest.is_empty() {
        return Err(unreadable(format!("{} bytes behind the MessagePack value", rest.len())));
    }
    let mut text = Text { out: String::with_capacity(data.len()), largest };
    text.value(&value)?;
    Ok(text.out)
}

struct Text {
    out: String,
    largest: usize,
}

impl Text {
    fn value(&mut self, value: &ValueRef<'_>) -> Result<()> {
        // Each value is small against the limit or counted before it is copied.
        if self.out.len() > self.largest {
            let error = Error::too_large("a document", self.out.len(), self.largest);
            return Err(SkipReason::NotADocument(error));
        }
        match value {
            ValueRef::Nil => self.out.push_str("null"),
            ValueRef::Boolean(value) => self.put(value),
            ValueRef::Integer(value) => self.put(value),
            ValueRef::F32(value) => self.float(f64::from(*value))?,
            ValueRef::F64(value) => self.float(*value)?,
            ValueRef::String(text) => self.text(text.as_str())?,
            ValueRef::Array(values) => {
                self.out.push('[');
                for (index, value) in values.iter().enumerate() {
                    self.comma(index);
                    self.value(value)?;
                }
                self.out.push(']');
            }
            ValueRef::Map(members) => {
                self.out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    self.comma(index);
                    let ValueRef::String(name) = name else {
                        return Err(untranslatable("a member whose name is no text"));
                    };
                    self.text(name.as_str())?;
                    self.out.push(':');
                    self.value(value)?;
                }
                self.out.push('}');
            }
            ValueRef::Ext(-1, bytes) => {
                let time = time(bytes).ok_or_else(|| untranslatable("a time out of range"))?;
                self.text(Some(&time))?;
            }
            ValueRef::Ext(kind, _) => {
                return Err(untranslatable(format!("an extension of type {kind}")));
            }
            ValueRef::Binary(bytes) => {
                return Err(untranslatable(format!("a binary of {} bytes", bytes.len())));
            }
        }
        Ok(())
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
    }

    fn put(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.out, "{value}"); // A String takes all.
    }

    fn float(&mut self, value: f64) -> Result<()> {
        let number = Number::from_f64(value);
        self.put(number.ok_or_else(|| untranslatable(format!("the number {value}")))?);
        Ok(())
    }

    fn text(&mut self, text: Option<&str>) -> Result<()> {
        let text = text.ok_or_else(|| untranslatable("a text that is not UTF-8"))?;
        let quoted =
            serde_json::to_string(text).map_err(|error| untranslatable(error.to_string()))?;
        self.out.push_str(&quoted);
        Ok(())
    }
}

/// A timestamp of `MessagePack`, in the form of ours: RFC 3339, UTC, six digits,
/// nine where it says more than microseconds.
fn time(bytes: &[u8]) -> Option<String> {
    let (seconds, nanos) = match bytes.len() {
        4 => (i64::from(u32::from_be_bytes(bytes.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            (i64::try_from(both & 0x3_ffff_ffff).ok()?, u32::try_from(both >> 34).ok()?)
        }
        12 => {
            let (nanos, seconds) = bytes.split_at(4);
            let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
            (seconds, u32::from_be_bytes(nanos.try_into().ok()?))
        }
        _ => return None,
    };
    if nanos >= 1_000_000_000 {
        return None;
    }
    let micros = seconds.checked_mul(1_000_000)?.checked_add(i64::from(nanos / 1_000))?;
    let mut text = Timestamp::from_micros(micros).to_string();
    if text.pop() != Some('Z') {
        return None; // Outside the years that RFC 3339 can write.
    }
    if nanos % 1_000 > 0 {
        let _ = write!(text, "{:03}", nanos % 1_000);
    }
    text.push('Z');
    Some(text)
}

fn unreadable(what: impl Into<Arc<str>>) -> SkipReason {
    SkipReason::Unreadable(what.into())
}

fn untranslatable(what: impl Into<Arc<str>>) -> SkipReason {
    SkipReason::Untranslatable(what.into())
}
