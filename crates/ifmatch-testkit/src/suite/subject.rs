//! The store that cases are run on.

use std::sync::Arc;

use ifmatch_core::ConditionalBlobStore;

/// The store that cases are run on, and what they must not find in its words.
#[derive(Clone, Debug)]
pub struct Subject {
    store: Arc<dyn ConditionalBlobStore>,
    secrets: Vec<String>,
}

impl Subject {
    /// A store.
    pub fn new(store: Arc<dyn ConditionalBlobStore>) -> Self {
        Self { store, secrets: Vec::new() }
    }

    /// Strings that the store knows and must never print: its keys, tokens and
    /// passwords.
    pub fn secrets<S: Into<String>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets.extend(secrets.into_iter().map(Into::into));
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn ConditionalBlobStore> {
        &self.store
    }

    pub(crate) fn leaks(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| text.contains(secret.as_str()))
    }
}

impl<S: ConditionalBlobStore + 'static> From<Arc<S>> for Subject {
    fn from(store: Arc<S>) -> Self {
        Self::new(store)
    }
}

impl From<Arc<dyn ConditionalBlobStore>> for Subject {
    fn from(store: Arc<dyn ConditionalBlobStore>) -> Self {
        Self::new(store)
    }
}
