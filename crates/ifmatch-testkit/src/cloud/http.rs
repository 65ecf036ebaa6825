//! Reading HTTP/1.1 requests off a socket (RFC 9112).

use bytes::{Buf as _, Bytes, BytesMut};
use percent_encoding::percent_decode_str;
use std::io;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 128;
const MAX_BODY: usize = 256 * 1024 * 1024;

/// A whole request.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    /// The path as sent, still percent-encoded.
    pub(super) path: String,
    /// The query, decoded.
    pub(super) query: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// Bytes on the wire.
    pub(super) size: u64,
    pub(super) keep_alive: bool,
}

impl HttpRequest {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Parses a request without its body; `Ok(None)` if the head is not whole yet.
    ///
    /// The number is the length of the head.
    pub(super) fn parse_head(bytes: &[u8]) -> Result<Option<(Self, usize)>, httparse::Error> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(length) = parsed.parse(bytes)? else {
            return Ok(None);
        };
        let target = parsed.path.unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(decode_pair).collect(),
            headers: parsed.headers.iter().map(|header| owned(header)).collect(),
            body: Bytes::new(),
            size: length as u64,
            keep_alive: true,
        };
        let close = request.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        request.keep_alive = parsed.version == Some(1) && !close;
        Ok(Some((request, length)))
    }
}

/// What came off the socket.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(HttpRequest),
    /// The client is done, or broke off in the middle of a request.
    Closed,
    Malformed,
}

/// Reads one request; `buffer` keeps what belongs to the next one.
pub(super) async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
) -> io::Result<Incoming> {
    let (mut request, length) = loop {
        match HttpRequest::parse_head(buffer) {
            Ok(Some(head)) => break head,
            Ok(None) if buffer.len() < MAX_HEAD => {}
            _ => return Ok(Incoming::Malformed),
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(Incoming::Closed);
        }
    };
    buffer.advance(length);
    if request.header("expect").is_some_and(|v| v.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let chunked =
        request.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
    let body = if chunked {
        read_chunks(stream, buffer).await?
    } else {
        match request.header("content-length").unwrap_or("0").parse() {
            Ok(length) => read_exact(stream, buffer, length).await?,
            Err(_) => Body::Malformed,
        }
    };
    match body {
        Body::Whole { bytes, size } => {
            request.size += size;
            request.body = bytes;
            Ok(Incoming::Request(request))
        }
        Body::Broken => Ok(Incoming::Closed),
        Body::Malformed => Ok(Incoming::Malformed),
    }
}

enum Body {
    Whole { bytes: Bytes, size: u64 },
    Broken,
    Malformed,
}

async fn read_exact(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    length: usize,
) -> io::Result<Body> {
    if length > MAX_BODY {
        return Ok(Body::Malformed);
    }
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(Body::Broken);
        }
    }
    Ok(Body::Whole { bytes: buffer.split_to(length).freeze(), size: length as u64 })
}

async fn read_chunks(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Body> {
    let mut body = BytesMut::new();
    let mut size = 0;
    loop {
        let (line, chunk) = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete((line, chunk))) => break (line, chunk),
                Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => {}
                _ => return Ok(Body::Malformed),
            }
            if stream.read_buf(buffer).await? == 0 {
                return Ok(Body::Broken);
            }
        };
        buffer.advance(line);
        size += line as u64;
        // Trailers are not supported: the last chunk is followed by an empty line.
        let Some(length) = usize::try_from(chunk).ok().filter(|n| body.len() + n <= MAX_BODY)
        else {
            return Ok(Body::Malformed);
        };
        match read_exact(stream, buffer, length + 2).await? {
            Body::Whole { bytes, size: read } if bytes.ends_with(b"\r\n") => {
                size += read;
                body.extend_from_slice(&bytes[..length]);
            }
            Body::Broken => return Ok(Body::Broken),
            _ => return Ok(Body::Malformed),
        }
        if length == 0 {
            return Ok(Body::Whole { bytes: body.freeze(), size });
        }
    }
}

/// Decodes percent-encoding; bytes that are not UTF-8 are replaced.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn decode_pair(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
}

fn owned(header: &httparse::Header<'_>) -> (String, String) {
    let value = String::from_utf8_lossy(header.value).trim().to_owned();
    (header.name.to_ascii_lowercase(), value)
}
