//! The matrix of results that the real clients got from ministack (S3) and
//! azurite (Azure), row by row; GCS by its generations.

use crate::clients::{
    DIALECTS, body, client, s3_without_bulk_delete, start, update, verdict, write,
};
use futures::TryStreamExt as _;
use ifmatch_testkit::cloud::{CloudConfig, CloudServer, Dialect, Operation};
use object_store::{
    Attribute, GetOptions, ObjectStoreExt as _, PutMode, UpdateVersion, path::Path,
};

#[tokio::test]
async fn create_on_an_existing_key_already_exists() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let first = write(&client, "k", "one", "w1", PutMode::Create).await;
        let second = write(&client, "k", "two", "w2", PutMode::Create).await;
        assert_eq!((verdict(&first), verdict(&second)), ("ok", "AlreadyExists"), "{dialect}");
        assert_eq!(body(&client, "k").await.unwrap(), "one");
    }
}

#[tokio::test]
async fn update_takes_the_current_version_and_refuses_a_stale_one() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let first = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        let second = write(&client, "k", "two", "w2", update(&first)).await.unwrap();
        assert_ne!(first.e_tag, second.e_tag, "{dialect}");
        let stale = write(&client, "k", "three", "w3", update(&first)).await;
        assert_eq!(verdict(&stale), "Precondition", "{dialect}");
        assert_eq!(body(&client, "k").await.unwrap(), "two");
    }
}

#[tokio::test]
async fn update_of_a_missing_key_is_refused() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let nothing = UpdateVersion { e_tag: Some("\"x\"".into()), version: Some("7".into()) };
        let never = write(&client, "k", "one", "w1", PutMode::Update(nothing)).await;
        let first = write(&client, "k", "one", "w2", PutMode::Create).await.unwrap();
        client.delete(&Path::from("k")).await.unwrap();
        let deleted = write(&client, "k", "two", "w3", update(&first)).await;
        assert_eq!(
            (verdict(&never), verdict(&deleted)),
            ("Precondition", "Precondition"),
            "{dialect}"
        );
        assert!(server.objects().is_empty());
        let statuses: Vec<_> =
            server.log().iter().flat_map(|e| e.deliveries.clone()).map(|d| d.status).collect();
        assert_eq!(statuses[0], if dialect == Dialect::S3 { 404 } else { 412 }, "{dialect}");
    }
}

#[tokio::test]
async fn conditional_reads_are_not_modified_or_refused() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let key = Path::from("k");
        let tag = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap().e_tag.unwrap();
        for head in [false, true] {
            let known =
                GetOptions { if_none_match: Some(tag.clone()), head, ..GetOptions::default() };
            assert_eq!(verdict(&client.get_opts(&key, known).await), "NotModified", "{dialect}");
            let stale =
                GetOptions { if_match: Some("\"x\"".into()), head, ..GetOptions::default() };
            assert_eq!(verdict(&client.get_opts(&key, stale).await), "Precondition", "{dialect}");
            let current = GetOptions { if_match: Some(tag.clone()), head, ..GetOptions::default() };
            assert_eq!(verdict(&client.get_opts(&key, current).await), "ok", "{dialect}");
        }
        let range = Some((0..1).into());
        let stale = GetOptions { if_match: Some("\"x\"".into()), range, ..GetOptions::default() };
        assert_eq!(verdict(&client.get_opts(&key, stale).await), "Precondition", "{dialect}");
    }
}

#[tokio::test]
async fn only_s3_takes_the_first_version_after_a_b_a() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let first = write(&client, "k", "A", "w1", PutMode::Create).await.unwrap();
        let second = write(&client, "k", "B", "w2", update(&first)).await.unwrap();
        let third = write(&client, "k", "A", "w3", update(&second)).await.unwrap();
        let by_content = dialect != Dialect::Azure;
        assert_eq!(first.e_tag == third.e_tag, by_content, "{dialect}");
        assert_eq!(third.version.is_some(), dialect == Dialect::Gcs);
        let returned = write(&client, "k", "C", "w4", update(&first)).await;
        let wanted = if dialect == Dialect::S3 { "ok" } else { "Precondition" };
        assert_eq!(verdict(&returned), wanted, "{dialect}");
    }
}

#[tokio::test]
async fn head_and_get_tell_what_put_stored() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let key = Path::from("deep/er/k");
        let put = write(&client, "deep/er/k", "one", "w1", PutMode::Create).await.unwrap();
        let head = client.head(&key).await.unwrap();
        assert_eq!((head.e_tag, head.version, head.size), (put.e_tag, put.version, 3), "{dialect}");
        let got = client.get(&key).await.unwrap();
        let id = got.attributes.get(&Attribute::Metadata("ifmatchid".into())).cloned();
        assert_eq!(id.as_deref(), Some("w1"), "{dialect}");
        let range = client.get_range(&key, 1..3).await.unwrap();
        assert_eq!(&range[..], b"ne", "{dialect}");
    }
}

#[tokio::test]
async fn delete_of_a_missing_key_is_an_error_except_on_s3() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let key = Path::from("k");
        write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        let first = client.delete(&key).await;
        let second = client.delete(&key).await;
        let wanted = if dialect == Dialect::S3 { "ok" } else { "NotFound" };
        assert_eq!((verdict(&first), verdict(&second)), ("ok", wanted), "{dialect}");
        assert_eq!(body(&client, "k").await, Err("NotFound"), "{dialect}");
    }
}

#[tokio::test]
async fn s3_deletes_in_bulk_and_one_by_one() {
    let server = start(Dialect::S3).await;
    let (bulk, plain) = (client(&server), s3_without_bulk_delete(&server));
    for client in [&bulk, &plain] {
        write(client, "a/ü & b", "one", "w1", PutMode::Create).await.unwrap();
        client.delete(&Path::from("a/ü & b")).await.unwrap();
        client.delete(&Path::from("a/ü & b")).await.unwrap();
    }
    let kinds: Vec<_> =
        server.log().iter().map(|entry| (entry.request.operation, entry.applied())).collect();
    assert_eq!(kinds[1..3], [(Operation::DeleteMany, true), (Operation::DeleteMany, false)]);
    assert_eq!(kinds[4..6], [(Operation::Delete, true), (Operation::Delete, false)]);
}

#[tokio::test]
async fn a_listing_over_several_pages_is_whole_and_in_byte_order() {
    for dialect in DIALECTS {
        let config = CloudConfig::default().page_size(3);
        let server = CloudServer::start(dialect, config).await.unwrap();
        let client = client(&server);
        let mut keys: Vec<String> =
            ["p/a", "p/b/c", "p/B", "p/é", "p/a-1", "p/b-", "p/a/z", "p/zz"]
                .map(str::to_owned)
                .to_vec();
        for key in keys.iter().map(String::as_str).chain(["o", "q/a"]) {
            let options = PutMode::Create.into();
            client.put_opts(&Path::parse(key).unwrap(), "x".into(), options).await.unwrap();
        }
        keys.sort();
        let prefix = Path::from("p");
        let listed: Vec<_> = client.list(Some(&prefix)).try_collect().await.unwrap();
        let names: Vec<_> = listed.iter().map(|meta| meta.location.to_string()).collect();
        assert_eq!(names, keys, "{dialect}");
        let offset = Path::parse("p/a/z").unwrap();
        let rest: Vec<_> =
            client.list_with_offset(Some(&prefix), &offset).try_collect().await.unwrap();
        let names: Vec<_> = rest.iter().map(|meta| meta.location.to_string()).collect();
        let after: Vec<_> = keys.iter().filter(|key| key.as_str() > "p/a/z").cloned().collect();
        assert_eq!(names, after, "{dialect}");
        let level = client.list_with_delimiter(Some(&prefix)).await.unwrap();
        let prefixes: Vec<_> = level.common_prefixes.iter().map(ToString::to_string).collect();
        assert_eq!(
            (prefixes, level.objects.len()),
            (vec!["p/a".to_owned(), "p/b".to_owned()], 6),
            "{dialect}"
        );
    }
}

#[tokio::test]
async fn the_tag_of_a_listing_is_the_tag_of_the_put_except_on_azure() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let put = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap().e_tag.unwrap();
        let listed: Vec<_> = client.list(None).try_collect().await.unwrap();
        let tag = listed[0].e_tag.clone().unwrap();
        assert_eq!(tag == put, dialect != Dialect::Azure, "{dialect}");
        assert_eq!(tag.trim_matches('"'), put.trim_matches('"'), "{dialect}");
    }
}

#[tokio::test]
async fn an_upload_in_parts_lands_as_one_object() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let key = Path::from("big");
        let mut upload = client.put_multipart(&key).await.unwrap();
        upload.put_part("one".into()).await.unwrap();
        upload.put_part("two".into()).await.unwrap();
        let done = upload.complete().await.unwrap();
        assert_eq!(body(&client, "big").await.unwrap(), "onetwo", "{dialect}");
        assert_eq!(client.head(&key).await.unwrap().e_tag, done.e_tag, "{dialect}");
        assert_eq!(server.applied_history("big").len(), 1, "{dialect}");
    }
}
