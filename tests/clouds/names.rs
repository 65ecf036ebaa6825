//! Keys that a URL, an XML document or a file system would mangle.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::TryStreamExt;
use ifmatch::{BlobKey, BlobPrefix, ConditionalBlobStore, Error, GetOptions, Precondition};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Cloud, World, each_cloud, key};
use crate::harness::Cases;

/// Sorted by bytes. Each is one segment.
const ODD: [&str; 27] = [
    " ",
    "!$&'()*+,;=",
    "%",
    "%2F",
    "%2f%20",
    "+",
    "...",
    ".x",
    "0",
    "=",
    "?",
    "@",
    "A",
    "[x]",
    "^`{|}",
    "a b",
    "a#b",
    "a%2Fb",
    "a:b",
    "a<b>&\"c\"",
    "a?x=1&y=2",
    "e\u{301}",
    "http:",
    "~",
    "\u{e9}",
    "\u{4f60}\u{597d}",
    "\u{1f600}",
];

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(
        cases,
        s13_odd_keys_are_exact_bytes,
        a_folder_mark_of_another_tool_is_no_blob,
        a_listing_with_a_name_that_is_no_key_fails_at_once,
    );
    cases.add_with_server(
        "ministack::s13_odd_keys_are_exact_bytes",
        "IFMATCH_TEST_S3_URL",
        |url| async move { round_trip(&*ifmatch::open(&url).unwrap()).await },
    );
    cases.add_with_server(
        "azurite::s13_odd_keys_are_exact_bytes",
        "IFMATCH_TEST_AZURE_URL",
        |url| async move { round_trip(&*ifmatch::open(&url).unwrap()).await },
    );
}

async fn s13_odd_keys_are_exact_bytes(cloud: Cloud) {
    let world = World::start(cloud).await;
    round_trip(&world.store()).await;
    assert!(world.server.objects().is_empty(), "{cloud}: every delete found its object");
}

/// Consoles and gateways mark folders by empty objects with a slash at the end.
async fn a_folder_mark_of_another_tool_is_no_blob(cloud: Cloud) {
    let world = World::start(cloud).await;
    let store = world.store();
    put_by_another_tool(&world, "team/").await;
    put_by_another_tool(&world, "team/sub/").await;
    for name in ["team/sub/x", "team/empty"] {
        store.put(&key(name), Bytes::new(), Precondition::IfAbsent).await.unwrap();
    }
    let found = keys(&store, &BlobPrefix::root(), None).await;
    assert_eq!(found, [key("team/empty"), key("team/sub/x")], "{cloud}");
}

/// `object_store` cannot go on behind such a name; asking again is no use.
async fn a_listing_with_a_name_that_is_no_key_fails_at_once(cloud: Cloud) {
    let world = World::start(cloud).await;
    put_by_another_tool(&world, "team//x").await;
    let listed: Result<Vec<_>, _> =
        world.store().list(&BlobPrefix::root(), None).try_collect().await;
    let error = listed.unwrap_err();
    assert_eq!(error.kind(), "other", "{cloud}: {error}");
    assert!(with_cause(&error).contains("team//x"), "{cloud}: {}", with_cause(&error));
    assert_eq!(world.requests().len(), 2, "{cloud}: the put and one page");
}

/// Writes an empty object by a name that is no key.
async fn put_by_another_tool(world: &World, name: &str) {
    let account = if world.cloud == Cloud::Azure { world.server.account() } else { "." };
    let path = format!("/{account}/{}/{name}", world.server.bucket()).replace("/./", "/");
    let request = format!(
        "PUT {path} HTTP/1.1\r\nhost: x\r\nx-ms-blob-type: BlockBlob\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n"
    );
    let address = (std::net::Ipv4Addr::LOCALHOST, world.server.port());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(world.server.object(name).is_some(), "{answer}");
}

/// Writes, reads, lists, replaces and deletes odd keys, each below a folder
/// that is odd too.
async fn round_trip(store: &dyn ConditionalBlobStore) {
    let root = format!("odd {:016x}", store.env().random_u64());
    let (folder, other) = (format!("{root}/50% + é?#"), format!("{root}/50%25 + é?#"));
    let name = |odd: &str| key(&format!("{folder}/{odd}"));
    let mut wanted = BTreeSet::new();
    for odd in ODD {
        let name = name(odd);
        wanted.insert(name.clone());
        let body = Bytes::from(odd);
        let first = store.put(&name, body.clone(), Precondition::IfAbsent).await;
        let first = first.unwrap_or_else(|error| panic!("{name}: {}", with_cause(&error)));
        let again = store.put(&name, body.clone(), Precondition::IfAbsent).await.unwrap_err();
        assert_eq!(again.kind(), "conflict", "{name}: {}", with_cause(&again));
        let body = Bytes::from(format!("{odd} again"));
        let second = store.put(&name, body, Precondition::IfMatch(first.version)).await.unwrap();
        let blob = store.get(&name, GetOptions::new()).await.unwrap().found().unwrap();
        assert_eq!(&blob.body[..], format!("{odd} again").as_bytes(), "{name}");
        assert_eq!(blob.info.version, second.version, "{name}");
        let head = store.head(&name).await.unwrap().unwrap();
        assert_eq!(head.version, second.version, "{name}");
    }
    let decoy = key(&format!("{other}/x"));
    store.put(&decoy, "decoy".into(), Precondition::IfAbsent).await.unwrap();
    let below = BlobPrefix::new(&folder).unwrap();
    let found = keys(store, &below, None).await;
    assert_eq!(found, wanted.iter().cloned().collect::<Vec<_>>(), "in byte order of the key");
    for (number, after) in found.iter().enumerate() {
        let rest = keys(store, &below, Some(after)).await;
        assert_eq!(rest, found[number + 1..], "after {after}");
    }
    for odd in ODD {
        let name = name(odd);
        let info = store.head(&name).await.unwrap().unwrap();
        let under = if store.capabilities().delete_if_match {
            Precondition::IfMatch(info.version)
        } else {
            Precondition::Overwrite
        };
        let deleted = store.delete(&name, under).await;
        deleted.unwrap_or_else(|error| panic!("{name}: {}", with_cause(&error)));
        assert!(store.head(&name).await.unwrap().is_none(), "{name} is gone");
        store.delete(&name, Precondition::Overwrite).await.unwrap();
    }
    let left = keys(store, &BlobPrefix::new(&root).unwrap(), None).await;
    assert_eq!(left, std::slice::from_ref(&decoy));
    store.delete(&decoy, Precondition::Overwrite).await.unwrap();
}

async fn keys(
    store: &dyn ConditionalBlobStore,
    below: &BlobPrefix,
    after: Option<&BlobKey>,
) -> Vec<BlobKey> {
    let listed: Vec<_> = store.list(below, after).try_collect().await.unwrap();
    listed.into_iter().map(|info| info.key).collect()
}

fn with_cause(error: &Error) -> String {
    error.cause().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
