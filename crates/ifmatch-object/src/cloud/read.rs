//! Reads: one get or head each, classified.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::StatusCode;
use ifmatch_core::{
    Blob, BlobInfo, BlobKey, ConditionalBlobStore, Current, Error, Fetched, GetOptions, Operation,
    Precondition, Reason, Result, Version, clamp_range,
};
use object_store::path::Path;
use object_store::{GetOptions as ObjectGet, GetRange};

use super::classify::{Asked, Failure};
use super::exchange::{Exchange, Wire};
use super::metadata;
use super::redact;
use super::store::ObjectBlobStore;

impl ObjectBlobStore {
    pub(super) async fn get_once(
        &self,
        key: &BlobKey,
        path: &Path,
        options: &GetOptions,
    ) -> Result<Fetched> {
        let expected = options.if_match.clone().map(Precondition::IfMatch);
        let asked = self.asked(Operation::Get, key.as_str(), expected.as_ref());
        let exchange = Exchange::default();
        let if_none_match = options.if_none_match.as_ref().and_then(Version::quoted_etag);
        let mut request = ObjectGet { if_none_match, ..ObjectGet::default() };
        if let Some(version) = &options.if_match {
            match version.generation() {
                Some(generation) if !self.foreign => {
                    exchange.add_header("x-goog-if-generation-match", generation);
                }
                _ => request.if_match = version.quoted_etag(),
            }
        }
        if let Some(range) = &options.range {
            // An empty range can be told only after the size is known.
            let end = range.end.max(range.start.saturating_add(1));
            request.range = Some(GetRange::Bounded(range.start..end));
        }
        let answer = self.client.get_opts(path, request);
        let got = match self.call(&asked, &exchange, self.timeout, answer).await {
            Ok(got) => got,
            Err(failure) => return self.not_got(&asked, key, options, failure, &exchange).await,
        };
        let mut info = self.info(key.clone(), &got.meta);
        info.write = metadata::record(&got.attributes);
        info.version = info.version.with_write(info.write.as_ref().map(|write| write.id));
        info.date = exchange.date();
        if let Some(range) = &options.range {
            clamp_range(key, info.size, range)?;
        }
        let expected_len = got.range.end - got.range.start;
        let body = self.body(&asked, got.into_stream(), expected_len).await?;
        Ok(Fetched::Found(Blob { body, info }))
    }

    /// Reads a body; each piece of it must come within the time limit. The
    /// head had arrived, so whatever breaks the body is passing.
    async fn body(
        &self,
        asked: &Asked<'_>,
        mut pieces: BoxStream<'static, object_store::Result<Bytes>>,
        expected: u64,
    ) -> Result<Bytes> {
        let mut body = BytesMut::new();
        let broken = loop {
            let piece = tokio::select! {
                biased;
                piece = pieces.next() => piece,
                () = self.env.sleep(self.timeout) => {
                    break Reason::source(format!("the body stood still for {:?}", self.timeout));
                }
            };
            match piece {
                Some(Ok(piece)) => body.extend_from_slice(&piece),
                Some(Err(error)) => break redact::source(&error),
                None if body.len() as u64 == expected => return Ok(body.freeze()),
                None => {
                    let short = format!("{} of {expected} bytes of the body arrived", body.len());
                    break Reason::source(short);
                }
            }
        };
        Err(asked.unavailable(broken))
    }

    async fn not_got(
        &self,
        asked: &Asked<'_>,
        key: &BlobKey,
        options: &GetOptions,
        failure: Failure,
        exchange: &Exchange,
    ) -> Result<Fetched> {
        let date = exchange.date();
        let status = match exchange.wire() {
            Some(Wire::Answered(answer)) => Some(answer.status),
            _ => None,
        };
        // Whether a range lies behind the end has many answers: 416, a 206 that
        // makes no sense, and a store that was handed to us shows no status.
        if let Some(range) = &options.range
            && !matches!(failure, Failure::Missing | Failure::Rejected | Failure::Unchanged)
            && status.map_or(self.foreign, |status| {
                status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE
            })
        {
            match self.head(key).await? {
                Some(info) => _ = clamp_range(key, info.size, range)?,
                None if options.if_match.is_none() => return Ok(Fetched::Absent { date }),
                None => {}
            }
            if status == Some(StatusCode::OK) {
                let what = format!("{self} answers a range with the whole blob");
                return Err(Error::unsupported(what));
            }
        }
        match (failure, &options.if_match) {
            (Failure::Unchanged, _) if options.if_none_match.is_some() => {
                Ok(Fetched::NotModified { date })
            }
            (Failure::Missing, None) => Ok(Fetched::Absent { date }),
            (Failure::Rejected | Failure::Missing, Some(version)) => {
                let expected = Precondition::IfMatch(version.clone());
                let current = match self.head(key).await {
                    Ok(Some(info)) => Current::Present(info.version),
                    Ok(None) => Current::Absent,
                    Err(_) => Current::Unknown,
                };
                Err(Error::conflict(key, expected, current))
            }
            (failure, _) => Err(failure.into_error(asked)),
        }
    }

    pub(super) async fn head_once(&self, key: &BlobKey, path: &Path) -> Result<Option<BlobInfo>> {
        let asked = self.asked(Operation::Head, key.as_str(), None);
        let exchange = Exchange::default();
        let request = ObjectGet { head: true, ..ObjectGet::default() };
        let answer = self.client.get_opts(path, request);
        match self.call(&asked, &exchange, self.timeout, answer).await {
            Ok(got) => {
                let mut info = self.info(key.clone(), &got.meta);
                info.write = metadata::record(&got.attributes);
                info.version = info.version.with_write(info.write.as_ref().map(|write| write.id));
                info.date = exchange.date();
                Ok(Some(info))
            }
            Err(Failure::Missing) => Ok(None),
            Err(failure) => Err(failure.into_error(&asked)),
        }
    }
}
