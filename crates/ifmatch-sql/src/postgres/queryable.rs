//! A body as queries see it: the same values that the evaluator reads.
//!
//! PostgreSQL's `jsonb` keeps numbers as exact decimals, the evaluator reads i64,
//! u64 or f64. A body with other numbers than whole ones of an i64 or u64 is
//! therefore written anew for queries. Each f64 stands there as
//! - its exact value where it is whole and below 2^70, so that it compares right
//!   with every i64 and u64;
//! - else its shortest decimal form: different numbers have different ones, in
//!   the same order, and on the same side of every i64 and u64.

use std::io;

use ifmatch_meta::{Json, Result};
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// 2^70.
const WHOLE: f64 = 1_180_591_620_717_411_303_424.0;

/// The text for the column `doc`, where it is not that of the body.
pub(super) fn rewritten(body: &Json) -> Result<Option<String>> {
    if !has_unusual_number(body.as_str()) {
        return Ok(None);
    }
    Ok(Some(text(body.value()?)))
}

/// A value as the column `doc` holds it.
pub(super) fn text(value: &Value) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Numbers);
    // Values of JSON, written to memory: nothing can fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8(text).unwrap_or_default()
}

/// Whether a number may be read as an f64: it has a fraction, an exponent, or
/// more digits than every i64 and u64 holds.
fn has_unusual_number(body: &str) -> bool {
    let (mut quoted, mut escaped, mut digits) = (false, false, 0);
    for byte in body.bytes() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'0'..=b'9' => digits += 1,
            // No `e` of true, false or null follows a digit.
            b'.' | b'e' | b'E' if digits > 0 => return true,
            _ => digits = 0,
        }
        if digits > 18 {
            return true;
        }
    }
    false
}

struct Numbers;

impl Formatter for Numbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, number: f64) -> io::Result<()> {
        if number == 0.0 {
            writer.write_all(b"0")
        } else if number.fract() == 0.0 && number.abs() < WHOLE {
            write!(writer, "{number:.0}")
        } else {
            write!(writer, "{number:e}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w17_numbers_are_those_that_the_evaluator_reads() {
        for (body, expected) in [
            ("1", None),
            ("[-1,9007199254740993,\"1.5e3 \\\" 1.5\",true,null]", None),
            ("{\"a1e\":1,\"b\":[false]}", None),
            ("123456789012345678", None),
            ("18446744073709551615", Some("18446744073709551615")),
            ("18446744073709551616", Some("18446744073709551616")),
            ("9007199254740993.0", Some("9007199254740992")),
            ("1.0", Some("1")),
            ("-0.0", Some("0")),
            ("0.1", Some("1e-1")),
            ("0.10000000000000000001", Some("1e-1")),
            ("1e300", Some("1e300")),
            ("5e-324", Some("5e-324")),
            ("[{\"a\":1.5}]", Some("[{\"a\":1.5e0}]")),
            ("1e-400", Some("0")),
        ] {
            let rewritten = rewritten(&Json::new(body).unwrap()).unwrap();
            assert_eq!(rewritten.as_deref(), expected, "{body}");
        }
    }
}
