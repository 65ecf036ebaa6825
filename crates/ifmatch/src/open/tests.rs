use super::*;

fn refusal(url: &str) -> Error {
    open(url).unwrap_err()
}

#[test]
fn an_unknown_scheme_or_option_lists_the_known_ones() {
    for (url, wanted) in [
        ("ftp://x", "memory://name, file:///dir"),
        ("memory://x?color=red", "there are: probe"),
        ("memory://x?probe=maybe", "create, always or never"),
        ("memory://", "memory://NAME"),
        ("not a url", "not a url"),
        ("memory://x#y", "fragment"),
    ] {
        let error = refusal(url);
        assert_eq!(error.kind(), "invalid", "{url}");
        assert!(error.to_string().contains(wanted), "{url}: {error}");
    }
}

#[cfg(feature = "fs")]
#[test]
fn a_relative_folder_is_refused_before_anything_is_touched() {
    for url in ["file:dir", "file://dir/x", "file:///x?fsync=on", "file:///x?sync=off"] {
        assert_eq!(refusal(url).kind(), "invalid", "{url}");
    }
}

#[cfg(all(feature = "s3", feature = "gcs", feature = "azure"))]
#[test]
fn cloud_urls_are_read_strictly_and_keep_no_secret() {
    for (url, wanted) in [
        ("s3://b?regoin=eu", "endpoint, region, allow_http"),
        ("gs://b?region=eu", "endpoint, allow_http, anonymous"),
        ("az://c?anonymous=true", "endpoint, account"),
        ("s3://b?endpoint=http://127.0.0.1:1", "allow_http=true"),
        ("s3://b?endpoint=ftp://h", "http:// or https://"),
        ("s3://b?timeout=soon", "30s"),
        ("s3://key:CANARY@b", "credentials do not belong into a URL"),
        ("s3://b?endpoint=http://k:CANARY@h&allow_http=true", "no credentials"),
        ("s3://", "s3://BUCKET"),
    ] {
        let error = refusal(url);
        assert_eq!(error.kind(), "invalid", "{url}: {error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(wanted), "{url}: {error}");
        assert!(!text.contains("CANARY"), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_memory_store_is_shared_by_its_name_and_its_folder() {
    use ifmatch_core::{BlobKey, Precondition};
    let (whole, part) = (open("memory://m").unwrap(), open("memory://m/team/a").unwrap());
    let key = BlobKey::new("x").unwrap();
    part.put(&key, "1".into(), Precondition::IfAbsent).await.unwrap();
    let seen = whole.head(&BlobKey::new("team/a/x").unwrap()).await.unwrap();
    assert_eq!(seen.unwrap().size, 1);
}
