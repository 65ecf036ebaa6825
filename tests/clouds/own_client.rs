//! Stores over a client that the user built: no connector of ours is in it, so
//! there is no status code to classify.

use std::sync::Arc;
use std::time::Duration;

use ifmatch::testkit::cloud::{CloudServer, Ending, Fault, Operation};
use ifmatch::{
    ConditionalBlobStore, Env, Error, Fetched, GetOptions, ObjectBlobStore, Precondition, Provider,
};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider,
};

use crate::fixture::{Cloud, QUICK, World, each_cloud, preconditions, write};
use crate::harness::Cases;

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(
        cases,
        w1_a_lost_answer_to_an_own_client_is_no_false_conflict,
        w1_an_own_client_that_retries_by_itself_brings_no_false_conflict,
        an_own_client_has_no_conditional_delete,
        reads_by_an_own_client_answer_as_others_do,
    );
}

/// A store over a client that sends a request again this often by itself.
pub(crate) fn store(world: &World, retries: usize) -> ObjectBlobStore {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (provider, client) = client(world.cloud, &world.server, retries);
    let name = format!("{} over a client of one's own", world.cloud);
    ObjectBlobStore::from_store(client, provider, name, Env::real()).with_retry_policy(QUICK)
}

fn client(
    cloud: Cloud,
    server: &CloudServer,
    max_retries: usize,
) -> (Provider, Arc<dyn ObjectStore>) {
    let options = ClientOptions::new().with_allow_http(true);
    let pause = Duration::from_millis(1);
    let backoff = BackoffConfig { init_backoff: pause, max_backoff: pause, base: 2.0 };
    let retry = RetryConfig { backoff, max_retries, retry_timeout: Duration::from_mins(1) };
    match cloud {
        Cloud::S3 => {
            let builder = AmazonS3Builder::new()
                .with_endpoint(server.url_base())
                .with_bucket_name(server.bucket())
                .with_region("us-east-1")
                .with_access_key_id("test")
                .with_secret_access_key("test")
                .with_client_options(options)
                .with_retry(retry);
            (Provider::S3, Arc::new(builder.build().unwrap()))
        }
        Cloud::Gcs => {
            let credential = GcpCredential { bearer: "token".into() };
            let builder = GoogleCloudStorageBuilder::new()
                .with_base_url(&server.url_base())
                .with_bucket_name(server.bucket())
                .with_credentials(Arc::new(StaticCredentialProvider::new(credential)))
                .with_client_options(options)
                .with_retry(retry);
            (Provider::Gcs, Arc::new(builder.build().unwrap()))
        }
        Cloud::Azure => {
            let builder = MicrosoftAzureBuilder::new()
                .with_endpoint(server.url_base())
                .with_account(server.account())
                .with_access_key("c2VjcmV0")
                .with_container_name(server.bucket())
                .with_client_options(options)
                .with_retry(retry);
            (Provider::Azure, Arc::new(builder.build().unwrap()))
        }
    }
}

async fn w1_a_lost_answer_to_an_own_client_is_no_false_conflict(cloud: Cloud) {
    committed(cloud, 0).await;
}

/// `object_store` then reports our own success as a conflict.
async fn w1_an_own_client_that_retries_by_itself_brings_no_false_conflict(cloud: Cloud) {
    committed(cloud, 3).await;
}

async fn committed(cloud: Cloud, retries: usize) {
    let world = World::start(cloud).await;
    let store = store(&world, retries);
    for ending in [Ending::Close, Ending::status(500), Ending::Reset, Ending::HalfStatusLine] {
        for (key, precondition) in preconditions(&store).await {
            world.server.clear_log();
            world.script(Operation::Put, &[Fault::AfterApply(ending)]);
            let context = format!("{cloud} {ending} {precondition}");
            let stored = write(&store, &key, "mine", precondition.clone()).await;
            let stored = stored.unwrap_or_else(|error| panic!("{context}: {error}"));
            let there = world.server.object(key.as_str()).unwrap();
            assert!(crate::fixture::names(cloud, &stored.version, &there.version), "{context}");
            let applied = world.server.applied_history(key.as_str());
            if precondition != Precondition::Overwrite {
                assert_eq!(applied.len(), 1, "{context}");
            }
            // Without a status code a refusal may be our own success, so it is
            // a conflict only where the object says so.
            let late = write(&store, &key, "late", Precondition::IfAbsent).await.unwrap_err();
            let known = matches!(late, Error::Conflict(_) | Error::OutcomeUnknown(_));
            assert!(known, "{context}: {late}");
            store.delete(&key, Precondition::Overwrite).await.unwrap();
            store.delete(&key, Precondition::Overwrite).await.unwrap();
        }
    }
}

async fn an_own_client_has_no_conditional_delete(cloud: Cloud) {
    let world = World::start(cloud).await;
    let store = store(&world, 0);
    let key = crate::fixture::key("k");
    let stored = write(&store, &key, "x", Precondition::IfAbsent).await.unwrap();
    assert!(!store.capabilities().delete_if_match, "{cloud}");
    let refused = store.delete(&key, Precondition::IfMatch(stored.version)).await.unwrap_err();
    assert_eq!(refused.kind(), "unsupported", "{cloud}: {refused}");
    assert!(world.server.object("k").is_some(), "{cloud}");
}

async fn reads_by_an_own_client_answer_as_others_do(cloud: Cloud) {
    let world = World::start(cloud).await;
    let store = store(&world, 0);
    let key = crate::fixture::key("k");
    let part = GetOptions::new().range(2..5);
    for options in [GetOptions::new(), part.clone()] {
        let absent = store.get(&key, options).await.unwrap();
        assert!(matches!(absent, Fetched::Absent { .. }), "{cloud}: {absent:?}");
    }
    let stored = write(&store, &key, "0123456789", Precondition::IfAbsent).await.unwrap();
    let blob = store.get(&key, part).await.unwrap().found().unwrap();
    assert_eq!(&blob.body[..], b"234", "{cloud}");
    let behind = store.get(&key, GetOptions::new().range(10..11)).await.unwrap_err();
    assert_eq!(behind.kind(), "invalid", "{cloud}: {behind}");
    let same = GetOptions::new().if_none_match(stored.version.clone());
    let same = store.get(&key, same).await.unwrap();
    assert!(matches!(same, Fetched::NotModified { .. }), "{cloud}: {same:?}");
    write(&store, &key, "other", Precondition::Overwrite).await.unwrap();
    let stale = store.get(&key, GetOptions::new().if_match(stored.version)).await.unwrap_err();
    assert_eq!(stale.kind(), "conflict", "{cloud}: {stale}");
}
