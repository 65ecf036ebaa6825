//! Clients by URL, with strict options and the providers' usual credentials.

mod clients;
mod options;
#[cfg(test)]
mod tests;

use ifmatch_core::{Env, Result};
use url::Url;

pub use options::CloudOptions;

use super::store::ObjectBlobStore;

/// A store by its URL: `s3://bucket`, `gs://bucket` or `az://container`, with
/// options as its query. The path of the URL is left to the caller.
///
/// Credentials come from the environment, by the names that each provider's
/// own tools use. No request is sent.
///
/// # Errors
/// [`Invalid`](ifmatch_core::Error::Invalid) lists the options that exist where
/// one is unknown or malformed; [`Denied`](ifmatch_core::Error::Denied) where a
/// custom endpoint is given and no credentials are found.
pub fn open_cloud(url: &Url, env: Env) -> Result<ObjectBlobStore> {
    let options = CloudOptions::parse(url)?;
    clients::build(&options, env)
}
