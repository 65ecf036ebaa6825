//! Faults of gets, heads and listings.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use ifmatch_core::{
    Blob, BlobInfo, BlobKey, BlobPrefix, Current, Error, Fetched, GetOptions, Operation,
    Precondition, Result, clamp_range,
};

use super::kind::FaultKind;
use super::shared::Shared;

impl Shared {
    pub(super) async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        let mut fault = self.draw(Operation::Get);
        let fetched = self.get_through(key, options, &mut fault).await;
        let outcome = match &fetched {
            Ok(Fetched::Found(_)) => "found",
            Ok(Fetched::Absent { .. }) => "absent",
            Ok(_) => "not modified",
            Err(error) => error.kind(),
        };
        self.record(Operation::Get, key, None, fault, outcome);
        fetched
    }

    /// `fault` is taken back where it cannot happen.
    async fn get_through(
        &self,
        key: &BlobKey,
        options: GetOptions,
        fault: &mut Option<FaultKind>,
    ) -> Result<Fetched> {
        let ranged = options.range.is_some();
        if let Some(old) = self.stale(Operation::Get, key, fault).await? {
            return answer(key, old, options);
        }
        let damage = fault.take_if(|kind| kind.damages());
        let fetched = self.inner.get(key, options).await?;
        match (fetched, damage) {
            (Fetched::Found(mut blob), Some(kind))
                if blob.body.len() > 1 && (ranged || kind != FaultKind::ShortRange) =>
            {
                *fault = Some(self.hit(Operation::Get, kind));
                self.damage(&mut blob, kind);
                Ok(Fetched::Found(blob))
            }
            (fetched, _) => Ok(fetched),
        }
    }

    fn damage(&self, blob: &mut Blob, kind: FaultKind) {
        let mut state = self.state();
        let at = state.below(blob.body.len());
        if kind == FaultKind::FlippedBit {
            let mut bytes = blob.body.to_vec();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << state.below(8);
            }
            blob.body = bytes.into();
        } else {
            blob.body.truncate(at);
        }
    }

    pub(super) async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let mut fault = self.draw(Operation::Head);
        let found = match self.stale(Operation::Head, key, &mut fault).await {
            Ok(Some(old)) => Ok(old.map(|blob| blob.info)),
            Ok(None) => self.inner.head(key).await,
            Err(error) => Err(error),
        };
        let outcome = match &found {
            Ok(Some(_)) => "found",
            Ok(None) => "absent",
            Err(error) => error.kind(),
        };
        self.record(Operation::Head, key, None, fault, outcome);
        found
    }

    /// What a get and a head have in common: the state that they answer where
    /// it is not the present one, or the error. Takes the fault back where
    /// nothing older differs.
    async fn stale(
        &self,
        operation: Operation,
        key: &BlobKey,
        fault: &mut Option<FaultKind>,
    ) -> Result<Option<Option<Blob>>> {
        let Some(kind) = *fault else { return Ok(None) };
        let older = match kind {
            FaultKind::StaleRead => {
                let before = self.state().recall(key);
                before.map(Some)
            }
            FaultKind::StaleAbsent => self.current(key).await.map(|_| None),
            FaultKind::Latency => {
                self.hit(operation, kind);
                self.linger().await;
                return Ok(None);
            }
            kind if kind.damages() => return Ok(None),
            kind => {
                self.hit(operation, kind);
                return Err(self.error(operation, key.as_str(), kind));
            }
        };
        *fault = older.as_ref().map(|_| self.hit(operation, kind));
        Ok(older)
    }

    pub(super) fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        let (prefix, after) = (prefix.clone(), start_after.cloned());
        let listed = async move {
            let fault = self.draw(Operation::List);
            let (infos, error) = self.list_through(&prefix, after.as_ref(), fault).await;
            let outcome = error.as_ref().map_or("listed", Error::kind);
            self.record(Operation::List, &prefix, None, fault, outcome);
            stream::iter(infos.into_iter().map(Ok).chain(error.map(Err)))
        };
        stream::once(listed).flatten().boxed()
    }

    async fn list_through(
        &self,
        prefix: &BlobPrefix,
        after: Option<&BlobKey>,
        fault: Option<FaultKind>,
    ) -> (Vec<BlobInfo>, Option<Error>) {
        if let Some(kind) = fault {
            self.hit(Operation::List, kind);
        }
        let failed = |kind| self.error(Operation::List, &prefix.to_string(), kind);
        match fault {
            None | Some(FaultKind::StaleList | FaultKind::CutList) => {}
            Some(FaultKind::Latency) => self.linger().await,
            Some(kind) => return (Vec::new(), Some(failed(kind))),
        }
        let mut infos: Vec<_> = match self.inner.list(prefix, after).try_collect().await {
            Ok(infos) => infos,
            Err(error) => return (Vec::new(), Some(error)),
        };
        match fault {
            Some(FaultKind::CutList) => {
                let kept = self.state().below(infos.len() + 1);
                infos.truncate(kept);
                (infos, Some(failed(FaultKind::CutList)))
            }
            Some(FaultKind::StaleList) => (self.older(prefix, after, infos), None),
            _ => (infos, None),
        }
    }

    /// The listing as it was before the last write of each key.
    fn older(
        &self,
        prefix: &BlobPrefix,
        after: Option<&BlobKey>,
        infos: Vec<BlobInfo>,
    ) -> Vec<BlobInfo> {
        let mut listed: BTreeMap<_, _> =
            infos.into_iter().map(|info| (info.key.clone(), info)).collect();
        for (key, before) in &self.state().before {
            if !prefix.contains(key) || after.is_some_and(|after| key <= after) {
                continue;
            }
            match before.front().and_then(Option::as_ref) {
                Some(blob) => listed.insert(key.clone(), blob.info.clone()),
                None => listed.remove(key),
            };
        }
        listed.into_values().collect()
    }
}

/// What a get under these options answers if this is what is there.
fn answer(key: &BlobKey, there: Option<Blob>, options: GetOptions) -> Result<Fetched> {
    let Some(mut blob) = there else {
        return match options.if_match {
            Some(version) => {
                Err(Error::conflict(key, Precondition::IfMatch(version), Current::Absent))
            }
            None => Ok(Fetched::Absent { date: None }),
        };
    };
    if let Some(version) = options.if_match.filter(|version| *version != blob.info.version) {
        let current = Current::Present(blob.info.version);
        return Err(Error::conflict(key, Precondition::IfMatch(version), current));
    }
    if options.if_none_match.is_some_and(|version| version == blob.info.version) {
        return Ok(Fetched::NotModified { date: blob.info.date });
    }
    if let Some(range) = options.range {
        let range = clamp_range(key, blob.info.size, &range)?;
        let at = |position| usize::try_from(position).unwrap_or(usize::MAX);
        blob.body = blob.body.slice(at(range.start)..at(range.end));
    }
    Ok(Fetched::Found(blob))
}
