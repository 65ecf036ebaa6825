//! S3, GCS and Azure over `object_store`, with our own retries and the outcome
//! rule of [`ifmatch_core::put_resolved`].

mod classify;
mod connector;
mod delete;
mod exchange;
mod list;
mod metadata;
mod open;
mod read;
mod redact;
mod store;
mod tls;

pub use open::{CloudOptions, open_cloud};
pub use store::{ObjectBlobStore, Provider};
