//! Blob stores.

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
