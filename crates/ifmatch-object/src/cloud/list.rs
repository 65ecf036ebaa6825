//! Listings, page by page; an empty blob costs a request of its own.
//!
//! S3 and GCS list in the order of the names' bytes. Azure does not promise it,
//! and azurite lists in the order of UTF-16: there the whole listing is read, and
//! put in order, before its first key is told.

use std::collections::BTreeMap;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use ifmatch_core::{
    BlobInfo, BlobKey, BlobPrefix, ConditionalBlobStore, Operation, Result, retry_read,
};
use object_store::ObjectMeta;

use super::classify::Failure;
use super::exchange::Exchange;
use super::store::{ObjectBlobStore, Provider, path};

/// A listing that goes on behind the last key where a page fails.
pub(super) struct Listing<'a> {
    store: &'a ObjectBlobStore,
    prefix: BlobPrefix,
    after: Option<BlobKey>,
    pages: Option<BoxStream<'static, object_store::Result<ObjectMeta>>>,
}

impl<'a> Listing<'a> {
    pub(super) fn stream(
        store: &'a ObjectBlobStore,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'a, Result<BlobInfo>> {
        let (prefix, after) = (prefix.clone(), start_after.cloned());
        if store.provider == Provider::Azure {
            let listing = Self { store, prefix, after: None, pages: None };
            return stream::once(listing.whole(after)).try_flatten().boxed();
        }
        stream::try_unfold(Self { store, prefix, after, pages: None }, Self::next).boxed()
    }

    /// All that there is after `start_after`, in order.
    async fn whole(
        mut self,
        start_after: Option<BlobKey>,
    ) -> Result<BoxStream<'a, Result<BlobInfo>>> {
        let mut found = BTreeMap::new();
        // Where a page fails it begins anew, and tells some of them twice.
        while let Some(meta) = self.item().await? {
            // A foreign name that breaks the rules of keys is not ours to list.
            let Ok(key) = BlobKey::internal(meta.location.as_ref()) else { continue };
            let wanted = start_after.as_ref().is_none_or(|after| key > *after);
            if wanted && self.prefix.contains(&key) {
                found.insert(key, meta);
            }
        }
        let store = self.store;
        let told = stream::iter(found).filter_map(move |(key, meta)| async move {
            match is_marker(store, &key, &meta).await {
                Ok(true) => None,
                Ok(false) => Some(Ok(store.info(key, &meta))),
                Err(error) => Some(Err(error)),
            }
        });
        Ok(told.boxed())
    }

    async fn next(mut self) -> Result<Option<(BlobInfo, Self)>> {
        loop {
            let Some(meta) = self.item().await? else { return Ok(None) };
            // A foreign name that breaks the rules of keys is not ours to list.
            let Ok(key) = BlobKey::internal(meta.location.as_ref()) else { continue };
            let wanted = self.after.as_ref().is_none_or(|after| key > *after);
            if !wanted || !self.prefix.contains(&key) {
                continue;
            }
            if is_marker(self.store, &key, &meta).await? {
                continue;
            }
            self.after = Some(key.clone());
            return Ok(Some((self.store.info(key, &meta), self)));
        }
    }

    /// The next item of the provider's listing, with retries.
    async fn item(&mut self) -> Result<Option<ObjectMeta>> {
        let store = self.store;
        let folder = self.prefix.to_string();
        let state = tokio::sync::Mutex::new((self.pages.take(), self.after.clone()));
        let found = retry_read(&store.env, store.policy, || async {
            let mut state = state.lock().await;
            let (pages, after) = &mut *state;
            let below = self.prefix.folder().map(path).transpose()?;
            let opened = match pages.take() {
                Some(pages) => pages,
                None => match after {
                    Some(after) => store.client.list_with_offset(below.as_ref(), &path(after)?),
                    None => store.client.list(below.as_ref()),
                },
            };
            let mut opened = opened;
            let asked = store.asked(Operation::List, &folder, None);
            let exchange = Exchange::default();
            let next = async { opened.next().await.transpose() };
            match store.call(&asked, &exchange, store.timeout, next).await {
                Ok(item) => {
                    *pages = Some(opened);
                    Ok(item)
                }
                Err(Failure::Missing) => Ok(None),
                Err(failure) => Err(failure.into_error(&asked)),
            }
        })
        .await?;
        self.pages = state.into_inner().0;
        Ok(found)
    }
}

/// Other tools mark a folder by an empty object `name/`, of which `object_store`
/// cuts the slash: only asking tells it from `name`.
async fn is_marker(store: &ObjectBlobStore, key: &BlobKey, meta: &ObjectMeta) -> Result<bool> {
    Ok(meta.size == 0 && store.head(key).await?.is_none())
}
