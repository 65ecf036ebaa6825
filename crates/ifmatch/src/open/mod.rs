//! Blob stores by URL.

#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
mod cloud;
#[cfg(feature = "fs")]
mod file;
mod memory;
mod meta;
mod query;
#[cfg(test)]
mod tests;

#[cfg(feature = "sqlite")]
pub use meta::sqlite_path;
pub use meta::{OpenMetaOptions, open_meta_store};

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{
    ConditionalBlobStore, Env, Error, Gated, Prefixed, ProbePolicy, Result, RetryPolicy,
};
use url::Url;

/// The schemes and what stands behind them.
const SCHEMES: &str = "memory://name, file:///dir, s3://bucket/prefix, gs://bucket/prefix, \
                       az://container/prefix";

/// The schemes that have a feature.
const KNOWN: [&str; 4] = ["file", "s3", "gs", "az"];

/// A blob store by its URL, with the default options.
///
/// `memory://name`, `file:///dir`, `s3://bucket/prefix`, `gs://bucket/prefix`,
/// `az://container/prefix`; options as the query. Credentials come from the
/// providers' usual environment variables.
///
/// # Errors
/// [`Error::Invalid`] for an unknown scheme or option (it lists the known
/// ones), [`Error::Unsupported`] where the scheme's feature is off,
/// [`Error::Denied`] where credentials are missing.
///
/// # Cost
/// No request is sent.
pub fn open(url: &str) -> Result<Arc<dyn ConditionalBlobStore>> {
    OpenOptions::new().open(url)
}

/// How to open a store.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    probe: Option<ProbePolicy>,
    env: Env,
    policy: RetryPolicy,
}

/// What a scheme gives: a store, the folder within it, and whether it is at
/// its provider's own address.
struct Opened {
    store: Arc<dyn ConditionalBlobStore>,
    folder: String,
    custom_endpoint: bool,
    probe: Option<ProbePolicy>,
}

impl OpenOptions {
    /// The defaults: probed on creation, 30 seconds of retries, the real
    /// environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to probe; a `probe=` in the URL is overruled.
    pub fn probe(mut self, policy: ProbePolicy) -> Self {
        self.probe = Some(policy);
        self
    }

    /// Clock, sleep and randomness.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// How long an unavailable store is tried.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy = self.policy.with_deadline(deadline);
        self
    }

    /// Opens the store that `url` names.
    ///
    /// # Errors
    /// As [`open()`].
    pub fn open(&self, url: &str) -> Result<Arc<dyn ConditionalBlobStore>> {
        #[cfg(feature = "fs")]
        file::check_text(url)?;
        let parsed = Url::parse(url)
            .map_err(|error| Error::invalid(format!("{}: {error}", query::without(url))))?;
        let opened = self.by_scheme(&parsed)?;
        let store = Prefixed::below(opened.store, &opened.folder)?;
        let policy = self.probe.or(opened.probe).unwrap_or_default();
        Ok(Arc::new(Gated::new(store, policy, opened.custom_endpoint)))
    }

    fn by_scheme(&self, url: &Url) -> Result<Opened> {
        if url.fragment().is_some() {
            return Err(Error::invalid("a store's URL has no #fragment; write %23 for a #"));
        }
        match url.scheme() {
            "memory" => memory::open(url, self),
            #[cfg(feature = "fs")]
            "file" => file::open(url, self),
            #[cfg(feature = "s3")]
            "s3" => cloud::open(url, self),
            #[cfg(feature = "gcs")]
            "gs" => cloud::open(url, self),
            #[cfg(feature = "azure")]
            "az" => cloud::open(url, self),
            scheme if KNOWN.contains(&scheme) => Err(Error::unsupported(format!(
                "{scheme}:// is not compiled in: switch on its feature of the crate `ifmatch`"
            ))),
            scheme => Err(Error::invalid(format!(
                "scheme {scheme:?} is no blob store's; there are: {SCHEMES}"
            ))),
        }
    }
}
