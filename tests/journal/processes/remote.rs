//! Where the processes share a journal.

use tempfile::TempDir;

/// A kind of store.
#[derive(Clone)]
pub(crate) struct Remote {
    url: Option<String>,
    /// The variable that would name its server, where it is not set.
    pub(crate) missing: Option<&'static str>,
}

impl Remote {
    /// Local files.
    pub(crate) const fn files() -> Self {
        Self { url: None, missing: None }
    }

    /// A server whose address is in this variable.
    pub(crate) fn server(variable: &'static str) -> Self {
        let url = std::env::var(variable).ok();
        let missing = url.is_none().then_some(variable);
        Self { url, missing }
    }

    /// The URL of a place of its own there.
    pub(crate) fn fresh(&self, folder: &TempDir) -> String {
        let Some(url) = &self.url else {
            return format!("file://{}/shared", folder.path().display());
        };
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let prefix = ifmatch::WriteId::random(&ifmatch::Env::real());
        // Azurite stands still for a minute when it collects its garbage.
        format!("{place}/{prefix}?{query}&timeout=120s")
    }
}
