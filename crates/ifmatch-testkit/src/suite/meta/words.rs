//! Shorter words for what cases do and ask.

use std::sync::Arc;

use ifmatch_meta::{
    Change, ChangeToken, Deleted, DocConflict, DocId, DocKey, DocPrecondition, Document, ETag,
    Error, Json, MetaStore, Op, Partition, Result as StoreResult, ScanOptions, Scope, Written,
};
use serde_json::Value;

use super::trial::Checked;
use crate::suite::Failure;

/// The partition of most cases.
pub(crate) const P: &str = "p";

pub(crate) fn partition(name: &str) -> Checked<Partition> {
    Ok(Partition::new(name)?)
}

pub(crate) fn scope(name: &str) -> Checked<Scope> {
    Ok(Scope::Partition(partition(name)?))
}

pub(crate) fn id(name: &str) -> Checked<DocId> {
    Ok(DocId::new(name)?)
}

/// A key in the partition of most cases.
pub(crate) fn key(id: &str) -> Checked<DocKey> {
    Ok(DocKey::new(P, id)?)
}

pub(crate) fn body(value: &Value) -> Checked<Json> {
    Ok(Json::of(value)?)
}

/// `{"n":n}`.
pub(crate) fn number(n: u64) -> Checked<Json> {
    Ok(Json::new(format!("{{\"n\":{n}}}"))?)
}

/// The number in such a body.
pub(crate) fn number_of(body: &Json) -> Checked<u64> {
    body.value()?["n"].as_u64().ok_or_else(|| Failure::new(format!("no number in {body}")))
}

/// Short words for the calls of most cases.
#[async_trait::async_trait]
pub(crate) trait Words {
    /// A put that must be applied.
    async fn put_(&self, key: &DocKey, body: Json) -> Checked<Written>;
    /// A create that must be applied.
    async fn create(&self, key: &DocKey, body: Json) -> Checked<Written>;
    /// A put at a tag.
    async fn replace(&self, key: &DocKey, body: Json, at: ETag) -> StoreResult<Written>;
    /// An unconditional delete that must be applied.
    async fn delete_(&self, key: &DocKey) -> Checked<Deleted>;
    /// The document; fails where it is absent.
    async fn found(&self, key: &DocKey) -> Checked<Document>;
    /// Fails unless there is no such document.
    async fn is_absent(&self, key: &DocKey) -> Checked;
    /// Fails unless this is the document's body, byte for byte.
    async fn holds(&self, key: &DocKey, body: &Json) -> Checked;
    /// The ids of a scan, all pages of it.
    async fn ids(&self, partition: &str, options: ScanOptions) -> Checked<Vec<String>>;
    /// The feed from a token to its end, in pages of `limit`.
    async fn told(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Checked<(Vec<Change>, ChangeToken)>;
}

#[async_trait::async_trait]
impl Words for Arc<dyn MetaStore> {
    async fn put_(&self, key: &DocKey, body: Json) -> Checked<Written> {
        let answer = self.put(key, body, DocPrecondition::Overwrite).await;
        answer.map_err(|error| Failure::from(error).during(format_args!("overwrite of {key}")))
    }

    async fn create(&self, key: &DocKey, body: Json) -> Checked<Written> {
        let answer = self.put(key, body, DocPrecondition::IfAbsent).await;
        answer.map_err(|error| Failure::from(error).during(format_args!("create of {key}")))
    }

    async fn replace(&self, key: &DocKey, body: Json, at: ETag) -> StoreResult<Written> {
        self.put(key, body, DocPrecondition::IfMatch(at)).await
    }

    async fn delete_(&self, key: &DocKey) -> Checked<Deleted> {
        let answer = self.delete(key, DocPrecondition::Overwrite).await;
        answer.map_err(|error| Failure::from(error).during(format_args!("delete of {key}")))
    }

    async fn found(&self, key: &DocKey) -> Checked<Document> {
        let found = self.get(key).await?;
        found.ok_or_else(|| Failure::new(format!("{key} is absent, but must be there")))
    }

    async fn is_absent(&self, key: &DocKey) -> Checked {
        let found = self.get(key).await?;
        check!(found.is_none(), "{key} must be absent, but is {found:?}");
        Ok(())
    }

    async fn holds(&self, key: &DocKey, body: &Json) -> Checked {
        let found = self.found(key).await?;
        check_eq!(found.body, *body, "the body of {key}");
        Ok(())
    }

    async fn ids(&self, partition: &str, options: ScanOptions) -> Checked<Vec<String>> {
        let partition = Partition::internal(partition)?;
        let (mut ids, mut options) = (Vec::new(), options);
        loop {
            let page = self.scan(&partition, options.clone()).await?;
            let (held, limit) = (page.documents.len(), options.limit);
            check!(held <= limit, "a page of {held} documents, the limit is {limit}");
            ids.extend(page.documents.iter().map(|found| found.key.id.as_str().to_owned()));
            match page.next {
                Some(_) if held == 0 => return Err(Failure::new("an empty page that is not last")),
                Some(token) => options = options.after(token),
                None => return Ok(ids),
            }
        }
    }

    async fn told(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Checked<(Vec<Change>, ChangeToken)> {
        let (mut all, mut since) = (Vec::new(), since.cloned());
        loop {
            let page = self.changes(scope, since.as_ref(), limit).await?;
            let told = page.changes.len();
            check!(told <= limit, "a page of {told} changes, the limit is {limit}");
            check!(told > 0 || !page.more, "a page without changes that says there are more");
            all.extend(page.changes);
            if !page.more {
                return Ok((all, page.next));
            }
            since = Some(page.next);
        }
    }
}

/// What each change is: id, and tag or nothing where it was deleted.
pub(crate) fn shape(changes: &[Change]) -> Vec<(String, Option<ETag>)> {
    let one = |change: &Change| {
        let etag = change.document().map(|document| document.etag);
        (change.key().id.as_str().to_owned(), etag)
    };
    changes.iter().map(one).collect()
}

/// The error of this kind that must come.
pub(crate) fn fails<T>(answer: StoreResult<T>, kind: &str, what: &str) -> Checked<Error> {
    match answer {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => {
            let other = format!("{what} must be {kind}, but is {}", error.kind());
            Err(Failure::from(error).during(other))
        }
        Ok(_) => Err(Failure::new(format!("{what} was applied, but must be {kind}"))),
    }
}

/// The conflict that must come, with all that it must say: the tag of what is
/// there, and its body where it has one.
pub(crate) fn conflict<T>(
    answer: StoreResult<T>,
    key: &DocKey,
    expected: &DocPrecondition,
    current: Option<&Document>,
) -> Checked<Error> {
    let error = fails(answer, "conflict", &format!("a write to {key} under {expected}"))?;
    let said = error.conflict().ok_or_else(|| Failure::new("a conflict that says nothing"))?;
    let DocConflict { key: of, expected: wanted, current: there, body } = said;
    check_eq!(*of, *key, "the key of the conflict");
    check_eq!(*wanted, *expected, "what the conflict says was expected");
    check_eq!(*there, current.map(|found| found.etag), "what the conflict says is there");
    if let Some(body) = body {
        check_eq!(Some(body), current.map(|found| &found.body), "the body in the conflict");
    }
    check_eq!(error.retry(), ifmatch_core::Retry::Rebase, "what to do about a conflict");
    Ok(error)
}

/// A put in a batch.
pub(crate) fn put(name: &str, n: u64, pre: DocPrecondition) -> Checked<Op> {
    Ok(Op::put(id(name)?, number(n)?, pre))
}

/// A delete in a batch.
pub(crate) fn delete(name: &str, pre: DocPrecondition) -> Checked<Op> {
    Ok(Op::delete(id(name)?, pre))
}
