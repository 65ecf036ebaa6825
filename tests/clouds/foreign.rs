//! Somebody else who writes to the same key.

use ifmatch::{BlobKey, ConditionalBlobStore, Error, Precondition};

/// What somebody else does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Foreign {
    /// Reads what is there and replaces just that; creates where nothing is.
    Builds,
    /// The same twice.
    BuildsTwice,
    /// Writes without looking.
    Overwrites,
    /// Deletes without looking.
    Deletes,
}

impl Foreign {
    /// Does it, through a store that meets no faults.
    pub(crate) async fn act(self, store: &dyn ConditionalBlobStore, key: &BlobKey) {
        match self {
            Self::Builds => build(store, key, "built").await,
            Self::BuildsTwice => {
                build(store, key, "built").await;
                build(store, key, "built on that").await;
            }
            Self::Overwrites => {
                let body = "overwritten by somebody else".into();
                store.put(key, body, Precondition::Overwrite).await.unwrap();
            }
            Self::Deletes => store.delete(key, Precondition::Overwrite).await.unwrap(),
        }
    }
}

/// Compare and swap until it works: a request that its sender has given up may
/// still land in between.
async fn build(store: &dyn ConditionalBlobStore, key: &BlobKey, body: &str) {
    loop {
        let precondition = match store.head(key).await.unwrap() {
            Some(info) => Precondition::IfMatch(info.version),
            None => Precondition::IfAbsent,
        };
        let body = format!("{body} by somebody else");
        match store.put(key, body.into(), precondition).await {
            Ok(_) => return,
            Err(Error::Conflict(_)) => {}
            Err(error) => panic!("{key}: {error}"),
        }
    }
}
