//! S3 on the wire. The tags are the MD5 of `one` and `two`; that of the upload
//! in parts is the MD5 of the MD5 of `one`.

use crate::raw::{Golden, exchange, play};
use ifmatch_testkit::cloud::{CloudConfig, CloudServer, Dialect};

const ONE: &str = "\"f97c5d29941bfb1b2fdab0874906ab82\"";
const TWO: &str = "\"b8a9f715dbb64fd5c56e7783c6820a61\"";

const SET: &[Golden] = &[
    Golden {
        request: "PUT /bucket/a/b\nIf-None-Match: *\nx-amz-meta-ifmatchid: w1\nContent-Type: text/plain\n\none",
        status: 200,
        headers: &[
            ("ETag", ONE),
            ("x-amz-request-id", "*"),
            ("Content-Length", "0"),
            ("Server", "AmazonS3"),
        ],
        body: &[],
    },
    Golden {
        request: "PUT /bucket/a/b\nIf-None-Match: *\n\ntwo",
        status: 412,
        headers: &[("Content-Type", "application/xml")],
        body: &["<Code>PreconditionFailed</Code>"],
    },
    Golden {
        request: "GET /bucket/a/b",
        status: 200,
        headers: &[
            ("ETag", ONE),
            ("Last-Modified", "*"),
            ("Content-Length", "3"),
            ("Content-Type", "text/plain"),
            ("Accept-Ranges", "bytes"),
            ("x-amz-meta-ifmatchid", "w1"),
        ],
        body: &["one"],
    },
    Golden {
        request: "HEAD /bucket/a/b",
        status: 200,
        headers: &[("ETag", ONE), ("Content-Length", "3"), ("x-amz-meta-ifmatchid", "w1")],
        body: &[],
    },
    Golden {
        request: "GET /bucket/a/b\nRange: bytes=1-7",
        status: 206,
        headers: &[("Content-Range", "bytes 1-2/3"), ("Content-Length", "2")],
        body: &["ne"],
    },
    Golden {
        request: "GET /bucket/a/b\nRange: bytes=3-",
        status: 416,
        headers: &[("Content-Range", "bytes */3")],
        body: &["<Code>InvalidRange</Code>"],
    },
    Golden {
        request: "GET /bucket/a/b\nIf-None-Match: \"f97c5d29941bfb1b2fdab0874906ab82\"",
        status: 304,
        headers: &[("ETag", ONE)],
        body: &[],
    },
    Golden {
        request: "GET /bucket/a/b\nIf-Match: \"stale\"",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "PUT /bucket/a/b\nIf-Match: \"stale\"\n\ntwo",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "PUT /bucket/a/b\nIf-Match: W/\"f97c5d29941bfb1b2fdab0874906ab82\"\n\ntwo",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "PUT /bucket/a/b\nIf-Match: \"f97c5d29941bfb1b2fdab0874906ab82\"\n\ntwo",
        status: 200,
        headers: &[("ETag", TWO)],
        body: &[],
    },
    Golden { request: "PUT /bucket/a/b\n\none", status: 200, headers: &[("ETag", ONE)], body: &[] },
    Golden {
        request: "PUT /bucket/absent\nIf-Match: \"x\"\n\ntwo",
        status: 404,
        headers: &[],
        body: &["<Code>NoSuchKey</Code>"],
    },
    Golden {
        request: "PUT /bucket/a/b\nIf-None-Match: \"x\"\n\ntwo",
        status: 501,
        headers: &[],
        body: &["NotImplemented"],
    },
    Golden { request: "GET /bucket/absent", status: 404, headers: &[], body: &["NoSuchKey"] },
    Golden { request: "HEAD /bucket/absent", status: 404, headers: &[], body: &[] },
    Golden { request: "GET /other/a", status: 404, headers: &[], body: &["NoSuchBucket"] },
    Golden { request: "GET /bucket/a/b?acl", status: 501, headers: &[], body: &["NotImplemented"] },
    Golden {
        request: "PUT /bucket/c\nx-amz-copy-source: /bucket/a/b",
        status: 501,
        headers: &[],
        body: &["NotImplemented"],
    },
    Golden { request: "PUT /bucket/a/%C3%A9%26+\n\none", status: 200, headers: &[], body: &[] },
    Golden {
        request: "GET /bucket?list-type=2&prefix=a%2F&max-keys=1",
        status: 200,
        headers: &[("Content-Type", "application/xml")],
        body: &[
            "<Key>a/b</Key>",
            "<ETag>&quot;f97c5d29941bfb1b2fdab0874906ab82&quot;</ETag>",
            "<Size>3</Size>",
            "<IsTruncated>true</IsTruncated>",
            "<NextContinuationToken>",
        ],
    },
    Golden {
        request: "GET /bucket?list-type=2&prefix=a%2F&start-after=a%2Fb",
        status: 200,
        headers: &[],
        body: &[
            "<Key>a/é&amp;+</Key>",
            "<KeyCount>1</KeyCount>",
            "<IsTruncated>false</IsTruncated>",
        ],
    },
    Golden {
        request: "GET /bucket?list-type=2&delimiter=%2F",
        status: 200,
        headers: &[],
        body: &["<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>", "<KeyCount>1</KeyCount>"],
    },
    Golden {
        request: "DELETE /bucket/a/b\nIf-Match: \"stale\"",
        status: 412,
        headers: &[],
        body: &["PreconditionFailed"],
    },
    Golden {
        request: "DELETE /bucket/a/b\nIf-Match: \"f97c5d29941bfb1b2fdab0874906ab82\"",
        status: 204,
        headers: &[],
        body: &[],
    },
    Golden { request: "DELETE /bucket/a/b", status: 204, headers: &[], body: &[] },
    Golden {
        request: "POST /bucket?delete\n\n<Delete><Object><Key>a/é&amp;+</Key></Object></Delete>",
        status: 200,
        headers: &[],
        body: &["<Deleted><Key>a/é&amp;+</Key></Deleted>"],
    },
    Golden {
        request: "POST /bucket/m?uploads",
        status: 200,
        headers: &[],
        body: &["<UploadId>upload-1</UploadId>"],
    },
    Golden {
        request: "PUT /bucket/m?partNumber=1&uploadId=upload-1\n\none",
        status: 200,
        headers: &[("ETag", ONE)],
        body: &[],
    },
    Golden {
        request: "POST /bucket/m?uploadId=upload-1\nIf-Match: \"x\"\n\n<Part><PartNumber>1</PartNumber></Part>",
        status: 404,
        headers: &[],
        body: &["NoSuchKey"],
    },
    Golden {
        request: "POST /bucket/m?uploadId=upload-1\nIf-None-Match: *\n\n<Part><PartNumber>1</PartNumber></Part>",
        status: 200,
        headers: &[],
        body: &[
            "CompleteMultipartUploadResult",
            "<ETag>&quot;f9b4018028d097c99d5827f9fd8a6557-1&quot;</ETag>",
        ],
    },
    Golden {
        request: "POST /bucket/m?uploadId=upload-1\n\n<Part><PartNumber>1</PartNumber></Part>",
        status: 404,
        headers: &[],
        body: &["NoSuchUpload"],
    },
];

#[tokio::test]
async fn s3_answers_its_golden_set() {
    let server = CloudServer::start(Dialect::S3, CloudConfig::default()).await.unwrap();
    play(&server, SET).await;
}

#[tokio::test]
async fn a_denied_request_gets_the_xml_of_s3() {
    let config = CloudConfig::default().switches(crate::clients::deny());
    let server = CloudServer::start(Dialect::S3, config).await.unwrap();
    let reply = exchange(&server, "PUT /bucket/a\n\none").await;
    assert_eq!((reply.status, reply.body.contains("<Code>AccessDenied</Code>")), (403, true));
    assert!(server.objects().is_empty());
}

#[tokio::test]
async fn a_page_that_ends_with_a_common_prefix_is_followed_by_what_is_behind_it() {
    let server =
        CloudServer::start(Dialect::S3, CloudConfig::default().page_size(1)).await.unwrap();
    for key in ["a/1", "a/2", "b"] {
        exchange(&server, &format!("PUT /bucket/{key}\n\none")).await;
    }
    let first = exchange(&server, "GET /bucket?list-type=2&delimiter=%2F").await.body;
    assert!(first.contains("<Prefix>a/</Prefix>") && first.contains("<KeyCount>1</KeyCount>"));
    let (_, rest) = first.split_once("<NextContinuationToken>").unwrap();
    let (token, _) = rest.split_once('<').unwrap();
    let next = format!("GET /bucket?list-type=2&delimiter=%2F&continuation-token={token}");
    let second = exchange(&server, &next).await.body;
    assert!(second.contains("<Key>b</Key>") && !second.contains("<Prefix>a/</Prefix>"), "{second}");
}
