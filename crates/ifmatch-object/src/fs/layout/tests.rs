use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn path(key: &str) -> String {
    let place = Place::of(&BlobKey::internal(key).unwrap());
    let mut names = place.folders;
    names.push(place.name);
    names.join("/")
}

/// The key of a path, or nothing where no key has this path.
fn key_of(path: &str) -> Option<String> {
    let (mut key, mut segment) = (String::new(), String::new());
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        match (Name::parse(name)?, names.peek().is_some()) {
            (Name::Cut(stem), true) => segment.push_str(stem),
            (Name::Folder(stem), true) => {
                segment.push_str(stem);
                key.push_str(&decode(&std::mem::take(&mut segment))?);
                key.push('/');
            }
            (Name::Object(stem), false) => {
                segment.push_str(stem);
                key.push_str(&decode(&segment)?);
            }
            _ => return None,
        }
    }
    BlobKey::internal(&key).ok().map(String::from)
}

#[test]
fn a_key_has_the_path_that_the_layout_says() {
    assert_eq!(path("a"), "a.o");
    assert_eq!(path("a/b"), "a.d/b.o");
    assert_eq!(path("Team A/ä.json"), "%54eam%20%41.d/%c3%a4.json.o");
    assert_eq!(path("%41"), "%2541.o");
    assert_eq!(path(".ifmatch/probe/x"), ".ifmatch.d/probe.d/x.o");
    assert_eq!(path(".ifmatch-store"), ".ifmatch-store.o");
    assert_eq!(path(&"s".repeat(200)), format!("{}.o", "s".repeat(200)));
    let long = format!("{}b", "A".repeat(100));
    let (cut, rest) = ("%41".repeat(67)[..200].to_owned(), "%41".repeat(100)[200..].to_owned());
    assert_eq!(path(&long), format!("{cut}.c/{rest}b.o"));
    assert_eq!(path(&format!("{long}/x")), format!("{cut}.c/{rest}b.d/x.o"));
}

#[test]
fn names_that_the_store_would_not_have_chosen_are_not_keys() {
    let foreign = ["a", "a.txt", "A.o", "%61.o", "%C3%A4.o", "%c3.o", ".o", "a.c/b.o", "a b.o"];
    for name in foreign.into_iter().chain(["%2e%2e.o", "...o", "%2f.o", "a.d/..o", "%", "%4.o"]) {
        assert_eq!(key_of(name), None, "{name}");
    }
    assert_eq!(key_of(&format!("{}.c/{}.o", "s".repeat(200), "s".repeat(200))), None);
    assert_eq!(Name::parse("é.o"), Some(Name::Object("é")));
    assert_eq!(Name::parse("éo"), None);
}

proptest! {
    #[test]
    fn a_path_leads_back_to_its_key_and_stays_below_the_root(
        key in "[a-zA-Z%.é/ -]{1,40}|[A-Z]{60,200}(/[é]{90,100})?"
    ) {
        if let Ok(key) = BlobKey::internal(&key) {
            let path = path(key.as_str());
            let found = key_of(&path);
            prop_assert_eq!(found.as_deref(), Some(key.as_str()));
            prop_assert!(path.split('/').all(|name| !matches!(name, "" | "." | "..") && name.len() <= 202));
            prop_assert!(path.bytes().all(|b| b == b'/' || b == b'%' || is_plain(b)));
            prop_assert!(!path.split('/').any(|name| name == PRIVATE));
        }
    }

    #[test]
    fn two_keys_differ_even_where_case_is_folded(keys in prop::collection::vec("[aAbB%4é]{1,6}", 2..20)) {
        let mut seen = BTreeMap::new();
        for key in keys {
            if let Some(other) = seen.insert(path(&key).to_uppercase(), key.clone()) {
                prop_assert_eq!(other, key);
            }
        }
    }
}
