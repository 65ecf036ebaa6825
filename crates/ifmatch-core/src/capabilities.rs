//! What a store can do, asked before it is relied on.

/// How a store names versions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Versions {
    /// Every write makes a version that never returns (memory, fs, GCS, Azure).
    Unique,
    /// The version is a hash of the body: equal bytes, equal version (S3 and
    /// its relatives). Put a nonce into whatever you compare and swap.
    ByContent,
}

/// The order of a listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ListOrder {
    /// Byte order of the key.
    ByKey,
    /// Any order (S3 Express directory buckets).
    Unordered,
}

/// Who takes part in the store's compare-and-swap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Reach {
    /// Handles within this process (memory).
    Process,
    /// Processes of this machine (local files).
    Machine,
    /// Everyone who can reach the store (the clouds).
    Global,
}

/// What a store can do. What is missing is [`Unsupported`] when asked for,
/// never silently dropped.
///
/// [`Unsupported`]: crate::Error::Unsupported
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Capabilities {
    /// `put` under [`IfAbsent`](crate::Precondition::IfAbsent).
    pub put_if_absent: bool,
    /// `put` under [`IfMatch`](crate::Precondition::IfMatch).
    pub put_if_match: bool,
    /// `delete` under [`IfMatch`](crate::Precondition::IfMatch).
    pub delete_if_match: bool,
    /// How versions are named.
    pub versions: Versions,
    /// The order of `list`.
    pub list_order: ListOrder,
    /// Writes per second that the provider allows on one name, where it names
    /// a limit (GCS and R2: 1).
    pub writes_per_second_per_key: Option<u32>,
    /// Who takes part in the compare-and-swap.
    pub reach: Reach,
    /// Largest body of one `put`, in bytes.
    pub max_body: u64,
}

impl Capabilities {
    /// Everything, unique versions, no limits: what memory can do.
    pub const fn full(reach: Reach) -> Self {
        Self {
            put_if_absent: true,
            put_if_match: true,
            delete_if_match: true,
            versions: Versions::Unique,
            list_order: ListOrder::ByKey,
            writes_per_second_per_key: None,
            reach,
            max_body: u64::MAX,
        }
    }
}
