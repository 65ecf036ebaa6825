//! What a case works with: a folder of its own, and shorter words for what it
//! does there.
//!
//! The store itself is called, with whole keys: a wrapper between would hide
//! what the store does wrong.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use ifmatch_core::{
    Blob, BlobInfo, BlobKey, BlobPrefix, ConditionalBlobStore, Conflict, Current, Error,
    GetOptions, Precondition, Prefixed, Result as StoreResult, Stored, Version,
};

use super::failure::Failure;
use super::subject::Subject;

/// What a case ends with.
pub(crate) type Checked<T = ()> = Result<T, Failure>;

/// A case's own folder of a store.
#[derive(Clone)]
pub(crate) struct Trial {
    subject: Subject,
    store: Arc<dyn ConditionalBlobStore>,
    folder: BlobKey,
}

impl Trial {
    pub(crate) fn new(subject: Subject, folder: BlobKey) -> Self {
        let store = subject.store().clone();
        Self { subject, store, folder }
    }

    /// The store.
    pub(crate) fn store(&self) -> &Arc<dyn ConditionalBlobStore> {
        &self.store
    }

    /// The store and its secrets.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The case's folder, as a store of its own.
    pub(crate) fn part(&self) -> Prefixed {
        Prefixed::new(self.store.clone(), self.folder.clone())
    }

    /// The key of this name in the case's folder.
    pub(crate) fn key(&self, name: impl AsRef<str>) -> Checked<BlobKey> {
        Ok(BlobKey::new(format!("{}/{}", self.folder, name.as_ref()))?)
    }

    /// The condition under which a blob is created here.
    pub(crate) fn creating(&self) -> Precondition {
        if self.store.capabilities().put_if_absent {
            Precondition::IfAbsent
        } else {
            Precondition::Overwrite
        }
    }

    pub(crate) async fn create(&self, key: &BlobKey, body: impl Into<Bytes>) -> Checked<Stored> {
        let answer = self.store.put(key, body.into(), self.creating()).await;
        answer.map_err(|error| Failure::from(error).during(format_args!("create of {key}")))
    }

    pub(crate) async fn update(
        &self,
        key: &BlobKey,
        body: impl Into<Bytes>,
        version: &Version,
    ) -> StoreResult<Stored> {
        self.store.put(key, body.into(), Precondition::IfMatch(version.clone())).await
    }

    pub(crate) async fn overwrite(&self, key: &BlobKey, body: impl Into<Bytes>) -> Checked<Stored> {
        let answer = self.store.put(key, body.into(), Precondition::Overwrite).await;
        answer.map_err(|error| Failure::from(error).during(format_args!("overwrite of {key}")))
    }

    pub(crate) async fn delete(&self, key: &BlobKey) -> Checked {
        Ok(self.store.delete(key, Precondition::Overwrite).await?)
    }

    /// The blob, whole; fails where it is absent.
    pub(crate) async fn get(&self, key: &BlobKey) -> Checked<Blob> {
        self.fetch(key, GetOptions::new()).await
    }

    /// The blob as asked for; fails where it does not come.
    pub(crate) async fn fetch(&self, key: &BlobKey, options: GetOptions) -> Checked<Blob> {
        let fetched = self.store.get(key, options).await?;
        let shown = format!("get of {key} answers {fetched:.80?}");
        fetched.found().ok_or_else(|| Failure::new(shown))
    }

    /// What head says of the blob; fails where it is absent.
    pub(crate) async fn head(&self, key: &BlobKey) -> Checked<BlobInfo> {
        let found = self.store.head(key).await?;
        found.ok_or_else(|| Failure::new(format!("head of {key} finds nothing")))
    }

    pub(crate) async fn is_absent(&self, key: &BlobKey) -> Checked {
        let head = self.store.head(key).await?;
        check!(head.is_none(), "head of {key} finds {head:?}, but it must be absent");
        let get = self.store.get(key, GetOptions::new()).await?;
        check!(get.clone().found().is_none(), "get of {key} answers {get:?} where nothing is");
        Ok(())
    }

    /// The names below a folder of the case's (`""`: all of it), as listed.
    pub(crate) async fn list(&self, folder: &str, after: Option<&str>) -> Checked<Vec<String>> {
        let infos = self.infos(folder, after).await?;
        infos.iter().map(|info| self.name(&info.key)).collect()
    }

    fn name(&self, key: &BlobKey) -> Checked<String> {
        let below = key.as_str().strip_prefix(self.folder.as_str());
        let name = below.and_then(|name| name.strip_prefix('/'));
        let foreign = || Failure::new(format!("{key} is listed below {}", self.folder));
        name.map(str::to_owned).ok_or_else(foreign)
    }

    /// What a listing says.
    pub(crate) async fn infos(&self, folder: &str, after: Option<&str>) -> Checked<Vec<BlobInfo>> {
        let after = after.map(|name| self.key(name)).transpose()?;
        let prefix = BlobPrefix::new(format!("{}/{folder}", self.folder))?;
        Ok(self.store.list(&prefix, after.as_ref()).try_collect().await?)
    }

    /// The listing in the order of the keys, for stores that promise none.
    pub(crate) async fn sorted(&self, folder: &str) -> Checked<Vec<String>> {
        let mut keys = self.list(folder, None).await?;
        keys.sort();
        Ok(keys)
    }

    pub(crate) async fn body_is(&self, key: &BlobKey, body: &[u8]) -> Checked {
        let found = self.get(key).await?;
        check!(
            found.body == body,
            "{key} holds {} bytes that are not the {} bytes written",
            found.body.len(),
            body.len()
        );
        Ok(())
    }

    pub(crate) async fn create_is_unsupported(&self) -> Checked {
        let key = self.key("unsupported")?;
        let answer = self.store.put(&key, "x".into(), Precondition::IfAbsent).await;
        unsupported(answer, "a put under if-absent")?;
        self.is_absent(&key).await
    }

    pub(crate) async fn update_is_unsupported(&self) -> Checked {
        let key = self.key("unsupported")?;
        let first = self.overwrite(&key, "x").await?;
        unsupported(self.update(&key, "y", &first.version).await, "a put under if-match")?;
        self.body_is(&key, b"x").await
    }

    pub(crate) async fn delete_is_unsupported(&self) -> Checked {
        let key = self.key("unsupported")?;
        let first = self.overwrite(&key, "x").await?;
        let answer = self.store.delete(&key, Precondition::IfMatch(first.version)).await;
        unsupported(answer, "a delete under if-match")?;
        self.body_is(&key, b"x").await
    }
}

/// The conflict that must come.
pub(crate) fn conflict<T>(answer: StoreResult<T>, what: &str) -> Checked<Conflict> {
    match answer {
        Err(Error::Conflict(conflict)) => Ok(*conflict),
        Err(error) => Err(Failure::from(error).during(format_args!("{what} must be a conflict"))),
        Ok(_) => Err(Failure::new(format!("{what} was applied, but must be a conflict"))),
    }
}

/// The conflict that must come, with all that it must say.
pub(crate) fn conflict_with<T>(
    answer: StoreResult<T>,
    key: &BlobKey,
    expected: &Precondition,
    current: &Current,
) -> Checked {
    let said = conflict(answer, &format!("a write to {key} under {expected}"))?;
    check_eq!(said.key, *key, "the key of the conflict");
    check_eq!(said.expected, *expected, "what the conflict says was expected");
    check_eq!(said.current, *current, "what the conflict says is there");
    Ok(())
}

fn unsupported<T>(answer: StoreResult<T>, what: &str) -> Checked {
    match answer {
        Err(Error::Unsupported { .. }) => Ok(()),
        Err(error) => Err(Failure::from(error).during(format_args!("{what} must be unsupported"))),
        Ok(_) => Err(Failure::new(format!(
            "the store says that it cannot do {what}, but answers that it did"
        ))),
    }
}

/// The error that a wrong call must get.
pub(crate) fn invalid<T>(answer: StoreResult<T>, what: &str) -> Checked {
    match answer {
        Err(Error::Invalid { .. }) => Ok(()),
        Err(error) => Err(Failure::from(error).during(format_args!("{what} must be invalid"))),
        Ok(_) => Err(Failure::new(format!("{what} was accepted, but must be invalid"))),
    }
}
