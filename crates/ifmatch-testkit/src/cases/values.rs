//! Values on which databases and evaluators like to disagree.

use fastrand::Rng;
use ifmatch_meta::{Comparison, Json};
use serde_json::Value;

/// The type of a value, as filters tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(clippy::exhaustive_enums)] // JSON has no other.
pub enum Kind {
    /// There is none.
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Missing, Self::Null, Self::Bool, Self::Number, Self::Text, Self::List, Self::Object];

    /// Of a value that may be missing.
    pub const fn of(value: Option<&Value>) -> Self {
        match value {
            None => Self::Missing,
            Some(Value::Null) => Self::Null,
            Some(Value::Bool(_)) => Self::Bool,
            Some(Value::Number(_)) => Self::Number,
            Some(Value::String(_)) => Self::Text,
            Some(Value::Array(_)) => Self::List,
            Some(Value::Object(_)) => Self::Object,
        }
    }

    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::Text => "text",
            Self::List => "list",
            Self::Object => "object",
        }
    }
}

/// As JSON text, because `1` and `1.0` are to stay what they are.
#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "0", "-0", "-0.0", "0.0", "1", "1.0", "1e0", "10e-1", "-1", "-1.0", "2", "3", "5", "5.0", "7",
    "10", "0.1", "0.10", "0.1000000000000000055511151231257827", "0.3", "0.30000000000000004",
    "1.5", "-1.5", "2.5", "9007199254740991", "9007199254740992", "9007199254740993",
    "9007199254740992.0", "9007199254740993.0", "9007199254740994.0", "-9007199254740993",
    "9223372036854775806", "9223372036854775807", "9223372036854775808", "9223372036854775808.0",
    "9223372036854774784.0", "-9223372036854775808", "-9223372036854775808.0",
    "18446744073709551614", "18446744073709551615", "18446744073709551616",
    "18446744073709551615.0", "1e19", "1e20", "100000000000000000000", "1e300", "-1e300",
    "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "1e-400", "123456789012345678",
    "123456789012345680", "1e22", "1e23", "4294967296", "2147483648",
    "99999999999999999999999999999999999999",
];

#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "", "a", "A", "b", "B", "ab", "app", "App", "APP", "apple", "apple%x", "a%", "a_", "a%b", "a_b",
    "aXb", "a\\", "\\", "\\%", "%", "_", "*", "?", "a*b", "é", "É", "e\u{301}", "E\u{301}", "ß",
    "ss", "\u{1f600}", "\u{1f600}x", "\u{ffff}", "\u{e000}", "\u{d7ff}", "\u{10000}", "1", "1.0",
    "01", "5", "10", "true", "false", "null", "[]", "{}", "[1]", "'", "\"", "a\"b", "a'b", "''",
    "--", " ", " a", "a ", "\n", "\t", "line1\nline2", "\u{1}", "a\u{1}", "\u{7f}", "\u{a0}",
    "\u{2028}", "\u{feff}", "İ", "i", "ı", "I", "c1", "c10", "$.a", "a.b", "ñ", "n\u{303}",
    "2026-01-01", "1970-01-01T00:00:00.000000Z",
    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
];

/// Texts whose JSON is not the one that a printer would write.
const ESCAPED: &[&str] =
    &[r#""\u0061""#, r#""\ud83d\ude00""#, r#""\/""#, r#""a\u0025""#, r#""\u00e9""#];

#[rustfmt::skip]
const LISTS: &[&str] = &[
    "[]", "[1]", "[1.0]", "[1,2]", "[2,1]", "[1, 2]", "[null]", "[1,null]", r#"["a"]"#, r#"["A"]"#,
    r#"["c1","c10"]"#, r#"["c10"]"#, r#"["1"]"#, "[[1],[2]]", "[[1,2],[3]]", "[[]]", "[{}]",
    r#"[true,1,"a",null]"#, "[true]", "[false,false]", r#"[{"x":1}]"#, r#"[{"x":1.0}]"#,
    r#"[{"x":"a"},{"x":null},{}]"#, r#"[{"x":[1,2]},{"x":[3]}]"#, "[9007199254740993]",
    "[9007199254740992.0]", "[18446744073709551615]", "[0.1]", "[0.10]", r#"["%"]"#, r#"["é"]"#,
    r#"["e\u0301"]"#, r#"[1,"x"]"#, "[5,7,10]", "[5,\"7\",null]", "[-0.0]", "[0]", r#"[""]"#,
    r#"["a","b","app"]"#,
];

#[rustfmt::skip]
const OBJECTS: &[&str] = &[
    "{}", r#"{"b":1}"#, r#"{"b":1.0}"#, r#"{"b":"a"}"#, r#"{"b":null}"#, r#"{"b":true}"#,
    r#"{"x":[1]}"#, r#"{"a":{"b":1}}"#, r#"{"x":1,"y":2}"#, r#"{"y":2,"x":1}"#, r#"{"":1}"#,
    r#"{"a.b":1}"#, r#"{"é":1}"#, r#"{"e\u0301":1}"#, r#"{"0":1}"#, r#"{"x":9007199254740993}"#,
    r#"{"x":9007199254740992.0}"#, r#"{"l":[1,2],"x":"a"}"#, r#"{"x":"app","":{"":2}}"#,
    r#"{"x":null}"#,
];

/// A value of this type, as JSON text; of none: an empty text.
pub(super) fn text_of(kind: Kind, rng: &mut Rng) -> String {
    let mut one = |all: &[&str]| all[rng.usize(..all.len())].to_owned();
    match kind {
        Kind::Missing => String::new(),
        Kind::Null => "null".into(),
        Kind::Bool => one(&["true", "false"]),
        Kind::Number => one(NUMBERS),
        Kind::Text => match rng.u8(..10) {
            0 => ESCAPED[rng.usize(..ESCAPED.len())].into(),
            _ => Value::from(TEXTS[rng.usize(..TEXTS.len())]).to_string(),
        },
        Kind::List => one(LISTS),
        Kind::Object => one(OBJECTS),
    }
}

/// A value of this type.
pub(super) fn value_of(kind: Kind, rng: &mut Rng) -> Value {
    parse(&text_of(kind, rng))
}

/// What a store reads where this was put.
pub(super) fn parse(text: &str) -> Value {
    Json::new(text).ok().and_then(|json| json.value().ok().cloned()).unwrap_or_default()
}

/// The same value, with its numbers written otherwise.
fn rewritten(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 => {
                format!("{float:.0}").parse::<i64>().map_or_else(|_| value.clone(), Value::from)
            }
            Some(float) if float.abs() < 9e15 => float.into(),
            _ => value.clone(),
        },
        Value::Array(list) => list.iter().map(rewritten).collect(),
        Value::Object(members) => {
            members.iter().rev().map(|(name, value)| (name.clone(), rewritten(value))).collect()
        }
        plain => plain.clone(),
    }
}

/// Something near a value, which a careless comparison takes for it, or the same
/// value, which a careless comparison takes for another.
pub(super) fn neighbour(value: &Value, rng: &mut Rng) -> Value {
    if rng.u8(..4) == 0 {
        return rewritten(value);
    }
    match value {
        Value::Bool(truth) => match rng.u8(..3) {
            0 => Value::from(u8::from(*truth)),
            1 => truth.to_string().into(),
            _ => (!truth).into(),
        },
        Value::Number(number) => match rng.u8(..5) {
            0 => number.to_string().into(),
            1 => number.as_f64().into(),
            2 => number.as_i64().map_or_else(|| value.clone(), |n| n.saturating_add(1).into()),
            3 => number.as_u64().map_or_else(|| value.clone(), |n| n.saturating_sub(1).into()),
            _ => number.as_f64().map(f64::next_up).filter(|f| f.is_finite()).into(),
        },
        Value::String(text) => match rng.u8(..6) {
            0 => text.to_uppercase().into(),
            1 => text.to_lowercase().into(),
            2 => text.parse::<i64>().map_or_else(|_| value.clone(), Value::from),
            3 => format!("{text} ").into(),
            4 => part(text, Comparison::Contains, rng).into(),
            _ => format!("{text}%").into(),
        },
        Value::Array(list) => match rng.u8(..4) {
            0 => list.first().cloned().unwrap_or_default(),
            1 => list.iter().rev().cloned().collect(),
            2 => value.to_string().into(),
            _ => list.iter().skip(1).cloned().collect(),
        },
        Value::Object(members) => match rng.u8(..3) {
            0 => members.values().next().cloned().unwrap_or_default(),
            1 => members.iter().skip(1).map(|(k, v)| (k.clone(), v.clone())).collect(),
            _ => value.to_string().into(),
        },
        Value::Null => Value::from("null"),
    }
}

/// A part of a text for this comparison: its beginning, its end, or any.
pub(super) fn part(text: &str, of: Comparison, rng: &mut Rng) -> String {
    let chars: Vec<char> = text.chars().collect();
    let length = rng.usize(..=chars.len().min(3));
    let start = match of {
        Comparison::StartsWith => 0,
        Comparison::EndsWith => chars.len() - length,
        _ => rng.usize(..=chars.len() - length),
    };
    let part: String = chars[start..start + length].iter().collect();
    // As a database may read it: without case, or with wildcards.
    match rng.u8(..8) {
        0 => part.to_uppercase(),
        1 => part.to_lowercase(),
        2 => part.chars().map(|_| '_').collect(),
        3 => format!("{part}%"),
        _ => part,
    }
}
