use super::*;

#[test]
fn keys_that_every_backend_can_keep_are_accepted() {
    let long = format!("{}/{}", "s".repeat(200), "é".repeat(100));
    for key in ["a", "a/b", "a b", "ä/ö", "~%#?", ".hidden", ".ifmatch2/x", "x/.ifmatch/y", &long]
    {
        assert_eq!(BlobKey::new(key).unwrap().as_str(), key);
    }
}

#[test]
fn keys_that_break_a_rule_are_invalid_and_the_rule_is_named() {
    let long_segment = "s".repeat(201);
    let long_key = vec!["s".repeat(100); 11].join("/");
    for (key, rule) in [
        ("", "empty"),
        ("/a", "empty"),
        ("a/", "empty"),
        ("a//b", "empty"),
        (".", "no segments"),
        ("a/../b", "no segments"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\\b", "backslash"),
        (&long_segment, "200 bytes"),
        (&long_key, "1,024 bytes"),
        (".ifmatch", "belongs to ifmatch"),
        (".ifmatch/probe", "belongs to ifmatch"),
    ] {
        let error = BlobKey::new(key).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
        assert!(error.to_string().contains(rule), "{error}");
    }
}

#[test]
fn a_prefix_holds_what_lies_strictly_below_it() {
    let prefix = BlobPrefix::new("a/b/").unwrap();
    let holds = |key: &str| prefix.contains(&BlobKey::internal(key).unwrap());
    assert!(holds("a/b/c") && holds("a/b/c/d"));
    assert!(!holds("a/b") && !holds("a/bc") && !holds("a"));
    let root = BlobPrefix::root();
    assert!(root.contains(&BlobKey::new("x").unwrap()));
    assert!(!root.contains(&BlobKey::internal(".ifmatch/probe/x").unwrap()));
    assert!(BlobPrefix::internal("").unwrap().contains(&BlobKey::internal(".ifmatch/p").unwrap()));
}

proptest::proptest! {
    #[test]
    fn a_valid_key_survives_text_and_never_climbs(text in "\\PC{0,40}") {
        if let Ok(key) = BlobKey::new(&text) {
            proptest::prop_assert_eq!(key.as_str(), text.as_str());
            proptest::prop_assert!(key.segments().all(|s| !s.is_empty() && s != "." && s != ".."));
        }
    }
}
