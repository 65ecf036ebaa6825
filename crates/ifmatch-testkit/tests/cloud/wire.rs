//! HTTP/1.1 itself: framing of requests, reuse of connections, broken ends.

use crate::{clients::start, raw::send_bytes};
use ifmatch_testkit::cloud::{Dialect, Ending, Fault, Matcher, Operation, Outcome};
use std::{io::ErrorKind, time::Duration};

const PUT: &[u8] = b"PUT /bucket/k HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\none";

#[tokio::test]
async fn a_chunked_body_is_put_together() {
    let server = start(Dialect::S3).await;
    let request =
        b"PUT /bucket/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
        2\r\non\r\n1\r\ne\r\n0\r\n\r\n";
    let answer = send_bytes(&server, request).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(&server.object("k").unwrap().body[..], b"one");
    assert_eq!(server.log()[0].bytes_in, request.len() as u64);
}

#[tokio::test]
async fn a_connection_carries_several_requests() {
    let server = start(Dialect::S3).await;
    let first = b"PUT /bucket/a HTTP/1.1\r\nContent-Length: 3\r\n\r\none";
    let answer = send_bytes(&server, &[first, PUT].concat()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&answer).matches("HTTP/1.1 200 OK").count(), 2);
    let log = server.log();
    assert_eq!((log.len(), log[0].bytes_in), (2, first.len() as u64));
    assert_eq!(log[0].bytes_out + log[1].bytes_out, answer.len() as u64);
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_gets_it() {
    let server = start(Dialect::S3).await;
    let request = b"PUT /bucket/k HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\
        Connection: close\r\n\r\none";
    let answer = send_bytes(&server, request).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn what_is_not_http_is_a_400_and_not_in_the_log() {
    let server = start(Dialect::S3).await;
    let answer = send_bytes(&server, b"\x16\x03\x01 hello\r\n\r\n").await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
    assert!(server.log().is_empty());
}

#[tokio::test]
async fn each_ending_looks_like_itself_on_the_socket() {
    let endings = [
        (Ending::Close, Ok(&b""[..]), Outcome::Closed),
        (Ending::Reset, Err(ErrorKind::ConnectionReset), Outcome::Reset),
        (Ending::HalfStatusLine, Ok(&b"HTTP/1.1 20"[..]), Outcome::HalfAnswered),
        (Ending::Stall(Duration::from_millis(1)), Ok(&b""[..]), Outcome::Stalled),
    ];
    for (ending, seen, outcome) in endings {
        for applied in [true, false] {
            let server = start(Dialect::S3).await;
            let fault =
                if applied { Fault::AfterApply(ending) } else { Fault::BeforeApply(ending) };
            server.inject(Matcher::any().operation(Operation::Put), fault);
            let answer = send_bytes(&server, PUT).await.map_err(|error| error.kind());
            assert_eq!(answer.as_deref(), seen.as_deref(), "{fault}");
            let entry = server.log().remove(0);
            assert_eq!((entry.applied(), entry.outcome), (applied, outcome), "{fault}");
            assert_eq!(server.object("k").is_some(), applied, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_server_stops_when_it_is_dropped_or_shut_down() {
    let server = start(Dialect::S3).await;
    let port = server.port();
    server.shutdown().await;
    let refused = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    assert_eq!(refused.map_err(|error| error.kind()).unwrap_err(), ErrorKind::ConnectionRefused);
}
