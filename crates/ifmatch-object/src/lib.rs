//! Blob stores: local files with a compare-and-swap of their own, and S3, GCS
//! and Azure over `object_store`.
//!
//! Each is a [`ConditionalBlobStore`](ifmatch_core::ConditionalBlobStore) whose
//! answers are true: retries are our own, every write leaves its id in the
//! object, and every failure is resolved by reading it back.
//!
//! | feature | adds |
//! |---|---|
//! | `fs` | `FsBlobStore` |
//! | `s3`, `gcs`, `azure` | `ObjectBlobStore`, `open_cloud` |

#[cfg(feature = "cloud")]
mod cloud;
#[cfg(feature = "fs")]
mod fs;

#[cfg(feature = "cloud")]
pub use cloud::{CloudOptions, ObjectBlobStore, Provider, open_cloud};
#[doc(hidden)]
#[cfg(feature = "fs")]
pub use fs::seam as fs_seam;
#[cfg(feature = "fs")]
pub use fs::{FsBlobStore, FsOptions};
