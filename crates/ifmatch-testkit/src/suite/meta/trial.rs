//! What a case works with: a store in a place of its own.
//!
//! The store itself is called: a wrapper between would hide what the store does
//! wrong.

use std::sync::{Arc, Mutex, PoisonError};

use ifmatch_core::Env;
use ifmatch_meta::{MetaStore, TxBackend};

use super::case::MetaNeed;
use super::subject::{MetaSubject, Wanted};
use crate::suite::Failure;

/// What a case ends with.
pub(crate) type Checked<T = ()> = Result<T, Failure>;

/// A case's own place.
#[derive(Clone)]
pub(crate) struct Trial {
    subject: MetaSubject,
    wanted: Wanted,
    store: Arc<dyn MetaStore>,
    opened: Arc<Mutex<Vec<Arc<dyn MetaStore>>>>,
}

impl Trial {
    pub(super) async fn open(subject: MetaSubject, need: MetaNeed) -> Checked<Self> {
        let mut wanted = Wanted::fresh(&Env::real());
        wanted.transactions = need.transactions();
        wanted.audit = need.audit();
        let store = subject.open(wanted.clone()).await?;
        let opened = Arc::new(Mutex::new(vec![store.clone()]));
        Ok(Self { subject, wanted, store, opened })
    }

    /// The case's store.
    pub(crate) fn store(&self) -> &Arc<dyn MetaStore> {
        &self.store
    }

    /// Whether a text holds what the store must never print.
    pub(crate) fn leaks(&self, text: &str) -> bool {
        self.subject.leaks(text)
    }

    /// What the case's store was opened with.
    pub(crate) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// Another handle on the same place, for stores that persist.
    pub(crate) async fn again(&self, wanted: Wanted) -> Checked<Arc<dyn MetaStore>> {
        let store = self.subject.open(wanted).await?;
        self.keep(&store);
        Ok(store)
    }

    /// A store in another place.
    pub(crate) async fn elsewhere(
        &self,
        change: impl FnOnce(Wanted) -> Wanted,
    ) -> Checked<Arc<dyn MetaStore>> {
        let store = self.subject.open(change(Wanted::fresh(self.store.env()))).await?;
        self.keep(&store);
        Ok(store)
    }

    fn keep(&self, store: &Arc<dyn MetaStore>) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(store.clone());
    }

    pub(super) async fn close(&self) -> Checked {
        let opened =
            std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        for store in opened {
            store.close().await?;
        }
        Ok(())
    }
}

/// What transactions stand on; the case needs them.
pub(crate) fn transactions(store: &Arc<dyn MetaStore>) -> Checked<&dyn TxBackend> {
    store.transactions().ok_or_else(|| Failure::new("the store has no local transactions"))
}
