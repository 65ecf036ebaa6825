use ifmatch_meta::{DocKey, DocPrecondition, Json};

use super::*;

async fn refused(url: &str) -> Error {
    open_meta_store(url).await.unwrap_err()
}

#[tokio::test]
async fn an_unknown_scheme_or_option_lists_the_known_ones() {
    for (url, wanted) in [
        ("ftp://x", "memory://name, sqlite:PATH, postgres://host/database"),
        ("x", "there are: memory://name"),
        ("blob+ftp://x", "memory://name, file:///dir"),
        ("memory://", "memory://NAME"),
        ("memory://x/y", "memory://NAME"),
        (
            "memory://x?color=red",
            "there are: transactions, audit, author, max_document, max_partition",
        ),
        ("memory://x?transactions=yes", "on or off"),
        ("memory://x?audit", "on or off"),
        ("memory://x?max_document=big", "1MiB"),
        ("blob+memory://x?color=red", "probe; and for documents: transactions, audit"),
        ("memory://x?author=%ff", "UTF-8"),
    ] {
        let error = refused(url).await;
        assert_eq!(error.kind(), "invalid", "{url}: {error}");
        assert!(error.to_string().contains(wanted), "{url}: {error}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn options_of_sqlite_are_read_strictly() {
    for (url, wanted) in [
        ("sqlite:", "sqlite:PATH"),
        ("sqlite:x?color=red", "max_document, durability"),
        ("sqlite:x?max_partition=1", "max_document, durability"),
        ("sqlite:x?durability=none", "full or process"),
    ] {
        let error = refused(url).await;
        assert_eq!(error.kind(), "invalid", "{url}: {error}");
        assert!(error.to_string().contains(wanted), "{url}: {error}");
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn options_of_postgres_are_read_strictly_and_tell_no_secret() {
    for (url, wanted) in [
        ("postgres://u:CANARY@127.0.0.1:1/x?color=red", "schema, connections"),
        ("postgresql://u:CANARY@127.0.0.1:1/x?connections=0", "from 1"),
    ] {
        let error = refused(url).await;
        assert_eq!(error.kind(), "invalid", "{url}: {error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(wanted) && !text.contains("CANARY"), "{url}: {error}");
    }
}

#[tokio::test]
async fn every_option_arrives() {
    let key = DocKey::new("p", "a").unwrap();
    for scheme in ["memory", "blob+memory"] {
        let url = format!(
            "{scheme}://all?transactions=on&author=Ann%20B&max_document=8&audit=on&max_partition=1KiB"
        );
        let store = open_meta_store(&url).await.unwrap();
        let features = store.features();
        assert!(features.transactions && features.audit, "{scheme}");
        assert_eq!(store.author().as_deref(), Some("Ann B"), "{scheme}");
        assert_eq!(store.limits().document, 8);
        store.put(&key, Json::new("1").unwrap(), DocPrecondition::IfAbsent).await.unwrap();
        assert_eq!(store.audit(&key.partition, None, 1).await.unwrap().len(), 1);
        let again = open_meta_store(&format!("{scheme}://all")).await.unwrap();
        assert!(again.get(&key).await.unwrap().is_some(), "{scheme}: shared by its name");
        assert!(!again.features().transactions);
    }
    let below = open_meta_store("blob+memory://all?prefix=team/a").await.unwrap();
    assert!(below.get(&key).await.unwrap().is_none());
    let options = OpenMetaOptions::new().create(false);
    let missing = options.open("blob+memory://none").await.unwrap_err();
    assert_eq!(missing.kind(), "not_found");
}
