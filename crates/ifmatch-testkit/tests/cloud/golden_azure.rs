//! Azure Blob Storage on the wire.

use crate::raw::{Golden, exchange, play};
use ifmatch_testkit::cloud::{CloudConfig, CloudServer, Dialect};

const SET: &[Golden] = &[
    Golden {
        request: "PUT /devstoreaccount1/bucket/a/b\nx-ms-blob-type: BlockBlob\nIf-None-Match: *\nx-ms-meta-ifmatchid: w1\nx-ms-blob-content-type: text/plain\n\none",
        status: 201,
        headers: &[
            ("ETag", "=first"),
            ("Last-Modified", "*"),
            ("x-ms-request-id", "*"),
            ("x-ms-version", "*"),
        ],
        body: &[],
    },
    Golden {
        request: "PUT /devstoreaccount1/bucket/a/b\nx-ms-blob-type: BlockBlob\nIf-None-Match: *\n\ntwo",
        status: 409,
        headers: &[("x-ms-error-code", "BlobAlreadyExists")],
        body: &["<Code>BlobAlreadyExists</Code>"],
    },
    Golden {
        request: "GET /devstoreaccount1/bucket/a/b",
        status: 200,
        headers: &[
            ("ETag", "{first}"),
            ("Content-Length", "3"),
            ("Content-Type", "text/plain"),
            ("x-ms-blob-type", "BlockBlob"),
            ("x-ms-meta-ifmatchid", "w1"),
        ],
        body: &["one"],
    },
    Golden {
        request: "PUT /devstoreaccount1/bucket/a/b\nx-ms-blob-type: BlockBlob\nIf-Match: {first}\n\none",
        status: 201,
        headers: &[("ETag", "=second")],
        body: &[],
    },
    Golden {
        request: "PUT /devstoreaccount1/bucket/a/b\nx-ms-blob-type: BlockBlob\nIf-Match: {first}\n\ntwo",
        status: 412,
        headers: &[("x-ms-error-code", "ConditionNotMet")],
        body: &["ConditionNotMet"],
    },
    Golden {
        request: "PUT /devstoreaccount1/bucket/absent\nx-ms-blob-type: BlockBlob\nIf-Match: {first}\n\ntwo",
        status: 412,
        headers: &[("x-ms-error-code", "ConditionNotMet")],
        body: &["ConditionNotMet"],
    },
    Golden {
        request: "PUT /devstoreaccount1/bucket/a/b\n\ntwo",
        status: 400,
        headers: &[("x-ms-error-code", "MissingRequiredHeader")],
        body: &[],
    },
    Golden {
        request: "HEAD /devstoreaccount1/bucket/a/b",
        status: 200,
        headers: &[("ETag", "{second}"), ("Content-Length", "3")],
        body: &[],
    },
    Golden {
        request: "GET /devstoreaccount1/bucket/a/b\nIf-None-Match: {second}",
        status: 304,
        headers: &[("x-ms-error-code", "ConditionNotMet")],
        body: &[],
    },
    Golden {
        request: "GET /devstoreaccount1/bucket/a/b\nx-ms-range: bytes=0-1",
        status: 206,
        headers: &[("Content-Range", "bytes 0-1/3")],
        body: &["on"],
    },
    Golden {
        request: "GET /devstoreaccount1/bucket/a/b\nRange: bytes=9-",
        status: 416,
        headers: &[("x-ms-error-code", "InvalidRange")],
        body: &[],
    },
    Golden {
        request: "GET /devstoreaccount1/bucket?restype=container&comp=list&prefix=a%2F",
        status: 200,
        headers: &[],
        body: &[
            "<Name>a/b</Name>",
            "<Etag>0x8D",
            "<Content-Length>3</Content-Length>",
            "<NextMarker></NextMarker>",
        ],
    },
    Golden {
        request: "GET /devstoreaccount1/bucket?restype=container&comp=list&startFrom=a%2Fc",
        status: 200,
        headers: &[],
        body: &["<Blobs></Blobs>"],
    },
    Golden {
        request: "DELETE /devstoreaccount1/bucket/a/b\nIf-Match: {first}",
        status: 412,
        headers: &[("x-ms-error-code", "ConditionNotMet")],
        body: &[],
    },
    Golden {
        request: "DELETE /devstoreaccount1/bucket/a/b\nIf-Match: {second}",
        status: 202,
        headers: &[],
        body: &[],
    },
    Golden {
        request: "DELETE /devstoreaccount1/bucket/a/b",
        status: 404,
        headers: &[("x-ms-error-code", "BlobNotFound")],
        body: &["BlobNotFound"],
    },
    Golden {
        request: "GET /devstoreaccount1/bucket/a/b",
        status: 404,
        headers: &[("x-ms-error-code", "BlobNotFound")],
        body: &[],
    },
    Golden {
        request: "GET /devstoreaccount1/other/a",
        status: 404,
        headers: &[("x-ms-error-code", "ContainerNotFound")],
        body: &[],
    },
    Golden {
        request: "PUT /devstoreaccount1/bucket/m?comp=block&blockid=MQ%3D%3D\n\none",
        status: 201,
        headers: &[],
        body: &[],
    },
    Golden {
        request: "PUT /devstoreaccount1/bucket/m?comp=blocklist\nIf-None-Match: *\n\n<BlockList><Uncommitted>MQ==</Uncommitted></BlockList>",
        status: 201,
        headers: &[("ETag", "*")],
        body: &[],
    },
    Golden { request: "GET /devstoreaccount1/bucket/m", status: 200, headers: &[], body: &["one"] },
];

#[tokio::test]
async fn azure_answers_its_golden_set() {
    let server = CloudServer::start(Dialect::Azure, CloudConfig::default()).await.unwrap();
    play(&server, SET).await;
}

#[tokio::test]
async fn a_denied_request_gets_the_error_code_of_azure() {
    let config = CloudConfig::default().switches(crate::clients::deny());
    let server = CloudServer::start(Dialect::Azure, config).await.unwrap();
    let reply = exchange(&server, "GET /devstoreaccount1/bucket/a").await;
    assert_eq!(
        (reply.status, reply.header("x-ms-error-code")),
        (403, Some("AuthorizationFailure"))
    );
}
