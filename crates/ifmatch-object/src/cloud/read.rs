//! Reads: one get or head each, classified.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use ifmatch_core::{
    Blob, BlobInfo, BlobKey, ConditionalBlobStore, Current, Error, Fetched, GetOptions, Operation,
    Precondition, Reason, Result, Version, clamp_range,
};
use object_store::path::Path;
use object_store::{GetOptions as ObjectGet, GetRange};

use super::classify::{Asked, Failure};
use super::exchange::{Exchange, Wire};
use super::metadata;
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
        let mut request = ObjectGet::default();
        request.if_none_match = options.if_none_match.as_ref().and_then(Version::quoted_etag);
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
            Err(failure) => return self.not_got(key, options, failure, &exchange).await,
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

    /// Reads a body; each piece of it must come within the time limit.
    async fn body(
        &self,
        asked: &Asked<'_>,
        mut pieces: BoxStream<'static, object_store::Result<Bytes>>,
        expected: u64,
    ) -> Result<Bytes> {
        let exchange = Exchange::default();
        let mut body = BytesMut::new();
        loop {
            let next = async { pieces.next().await.transpose() };
            match self.call(asked, &exchange, self.timeout, next).await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) if body.len() as u64 == expected => return Ok(body.freeze()),
                Ok(None) => {
                    let short = format!("{} of {expected} bytes of the body arrived", body.len());
                    return Err(asked.unavailable(Reason::source(short)));
                }
                Err(failure) => {
                    let broken = || asked.unavailable(Reason::source("the body broke off"));
                    return Err(match failure.into_error() {
                        // Headers had arrived: whatever broke the body is passing.
                        Some(Error::Unavailable { source, .. } | Error::Denied { source, .. }) => {
                            asked.unavailable(source)
                        }
                        Some(error) => error,
                        None => broken(),
                    });
                }
            }
        }
    }

    async fn not_got(
        &self,
        key: &BlobKey,
        options: &GetOptions,
        failure: Failure,
        exchange: &Exchange,
    ) -> Result<Fetched> {
        let date = exchange.date();
        let answered_with = |status: u16| match exchange.wire() {
            Some(Wire::Answered(answer)) => answer.status.as_u16() == status,
            _ => false,
        };
        if answered_with(304) {
            return Ok(Fetched::NotModified { date });
        }
        if answered_with(416) {
            let size = self.head(key).await?.map_or(0, |info| info.size);
            let range = options.range.clone().unwrap_or(0..0);
            clamp_range(key, size, &range)?;
        }
        match (failure, &options.if_match) {
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
            (Failure::Rejected, None) => Ok(Fetched::NotModified { date }),
            (Failure::Refused(error) | Failure::Unknown(error), _) => Err(error),
        }
    }

    pub(super) async fn head_once(&self, key: &BlobKey, path: &Path) -> Result<Option<BlobInfo>> {
        let asked = self.asked(Operation::Head, key.as_str(), None);
        let exchange = Exchange::default();
        let mut request = ObjectGet::default();
        request.head = true;
        let answer = self.client.get_opts(path, request);
        match self.call(&asked, &exchange, self.timeout, answer).await {
            Ok(got) => {
                let mut info = self.info(key.clone(), &got.meta);
                info.write = metadata::record(&got.attributes);
                info.version = info.version.with_write(info.write.as_ref().map(|write| write.id));
                info.date = exchange.date();
                Ok(Some(info))
            }
            Err(Failure::Missing | Failure::Rejected) => Ok(None),
            Err(Failure::Refused(error) | Failure::Unknown(error)) => Err(error),
        }
    }
}
