//! Documents on blobs: one journal per partition.
//!
//! ```text
//! <prefix>/ifmatch                     what lies here, and the store's id
//! <prefix>/heads/<partition>           the head of the partition's journal
//! <prefix>/data/<partition>/segments/  and checkpoints/, history/: its objects
//! <prefix>/data/<partition>/staged/<begin>/<number>   what a transaction staged
//! <prefix>/tx/<id>                     in which partition a transaction is
//! ```
//!
//! | to | requests, once the partition is open and nobody else writes |
//! |---|---|
//! | put, delete, patch, a batch of any length | 1 PUT; callers at the same time share it |
//! | be told of a conflict | 1 GET without a body |
//! | get, scan, query, the feed | 1 GET without a body; callers at the same time share it |
//! | open a partition | its head, then at most about 10 objects at once |
//! | list or count partitions | the listing of `heads/`, and the head of each |
//! | anything of all partitions | the same, and to open each |
//! | begin a transaction | 2 PUTs: its address, the lock |
//! | commit or abort one | 1 PUT |
//! | stage writes for another process | 2 PUTs |
//!
//! A segment of the journal costs one request more, about every 16 KiB of what is
//! written.
//!
//! A partition is held in memory as a whole, in the process that uses it
//! ([`BlobMetaOptions::partition_bytes`]).

mod cache;
mod failure;
mod feed;
mod gate;
mod handle;
mod listing;
mod machine;
mod marks;
mod meter;
mod name;
mod options;
mod queries;
mod reads;
mod store;
mod transactions;
mod writes;

pub use options::BlobMetaOptions;
pub use store::BlobMetaStore;
