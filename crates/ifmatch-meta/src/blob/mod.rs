//! Documents on blobs: one journal per partition ([`BlobMetaStore`]).

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
