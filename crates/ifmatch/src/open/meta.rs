//! Document stores by URL.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_core::{Env, Error as CoreError};
use ifmatch_meta::{Error, Limits, MetaStore, Result};
use ifmatch_sql::{Durability, SqliteMetaStore, SqliteOptions};
use percent_encoding::percent_decode_str;

/// The options of a `sqlite:` URL.
const OPTIONS: &str = "durability, max_document, author";

/// How to open a document store.
#[derive(Clone, Debug)]
pub struct OpenMetaOptions {
    create: bool,
    author: Option<String>,
    env: Env,
}

impl Default for OpenMetaOptions {
    fn default() -> Self {
        Self { create: true, author: None, env: Env::real() }
    }
}

/// A document store by its URL, made where it is missing.
///
/// `sqlite:PATH` with a relative or absolute path, `?` in it written `%3F`;
/// options `durability=full|process`, `max_document=1MiB`, `author=NAME`.
///
/// # Errors
/// `invalid` for an unknown scheme or option (it lists the known ones), else as
/// [`SqliteMetaStore::open`].
pub async fn open_meta_store(url: &str) -> Result<Arc<dyn MetaStore>> {
    OpenMetaOptions::default().open(url).await
}

impl OpenMetaOptions {
    /// The defaults: what is missing is made, no author.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a missing store is made.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Who writes, where a write does not say so itself.
    pub fn author(mut self, author: Option<String>) -> Self {
        self.author = author;
        self
    }

    /// Clock and randomness.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Opens the store that `url` names.
    ///
    /// # Errors
    /// As [`open_meta_store`].
    pub async fn open(&self, url: &str) -> Result<Arc<dyn MetaStore>> {
        let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
        if scheme != "sqlite" {
            return Err(Error::invalid(format!(
                "scheme {scheme:?} is no document store's; there is: sqlite:PATH"
            )));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| Error::invalid("the path of a sqlite: URL is no UTF-8"))?;
        if path.is_empty() {
            return Err(Error::invalid("sqlite: needs a path: sqlite:PATH"));
        }
        let mut options = SqliteOptions::default().create(self.create);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            options = set(options, name, value)?;
        }
        if let Some(author) = &self.author {
            options = options.author(author.as_str());
        }
        let path = PathBuf::from(path.as_ref());
        Ok(Arc::new(SqliteMetaStore::open(path, options, self.env.clone()).await?))
    }
}

fn set(options: SqliteOptions, name: &str, value: &str) -> Result<SqliteOptions> {
    Ok(match (name, value) {
        ("durability", "full") => options.durability(Durability::Full),
        ("durability", "process") => options.durability(Durability::Process),
        ("durability", other) => {
            return Err(Error::invalid(format!("durability={other:?} must be full or process")));
        }
        ("max_document", value) => options.limits(Limits::default().document(size(value)?)),
        ("author", value) => options.author(value),
        (unknown, _) => {
            return Err(Error::invalid(format!(
                "option {unknown:?} of a sqlite: URL is unknown; there are: {OPTIONS}"
            )));
        }
    })
}

/// `1MiB`, `64KiB` or a number of bytes.
fn size(text: &str) -> Result<usize> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        _ => None,
    };
    let bytes = factor.and_then(|factor| number.parse::<usize>().ok()?.checked_mul(factor));
    bytes.ok_or_else(|| {
        CoreError::invalid(format!("size {text:?} must be like 1MiB, 64KiB or 4096")).into()
    })
}
