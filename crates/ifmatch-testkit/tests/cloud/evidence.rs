//! The log, the counts, the plan and the clock.

use crate::clients::{DIALECTS, client, start, update, write};
use ifmatch_testkit::cloud::{
    CloudConfig, CloudServer, Dialect, Ending, Fault, Matcher, Operation, Outcome, seeded,
};
use object_store::{Attribute, Attributes, ObjectStoreExt as _, PutMode, PutOptions, path::Path};
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn the_log_tells_what_a_request_carried() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let first = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::Metadata("ifmatchid".into()), "w2".into());
        attributes.insert(Attribute::Metadata("ifmatchbase".into()), "base".into());
        let options = PutOptions { mode: update(&first), attributes, ..PutOptions::default() };
        client.put_opts(&Path::from("k"), "three".into(), options).await.unwrap();

        let log = server.log();
        let create = &log[0].request.conditions;
        let update = &log[1].request.conditions;
        if dialect == Dialect::Gcs {
            let generation = first.version.as_ref().and_then(|version| version.parse().ok());
            assert_eq!(create.if_generation_match, Some(0));
            assert_eq!(update.if_generation_match, generation);
        } else {
            assert_eq!(create.if_none_match.as_deref(), Some("*"));
            assert_eq!(update.if_match, first.e_tag);
        }
        let request = &log[1].request;
        assert_eq!((request.seq, request.key(), request.method.as_str()), (1, "k", "PUT"));
        assert_eq!((request.dialect, request.body_len), (dialect, 5));
        assert_eq!(request.write_id.as_deref(), Some("w2"));
        assert_eq!(request.write_base.as_deref(), Some("base"));
        let scheme = match dialect {
            Dialect::S3 => "AWS4-HMAC-SHA256",
            Dialect::Gcs => "Bearer",
            _ => "SharedKey",
        };
        assert_eq!(request.authorization.as_deref(), Some(scheme), "{dialect}");
        assert!(
            request.vendor_headers.iter().any(|name| name.ends_with("-meta-ifmatchid")),
            "{dialect}"
        );
        assert!(log[1].bytes_in > 5 && log[1].bytes_out > 0, "{dialect}");
        let tag = server.object("k").unwrap().version.etag;
        assert_eq!(log[1].version().map(|version| &version.etag), Some(&tag), "{dialect}");

        let history = server.applied_history("k");
        assert_eq!(history[1].write_base.as_deref(), Some("base"), "{dialect}");
        assert_eq!(history[1].replaced, history[0].version, "{dialect}");
        client.delete(&Path::from("k")).await.unwrap();
        assert_eq!(server.applied_history("k")[2].version, None, "{dialect}");
        server.clear_log();
        assert!(server.log().is_empty() && server.applied_history("k").is_empty(), "{dialect}");
    }
}

#[tokio::test]
async fn counts_are_by_fault_operation_and_outcome() {
    let server = start(Dialect::S3).await;
    let client = client(&server);
    server.inject_times(Matcher::any().conditional(true), Fault::AfterApply(Ending::Close), 2);
    for key in ["a", "b", "c"] {
        let _ = write(&client, key, "one", "w1", PutMode::Create).await;
    }
    let _ = write(&client, "c", "one", "w1", PutMode::Create).await;
    let counts: Vec<_> = server
        .counts()
        .into_iter()
        .map(|(key, count)| (key.fault, key.operation, key.outcome, count))
        .collect();
    assert_eq!(
        counts,
        [
            ("after-apply/close".to_owned(), Operation::Put, Outcome::Closed, 2),
            ("none".to_owned(), Operation::Put, Outcome::Answered(200), 1),
            ("none".to_owned(), Operation::Put, Outcome::Answered(412), 1),
        ]
    );
}

#[tokio::test]
async fn a_seeded_plan_repeats_itself() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let server = start(Dialect::S3).await;
        let client = client(&server);
        let faults = vec![Fault::BeforeApply(Ending::status(500)), Fault::DeliverTwice];
        server.plan(seeded(seed, 400, faults));
        for _ in 0..40 {
            let _ = write(&client, "k", "one", "w1", PutMode::Overwrite).await;
        }
        runs.push(server.log().iter().map(|entry| entry.fault).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&None) && runs[0].contains(&Some(Fault::DeliverTwice)));
}

#[tokio::test]
async fn the_script_comes_before_the_plan() {
    let server = start(Dialect::S3).await;
    let client = client(&server);
    server.plan(|request| (request.key() == "k").then_some(Fault::OmitEtag));
    server.inject(Matcher::any().key_contains("k"), Fault::DeliverTwice);
    for _ in 0..2 {
        let _ = write(&client, "k", "one", "w1", PutMode::Overwrite).await;
    }
    server.clear_faults();
    write(&client, "k", "one", "w1", PutMode::Overwrite).await.unwrap();
    let faults: Vec<_> = server.log().iter().map(|entry| entry.fault).collect();
    assert_eq!(faults, [Some(Fault::DeliverTwice), Some(Fault::OmitEtag), None]);
}

#[tokio::test]
async fn dates_come_from_the_injected_clock() {
    for dialect in DIALECTS {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let config = CloudConfig::default().clock(move || then);
        let server = CloudServer::start(dialect, config).await.unwrap();
        let client = client(&server);
        write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        let head = client.head(&Path::from("k")).await.unwrap();
        assert_eq!(head.last_modified.timestamp(), 1_000_000_000, "{dialect}");
        let listed = client.list_with_delimiter(None).await.unwrap();
        assert_eq!(listed.objects[0].last_modified, head.last_modified, "{dialect}");
        assert_eq!(server.object("k").unwrap().last_modified, then, "{dialect}");
    }
}
