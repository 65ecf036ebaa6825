//! Where a database is shared in these tests.

use tempfile::TempDir;

/// A kind of store.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) name: &'static str,
    url: Option<String>,
    /// The variable that would name its server, where it is not set.
    pub(crate) missing: Option<&'static str>,
}

impl Remote {
    pub(crate) fn all() -> Vec<Self> {
        let server = |name, variable| {
            let url = std::env::var(variable).ok();
            let missing = url.is_none().then_some(variable);
            Self { name, url, missing }
        };
        vec![
            Self { name: "fs", url: None, missing: None },
            server("s3", "IFMATCH_TEST_S3_URL"),
            server("azure", "IFMATCH_TEST_AZURE_URL"),
        ]
    }

    /// The URL of a place of its own there.
    pub(crate) fn fresh(&self) -> Result<(Option<TempDir>, String), String> {
        let Some(url) = &self.url else {
            let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
            let url = format!("file://{}/shared", folder.path().display());
            return Ok((Some(folder), url));
        };
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let prefix = ifmatch::WriteId::random(&ifmatch::Env::real());
        // Azurite stands still for a minute when it collects its garbage.
        Ok((None, format!("{place}/{prefix}?{query}&timeout=120s")))
    }
}
