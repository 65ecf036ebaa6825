//! The store that cases are run on, and how it is opened.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use ifmatch_core::{Env, WriteId};
use ifmatch_meta::{Features, MetaStore};

use crate::suite::Failure;

/// What a case wants of the store that is opened for it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Wanted {
    place: String,
    /// Local transactions may be begun.
    pub transactions: bool,
    /// A record of every change is kept.
    pub audit: bool,
    /// The author of writes that name none.
    pub author: Option<String>,
}

impl Wanted {
    /// A place that nobody has.
    pub fn fresh(env: &Env) -> Self {
        let random = WriteId::random(env).to_string();
        let place = format!("suite_{}", random.get(..12).unwrap_or(&random));
        Self { place, transactions: false, audit: false, author: None }
    }

    /// Where: 1 to 20 lower-case letters, digits and `_`, a letter first. Asked
    /// for a place again, a store that persists opens what it keeps there.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn transactions(mut self) -> Self {
        self.transactions = true;
        self
    }

    pub(crate) fn audit(mut self) -> Self {
        self.audit = true;
        self
    }

    pub(crate) fn author(mut self, author: &str) -> Self {
        self.author = Some(author.to_owned());
        self
    }
}

/// A store that was opened.
#[derive(Clone, Debug)]
pub struct Opened(pub(super) Arc<dyn MetaStore>);

impl<S: MetaStore + 'static> From<Arc<S>> for Opened {
    fn from(store: Arc<S>) -> Self {
        Self(store)
    }
}

impl From<Arc<dyn MetaStore>> for Opened {
    fn from(store: Arc<dyn MetaStore>) -> Self {
        Self(store)
    }
}

/// What a store offers to cases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Offer {
    /// What it can be opened with.
    pub features: Features,
    /// Whether it keeps what it holds, and can be opened more than once.
    pub persistent: bool,
}

type Open = dyn Fn(Wanted) -> BoxFuture<'static, Result<Opened, Failure>> + Send + Sync;

/// The store that cases are run on: how it is opened, and what cases must not
/// find in its words.
#[derive(Clone)]
pub struct MetaSubject {
    open: Arc<Open>,
    persistent: bool,
    secrets: Vec<String>,
}

impl fmt::Debug for MetaSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetaSubject {{ persistent: {} }}", self.persistent)
    }
}

impl MetaSubject {
    /// A store that `open` opens, for every case anew.
    pub fn new<F, S>(open: impl Fn(Wanted) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<S, Failure>> + Send + 'static,
        S: Into<Opened>,
    {
        let open = move |wanted| -> BoxFuture<'static, Result<Opened, Failure>> {
            let opened = open(wanted);
            Box::pin(async move { Ok(opened.await?.into()) })
        };
        Self { open: Arc::new(open), persistent: false, secrets: Vec::new() }
    }

    /// Opening a place again opens what is there, also while another handle is
    /// open.
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// Strings that the store knows and must never print: its keys, tokens and
    /// passwords.
    pub fn secrets<S: Into<String>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets.extend(secrets.into_iter().map(Into::into));
        self
    }

    /// What the store offers; opens one.
    ///
    /// # Errors
    /// Where it does not open.
    pub async fn offer(&self) -> Result<Offer, Failure> {
        let wanted = Wanted::fresh(&Env::real()).transactions().audit();
        let store = self.open(wanted).await?;
        let features = store.features();
        store.close().await?;
        Ok(Offer { features, persistent: self.persistent })
    }

    /// Opens a store.
    ///
    /// # Errors
    /// Where it does not open.
    pub async fn open(&self, wanted: Wanted) -> Result<Arc<dyn MetaStore>, Failure> {
        Ok((self.open)(wanted).await?.0)
    }

    pub(crate) fn leaks(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| text.contains(secret.as_str()))
    }
}
