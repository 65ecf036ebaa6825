//! Faults of reads and listings.

use crate::clients::{DIALECTS, body, client, client_with, kind, start, update, write};
use futures::TryStreamExt as _;
use ifmatch_testkit::cloud::{Fault, Matcher, Operation, Outcome};
use object_store::{ObjectStoreExt as _, PutMode, path::Path};
use std::time::Duration;

fn gets() -> Matcher {
    Matcher::any().operation(Operation::Get)
}

#[tokio::test]
async fn a_truncated_body_is_an_error_and_a_retry_resumes_it() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let once = client(&server);
        write(&once, "k", "0123456789", "w1", PutMode::Create).await.unwrap();
        server.inject_times(gets(), Fault::TruncateBody, 2);
        assert_eq!(body(&once, "k").await, Err("Generic"), "{dialect}");
        assert_eq!(server.log()[1].outcome, Outcome::Truncated(200), "{dialect}");
        let patient = client_with(&server, 2, Duration::from_secs(30));
        assert_eq!(body(&patient, "k").await.unwrap(), "0123456789", "{dialect}");
        assert_eq!(server.log().last().unwrap().outcome, Outcome::Answered(206), "{dialect}");
    }
}

#[tokio::test]
async fn a_flipped_bit_reaches_the_client_unnoticed() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        write(&client, "k", "aaaa", "w1", PutMode::Create).await.unwrap();
        server.inject(gets(), Fault::FlipBit(9));
        assert_eq!(body(&client, "k").await.unwrap(), "acaa", "{dialect}");
        assert_eq!(body(&client, "k").await.unwrap(), "aaaa", "{dialect}");
    }
}

#[tokio::test]
async fn a_whole_body_for_a_range_is_noticed_by_the_client() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        write(&client, "k", "0123456789", "w1", PutMode::Create).await.unwrap();
        server.inject(gets(), Fault::IgnoreRange);
        let error = client.get_range(&Path::from("k"), 2..4).await.unwrap_err();
        assert_eq!(kind(&error), "Generic", "{dialect}");
        assert_eq!(server.log()[1].outcome, Outcome::Answered(200), "{dialect}");
    }
}

#[tokio::test]
async fn a_stale_read_shows_the_version_before() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let first = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        server.inject(gets(), Fault::StaleRead);
        assert_eq!(body(&client, "k").await, Err("NotFound"), "{dialect}");
        write(&client, "k", "two", "w2", update(&first)).await.unwrap();
        server.inject(gets(), Fault::StaleRead);
        server.inject(Matcher::any().operation(Operation::Head), Fault::StaleRead);
        assert_eq!(body(&client, "k").await.unwrap(), "one", "{dialect}");
        let head = client.head(&Path::from("k")).await.unwrap();
        assert_eq!((head.e_tag, head.version), (first.e_tag, first.version), "{dialect}");
        assert_eq!(body(&client, "k").await.unwrap(), "two", "{dialect}");
    }
}

#[tokio::test]
async fn a_stale_listing_misses_the_last_changes() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        for key in ["a", "b", "c"] {
            write(&client, key, "one", "w1", PutMode::Create).await.unwrap();
        }
        client.delete(&Path::from("a")).await.unwrap();
        let mut seen = Vec::new();
        for changes in [0, 1, 2, 4] {
            server.inject(Matcher::any().operation(Operation::List), Fault::StaleList(changes));
            let listed: Vec<_> = client.list(None).try_collect().await.unwrap();
            seen.push(listed.iter().map(|meta| meta.location.to_string()).collect::<String>());
        }
        assert_eq!(seen, ["bc", "abc", "ab", ""], "{dialect}");
    }
}
