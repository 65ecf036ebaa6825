//! The XML API of Google Cloud Storage on the wire.

use crate::raw::{Golden, exchange, play};
use ifmatch_testkit::cloud::{CloudConfig, CloudServer, Dialect};

const ONE: &str = "\"f97c5d29941bfb1b2fdab0874906ab82\"";

const SET: &[Golden] = &[
    Golden {
        request: "PUT /bucket/a%2Fb\nx-goog-if-generation-match: 0\nx-goog-meta-ifmatchid: w1\n\none",
        status: 200,
        headers: &[("ETag", ONE), ("x-goog-generation", "=first"), ("x-guploader-uploadid", "*")],
        body: &[],
    },
    Golden {
        request: "PUT /bucket/a%2Fb\nx-goog-if-generation-match: 0\n\ntwo",
        status: 412,
        headers: &[],
        body: &["<Code>PreconditionFailed</Code>"],
    },
    Golden {
        request: "GET /bucket/a%2Fb",
        status: 200,
        headers: &[
            ("ETag", ONE),
            ("x-goog-generation", "{first}"),
            ("Last-Modified", "*"),
            ("Content-Length", "3"),
            ("x-goog-meta-ifmatchid", "w1"),
        ],
        body: &["one"],
    },
    Golden {
        request: "HEAD /bucket/a%2Fb?generation={first}",
        status: 200,
        headers: &[("x-goog-generation", "{first}"), ("Content-Length", "3")],
        body: &[],
    },
    Golden {
        request: "PUT /bucket/a%2Fb\nx-goog-if-generation-match: 7\n\ntwo",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "PUT /bucket/a%2Fb\nx-goog-if-generation-match: seven\n\ntwo",
        status: 400,
        headers: &[],
        body: &["InvalidArgument"],
    },
    Golden {
        request: "PUT /bucket/a%2Fb\nx-goog-if-generation-match: {first}\n\none",
        status: 200,
        headers: &[("ETag", ONE), ("x-goog-generation", "=second")],
        body: &[],
    },
    Golden {
        request: "PUT /bucket/a%2Fb\nx-goog-if-generation-match: {first}\n\ntwo",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "GET /bucket/a%2Fb?generation={first}",
        status: 404,
        headers: &[],
        body: &["NoSuchKey"],
    },
    Golden {
        request: "PUT /bucket/absent\nx-goog-if-generation-match: 7\n\ntwo",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "GET /bucket/a%2Fb\nIf-None-Match: \"f97c5d29941bfb1b2fdab0874906ab82\"",
        status: 304,
        headers: &[("ETag", ONE), ("x-goog-generation", "{second}")],
        body: &[],
    },
    Golden {
        request: "GET /bucket/a%2Fb\nRange: bytes=-2",
        status: 206,
        headers: &[("Content-Range", "bytes 1-2/3")],
        body: &["ne"],
    },
    Golden {
        request: "GET /bucket?list-type=2&prefix=a%2F",
        status: 200,
        headers: &[],
        body: &["<Key>a/b</Key>", "<IsTruncated>false</IsTruncated>", "<Size>3</Size>"],
    },
    // Writes do not look at tags.
    Golden {
        request: "PUT /bucket/a%2Fb\nIf-Match: \"stale\"\n\none",
        status: 200,
        headers: &[("x-goog-generation", "=second")],
        body: &[],
    },
    Golden {
        request: "DELETE /bucket/a%2Fb\nx-goog-if-generation-match: {first}",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "DELETE /bucket/a%2Fb\nx-goog-if-generation-match: {second}",
        status: 204,
        headers: &[],
        body: &[],
    },
    Golden { request: "DELETE /bucket/a%2Fb", status: 404, headers: &[], body: &["NoSuchKey"] },
    Golden { request: "GET /bucket/a%2Fb", status: 404, headers: &[], body: &["NoSuchKey"] },
    Golden { request: "GET /other", status: 404, headers: &[], body: &["NoSuchBucket"] },
    Golden {
        request: "PUT /bucket/c\nx-goog-copy-source: bucket/a",
        status: 501,
        headers: &[],
        body: &["NotImplemented"],
    },
];

#[tokio::test]
async fn gcs_answers_its_golden_set() {
    let server = CloudServer::start(Dialect::Gcs, CloudConfig::default()).await.unwrap();
    play(&server, SET).await;
}

#[tokio::test]
async fn a_denied_request_gets_the_xml_of_gcs() {
    let config = CloudConfig::default().switches(crate::clients::deny());
    let server = CloudServer::start(Dialect::Gcs, config).await.unwrap();
    let reply = exchange(&server, "PUT /bucket/a\n\none").await;
    assert_eq!((reply.status, reply.body.contains("<Code>AccessDenied</Code>")), (403, true));
    assert!(server.objects().is_empty());
}
