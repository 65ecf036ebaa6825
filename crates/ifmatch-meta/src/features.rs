//! What can be chosen when a store is opened.

/// What a store was opened with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Features {
    /// Local transactions may be begun. Every writer respects open ones, with
    /// and without it.
    pub transactions: bool,
    /// A record of every change is kept.
    pub audit: bool,
    /// Indexes can be declared.
    pub indexes: bool,
}

impl Features {
    /// None of them.
    pub fn none() -> Self {
        Self::default()
    }

    /// With local transactions or without.
    pub fn transactions(mut self, on: bool) -> Self {
        self.transactions = on;
        self
    }

    /// With a record of changes or without.
    pub fn audit(mut self, on: bool) -> Self {
        self.audit = on;
        self
    }

    /// With indexes or without.
    pub fn indexes(mut self, on: bool) -> Self {
        self.indexes = on;
        self
    }
}
