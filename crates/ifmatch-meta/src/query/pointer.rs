//! JSON pointers (RFC 6901), parsed once.

use serde_json::Value;

/// A place in a JSON value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pointer(Box<[Step]>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Step {
    name: Box<str>,
    /// What it is in a list; `None` where it is no index.
    index: Option<usize>,
}

impl Pointer {
    /// Parses it, strictly: empty or with a leading `/`, and after each `~` a
    /// `0` or a `1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Box::default()));
        }
        text.strip_prefix('/')?.split('/').map(step).collect::<Option<_>>().map(Self)
    }

    /// The value there.
    pub(super) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |at, step| match at {
            Value::Object(members) => members.get(&*step.name),
            Value::Array(list) => list.get(step.index?),
            _ => None,
        })
    }
}

fn step(escaped: &str) -> Option<Step> {
    let mut name = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(char) = chars.next() {
        match char {
            '~' => name.push(match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            }),
            char => name.push(char),
        }
    }
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits && (name == "0" || !name.starts_with('0'));
    let index = if index { name.parse().ok() } else { None };
    Some(Step { name: name.into(), index })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_finds_what_serde_finds() {
        let value = json!({
            "a": { "b": [10, { "c": 1 }], "": 5 }, "": { "": 2 }, "~": 3, "/": 4, "~1": 6, "0": 7,
            "00": 8, "é": 9, "e\u{301}": 10, "l": [[1, 2], []], "a.b": 11, "a b": 12, "-": 13,
        });
        for text in [
            "",
            "/",
            "//",
            "/a",
            "/a/b",
            "/a/b/0",
            "/a/b/1/c",
            "/a/b/2",
            "/a/b/00",
            "/a/b/+1",
            "/a/b/-",
            "/a/b/-1",
            "/a/b/1.0",
            "/a/",
            "/~0",
            "/~1",
            "/~01",
            "/0",
            "/00",
            "/é",
            "/e\u{301}",
            "/l/0/1",
            "/l/1/0",
            "/a.b",
            "/a b",
            "/-",
            "/a/b/0/x",
            "/none/x",
            "/a/b/18446744073709551616",
        ] {
            assert_eq!(Pointer::parse(text).unwrap().find(&value), value.pointer(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["a", "a/b", "/~", "/~2", "/a~", "/~~0", " /a", "#/a", "@id"] {
            assert_eq!(Pointer::parse(text), None, "{text}");
        }
    }
}
