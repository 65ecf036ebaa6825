use super::*;

#[test]
fn names_are_exact_bytes_within_their_limits() {
    assert!(Partition::new("p".repeat(512)).is_ok());
    assert!(Partition::new("p".repeat(513)).is_err());
    assert!(DocId::new("i".repeat(1024)).is_ok());
    assert!(DocId::new("i".repeat(1025)).is_err());
    for free in [" ", "../x", "a/b\\c", "\n", "ä", "a\u{308}", "IFMATCH.x", "ifmatch", "ifmatcher"]
    {
        assert_eq!(DocKey::new(free, free).unwrap().id.as_str(), free);
    }
    assert_ne!(DocId::new("\u{e4}").unwrap(), DocId::new("a\u{308}").unwrap());
}

#[test]
fn a_name_that_breaks_a_rule_is_invalid() {
    for (partition, id) in [("", "a"), ("a", ""), ("a\0", "a"), ("a", "\0")] {
        assert_eq!(DocKey::new(partition, id).unwrap_err().kind(), "invalid");
    }
}

#[test]
fn names_of_ours_are_invalid_for_users() {
    assert_eq!(DocKey::new("ifmatch.locks", "a").unwrap_err().kind(), "invalid");
    assert_eq!(DocKey::new("a", "ifmatch.").unwrap_err().kind(), "invalid");
    assert!(serde_json::from_str::<DocId>("\"ifmatch.x\"").is_err());
    assert!(DocKey::internal("ifmatch.locks", "ifmatch.x").unwrap().id.is_reserved());
    assert!(RESERVED_START < "ifmatch.\u{10ffff}" && "ifmatch.\u{10ffff}" < RESERVED_END);
}

#[test]
fn a_key_stays_on_one_line() {
    assert_eq!(DocKey::new("a b", "c\nd").unwrap().to_string(), "a b/c\\nd");
}
