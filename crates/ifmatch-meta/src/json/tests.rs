use proptest::prelude::*;

use super::*;

fn kind(text: impl Into<Vec<u8>>) -> &'static str {
    Json::new(text).map_or_else(|error| error.kind(), |_| "ok")
}

#[test]
fn what_no_backend_could_hold_is_invalid() {
    for text in [
        "",
        " ",
        "{",
        "{}x",
        "{'a':1}",
        "[1,]",
        "NaN",
        "01",
        "1e400",
        "-1e400",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":1}",
        "[{\"x\":{\"b\":1,\"b\":2}}]",
        "\"\u{1}\"",
        "\"\\ud800\"",
        "\u{feff}{}",
    ] {
        assert_eq!(kind(text), "invalid", "{text:?}");
    }
    assert_eq!(kind(*b"\"\xff\""), "invalid");
}

#[test]
fn plain_values_are_documents_too() {
    for text in ["null", "true", "-0", "1e-400", "18446744073709551615", "1e308", "\"\"", " [] "] {
        assert_eq!(kind(text), "ok", "{text:?}");
    }
}

#[test]
fn depth_128_is_accepted_and_129_is_not() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let deepest = Json::new(nested(MAX_DEPTH)).unwrap();
        assert!(deepest.value().is_ok());
        assert!(deepest.decode::<Value>().is_ok());
        assert_eq!(kind(nested(MAX_DEPTH + 1)), "invalid");
        assert_eq!(kind(open.repeat(100_000)), "invalid");
    }
}

#[test]
fn duplicate_keys_are_found_among_many() {
    let keys = |n: usize| (0..n).map(|i| format!("\"k{i}\":1")).collect::<Vec<_>>().join(",");
    for n in [1, 16, 17, 18, 500] {
        assert_eq!(kind(format!("{{{}}}", keys(n))), "ok");
        for twice in [0, n / 2, n - 1] {
            assert_eq!(kind(format!("{{{},\"k{twice}\":2}}", keys(n))), "invalid", "{n} {twice}");
        }
    }
}

#[test]
fn a_body_over_the_limit_is_too_large() {
    let text = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
    assert_eq!(kind(text(1 << 20)), "ok");
    assert_eq!(kind(text((1 << 20) + 1)), "too_large");
    assert!(Json::with_limit(text(1 << 21), 1 << 21).is_ok());
}

#[test]
fn what_a_store_hands_out_is_checked_before_it_is_parsed() {
    for text in ["{", "{\"a\":1,\"a\":2}", &"[".repeat(1_000_000)] {
        let json = Json::stored(text);
        assert_eq!(json.as_str(), text);
        assert_eq!(json.value().unwrap_err().kind(), "corrupt");
        assert_eq!(json.decode::<Value>().unwrap_err().kind(), "corrupt");
    }
}

#[test]
fn a_body_serialises_as_json_on_one_line() {
    let body = Json::new("{\r\n  \"b\": 1.10,\n  \"a\": \"x\\ny\"\n}").unwrap();
    assert_eq!(
        serde_json::to_string(&[&body]).unwrap(),
        "[{    \"b\": 1.10,   \"a\": \"x\\ny\" }]"
    );
    let back: Vec<Json> = serde_json::from_str("[{\"b\": 1.10}, 2]").unwrap();
    assert_eq!(back[0].as_str(), "{\"b\": 1.10}");
    assert!(serde_json::from_str::<Json>("{\"a\":1,\"a\":2}").is_err());
}

#[test]
fn numbers_are_equal_by_exact_value() {
    for (a, b, equal) in [
        ("1", "1.0", true),
        ("-0", "0", true),
        ("9007199254740993", "9007199254740992.0", false),
        ("18446744073709551615", "18446744073709551616.0", false),
        ("18446744073709551616", "18446744073709551616.0", true),
        ("1e300", "1e300", true),
        ("1e300", "1.1e300", false),
        ("0.1", "0.1", true),
        ("0.5", "1", false),
        ("{\"a\":[1]}", "{\"a\":[1.0]}", true),
        ("{\"a\":1}", "{\"a\":1,\"b\":2}", false),
        ("[1]", "[1,1]", false),
        ("null", "null", true),
        ("1", "\"1\"", false),
    ] {
        let (a, b) = (Json::new(a).unwrap(), Json::new(b).unwrap());
        assert_eq!(json_equal(a.value().unwrap(), b.value().unwrap()), equal, "{a} {b}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        "[^\u{0}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[^\u{0}]{0,4}", inner), 0..24)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The members of all objects in a value.
fn members(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(members).sum(),
        Value::Object(map) => map.len() + map.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

/// The members of all objects in a text: its colons outside of texts.
fn colons(text: &[u8]) -> usize {
    let (mut colons, mut quoted, mut escaped) = (0, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b':' if !quoted => colons += 1,
            _ => {}
        }
    }
    colons
}

proptest! {
    #[test]
    fn every_value_is_accepted_and_comes_back_byte_for_byte(value in values(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let json = Json::new(text.clone()).unwrap();
        prop_assert_eq!(json.as_str(), &text);
        prop_assert!(json_equal(json.value().unwrap(), &value));
        let line = serde_json::to_string(&json).unwrap();
        prop_assert!(!line.contains('\n'));
        prop_assert!(json_equal(&serde_json::from_str(&line).unwrap(), &value));
    }

    #[test]
    fn nothing_is_accepted_that_serde_refuses(value in values(), at: usize, byte: u8) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at % text.len();
        text[at] = byte;
        if Json::new(text.clone()).is_ok() {
            let again: Value = serde_json::from_slice(&text).unwrap();
            prop_assert!(!serde_json::to_string(&again).unwrap().contains("\\u0000"));
        } else if let Ok(again) = serde_json::from_slice::<Value>(&text) {
            // Refused by our own rules only: a duplicate key or U+0000.
            let zero = serde_json::to_string(&again).unwrap().contains("\\u0000");
            prop_assert!(zero || members(&again) < colons(&text));
        }
    }

    #[test]
    fn a_duplicate_key_is_refused_at_any_depth(value in values(), depth in 0usize..5) {
        let inner = format!("{{\"k\":{value},\"x\":0,\"k\":1}}");
        let text = format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        prop_assert_eq!(kind(text), "invalid");
    }
}
