//! URLs, credentials, and what an opened store shows. A case about variables of
//! the environment runs in a process of its own that has exactly those.

use std::process::Command;
use std::time::Duration;

use ifmatch_core::{BlobKey, ConditionalBlobStore, Endpoint, Error, GetOptions, RetryPolicy};

use super::super::store::Provider;
use super::*;

/// Which case a child process is to run.
const CASE: &str = "IFMATCH_TEST_CASE";

/// A secret; as base64 it is a key, too.
const CANARY: &str = "Q0FOQVJZY2FuYXJ5Q0FOQVJZ";

/// Runs `case`, the body of the test `name`, with these variables and no others.
fn with_environment(name: &str, variables: &[(&str, &str)], case: impl FnOnce()) {
    if std::env::var(CASE).as_deref() == Ok(name) {
        return case();
    }
    let test = format!("cloud::open::tests::{name}");
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args([test.as_str(), "--exact", "--nocapture"])
        .env_clear()
        .envs(variables.iter().copied())
        .env(CASE, name)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{failed}");
    for text in [said, failed] {
        assert!(!text.contains(CANARY), "{text}");
    }
}

fn opened(url: &str) -> Result<ObjectBlobStore> {
    open_cloud(&Url::parse(url).unwrap(), Env::real())
}

fn parsed(url: &str) -> Result<CloudOptions> {
    CloudOptions::parse(&Url::parse(url).unwrap())
}

#[test]
fn an_option_that_a_provider_does_not_have_is_invalid_and_lists_those_it_has() {
    for (url, known) in [
        ("s3://b?account=a", "endpoint, region, allow_http, virtual_hosted, anonymous, timeout"),
        ("s3://b?Region=x", "endpoint, region, allow_http, virtual_hosted, anonymous, timeout"),
        ("gs://b?region=x", "endpoint, allow_http, anonymous, timeout, probe"),
        ("gs://b?virtual_hosted=true", "endpoint, allow_http, anonymous, timeout, probe"),
        ("az://b?region=x", "endpoint, account, allow_http, timeout, probe"),
        ("az://b?anonymous=true", "endpoint, account, allow_http, timeout, probe"),
        ("az://b?=", "endpoint, account, allow_http, timeout, probe"),
    ] {
        let error = parsed(url).unwrap_err();
        assert_eq!(error.kind(), "invalid", "{url}");
        assert!(error.to_string().contains(known), "{url}: {error}");
    }
}

#[test]
fn a_value_that_an_option_does_not_take_is_invalid() {
    for (url, wanted) in [
        ("s3://b?allow_http=yes", "true or false"),
        ("s3://b?virtual_hosted=1", "true or false"),
        ("s3://b?anonymous=", "true or false"),
        ("s3://b?timeout=5", "30s, 500ms or 2m"),
        ("s3://b?timeout=0ms", "30s, 500ms or 2m"),
        ("s3://b?timeout=-1s", "30s, 500ms or 2m"),
        ("s3://b?timeout=1.5s", "30s, 500ms or 2m"),
        ("s3://b?timeout=99999999999999999999s", "30s, 500ms or 2m"),
        ("s3://b?timeout=9999999999999999999m", "30s, 500ms or 2m"),
        ("s3://b?endpoint=", "endpoint"),
        ("s3://b?endpoint=localhost:9000", "http:// or https://"),
        ("s3://b?endpoint=file:///etc", "http:// or https://"),
        ("s3://b?endpoint=http://127.0.0.1:1", "add allow_http=true"),
        ("s3://b?endpoint=https://user:CANARY@h", "no credentials"),
        ("s3://b?endpoint=https://h?sig=CANARY", "no query"),
        ("s3://key:CANARY@b", "environment variables"),
        ("s3://", "needs a bucket"),
        ("http://b", "no cloud's scheme"),
    ] {
        let error = parsed(url).unwrap_err();
        assert_eq!(error.kind(), "invalid", "{url}");
        let text = error.to_string();
        assert!(text.contains(wanted) && !text.contains("CANARY"), "{url}: {text}");
    }
}

#[test]
fn options_that_fit_are_taken() {
    let options = parsed(
        "s3://bucket/prefix?endpoint=http%3A%2F%2F127.0.0.1%3A9000&region=eu-north-1\
         &allow_http=true&virtual_hosted=true&anonymous=true&timeout=1500ms&probe=never",
    )
    .unwrap();
    assert_eq!((options.provider, options.bucket.as_str()), (Provider::S3, "bucket"));
    assert_eq!(options.endpoint.unwrap().as_str(), "http://127.0.0.1:9000/");
    assert_eq!(options.region.as_deref(), Some("eu-north-1"));
    assert!(options.allow_http && options.virtual_hosted && options.anonymous);
    assert_eq!(options.timeout, Duration::from_millis(1_500));
    assert_eq!(parsed("gs://b?timeout=2m").unwrap().timeout, Duration::from_mins(2));
    assert_eq!(parsed("az://c?account=me").unwrap().account.as_deref(), Some("me"));
}

#[test]
fn missing_credentials_at_a_custom_endpoint_are_denied_by_name() {
    with_environment("missing_credentials_at_a_custom_endpoint_are_denied_by_name", &[], || {
        let endpoint = "endpoint=http://127.0.0.1:1&allow_http=true";
        for (url, variables) in [
            ("s3://b", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
            ("gs://b", ["GOOGLE_APPLICATION_CREDENTIALS", "anonymous=true"]),
            ("az://b", ["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCOUNT_KEY"]),
        ] {
            let error = opened(&format!("{url}?{endpoint}")).unwrap_err();
            assert_eq!(error.kind(), "denied", "{url}: {error}");
            assert!(error.to_string().contains(url), "{url}: {error}");
            let cause = error.cause().unwrap().to_string();
            for variable in variables {
                assert!(cause.contains(variable), "{url}: {cause}");
            }
        }
        for url in ["s3://b", "gs://b"] {
            opened(&format!("{url}?{endpoint}&anonymous=true")).unwrap();
        }
    });
}

#[test]
fn an_azure_url_without_an_account_is_invalid_and_says_where_to_put_it() {
    let name = "an_azure_url_without_an_account_is_invalid_and_says_where_to_put_it";
    with_environment(name, &[("AZURE_STORAGE_ACCOUNT_KEY", CANARY)], || {
        let error = opened("az://c").unwrap_err();
        assert_eq!(error.kind(), "invalid", "{error}");
        assert!(error.to_string().contains("AZURE_STORAGE_ACCOUNT_NAME"), "{error}");
        opened("az://c?account=me").unwrap();
    });
}

#[test]
fn credentials_that_cannot_be_used_are_an_error_without_them() {
    let bad = format!("{CANARY}!");
    let variables =
        [("AZURE_STORAGE_ACCOUNT_KEY", bad.as_str()), ("AZURE_STORAGE_ACCOUNT_NAME", "a")];
    let name = "credentials_that_cannot_be_used_are_an_error_without_them";
    with_environment(name, &variables, || {
        let error = opened("az://c").unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains(CANARY), "the key is shown");
    });
}

#[test]
fn no_secret_is_shown_by_a_store_or_by_its_failures() {
    let name = "no_secret_is_shown_by_a_store_or_by_its_failures";
    let variables = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", CANARY),
        ("AWS_SESSION_TOKEN", CANARY),
        ("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=Q0FOQVJZY2FuYXJ5Q0FOQVJZ"),
    ];
    with_environment(name, &variables, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Nobody listens on port 1.
        for url in [
            "s3://b?endpoint=http://127.0.0.1:1&allow_http=true&region=us-east-1",
            "az://c?endpoint=http://127.0.0.1:1/a&account=a&allow_http=true",
        ] {
            let policy = RetryPolicy::default().with_max_attempts(1);
            let store = opened(url).unwrap().with_retry_policy(policy);
            let shown = format!("{store} {store:?} {}", store.endpoint());
            assert!(!shown.contains(CANARY), "{url} shows a secret");
            let key = BlobKey::new("k").unwrap();
            let failures: [Error; 3] = runtime.block_on(async {
                let under = ifmatch_core::Precondition::Overwrite;
                [
                    store.get(&key, GetOptions::new()).await.unwrap_err(),
                    store.put(&key, "x".into(), under.clone()).await.unwrap_err(),
                    store.delete(&key, under).await.unwrap_err(),
                ]
            });
            for error in failures {
                assert_eq!(error.kind(), "unavailable", "{url}");
                let cause = error.cause().unwrap();
                let shown = format!("{error} {error:?} {cause} {cause:?}");
                assert!(!shown.contains(CANARY), "{url}: an error shows a secret");
            }
        }
    });
}

#[test]
fn an_endpoint_is_scheme_host_and_port_alone() {
    let name = "an_endpoint_is_scheme_host_and_port_alone";
    with_environment(name, &[("AZURE_STORAGE_ACCOUNT_KEY", CANARY)], || {
        for (url, wanted) in [
            ("s3://b/p?endpoint=https://h:9000/x&anonymous=true", "https://h:9000"),
            ("s3://b?endpoint=https://h:443&anonymous=true", "https://h"),
            ("s3://b?region=eu-north-1&anonymous=true", "s3:eu-north-1"),
            ("gs://b?anonymous=true", "gs"),
            (
                "az://c?endpoint=http://127.0.0.1:7/a&account=a&allow_http=true",
                "http://127.0.0.1:7",
            ),
            ("az://c?account=a", "az:a"),
        ] {
            assert_eq!(opened(url).unwrap().endpoint(), Endpoint::new(wanted), "{url}");
        }
    });
}
