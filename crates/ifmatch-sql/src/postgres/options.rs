//! How a store is opened.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Env;
use ifmatch_meta::Limits;

/// How a [`PostgresMetaStore`](crate::PostgresMetaStore) is opened.
///
/// ```
/// use ifmatch_sql::PostgresOptions;
/// let options = PostgresOptions::default().schema("orders").author("importer").audit(true);
/// assert!(options.create);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// The schema that holds the store's tables, which nobody else uses;
    /// `ifmatch` unless set. 1 to 40 lower-case letters, digits and `_`.
    pub schema: Arc<str>,
    /// Whether a missing schema is created; it is unless set.
    pub create: bool,
    /// Who writes, where a write does not say so itself.
    pub author: Option<Arc<str>>,
    /// How large documents and batches may be.
    pub limits: Limits,
    /// Whether local transactions may be begun; not unless set.
    pub transactions: bool,
    /// Whether a record of every change is kept; not unless set. It should be
    /// the same for everybody who writes to the store.
    pub audit: bool,
    /// Most connections at once; 10 unless set, at least 1. One more listens for
    /// changes once somebody waits for one.
    pub connections: u32,
    /// How long one operation may take; 30 s unless set. The server ends
    /// statements that take longer.
    pub deadline: Duration,
    /// How long a read of the change feed or of the record of changes waits for
    /// transactions that began before what was committed last and are not over;
    /// 1 s unless set. What follows such a transaction is told after its end
    /// only.
    pub patience: Duration,
    /// Clock and randomness; the real ones unless set.
    pub env: Env,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "ifmatch".into(),
            create: true,
            author: None,
            limits: Limits::default(),
            transactions: false,
            audit: false,
            connections: 10,
            deadline: Duration::from_secs(30),
            patience: Duration::from_secs(1),
            env: Env::real(),
        }
    }
}

impl PostgresOptions {
    /// Sets the schema.
    pub fn schema(mut self, schema: impl Into<Arc<str>>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets whether a missing schema is created.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets who writes, where a write does not say so itself.
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// Sets how large documents and batches may be.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether local transactions may be begun.
    pub fn transactions(mut self, on: bool) -> Self {
        self.transactions = on;
        self
    }

    /// Sets whether a record of every change is kept.
    pub fn audit(mut self, on: bool) -> Self {
        self.audit = on;
        self
    }

    /// Sets the most connections.
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Sets how long one operation may take.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how long feeds wait for transactions that are under way.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets clock and randomness.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }
}
