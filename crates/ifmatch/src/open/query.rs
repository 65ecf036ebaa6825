//! Options in a URL's query, each known or refused.

use ifmatch_core::{Error, ProbePolicy, Result};
use percent_encoding::percent_decode_str;
use url::Url;

/// Gives each option to `set`, which says whether it knows it.
pub(super) fn each(
    url: &Url,
    known: &str,
    mut set: impl FnMut(&str, &str) -> Result<bool>,
) -> Result<()> {
    for (name, value) in url.query_pairs() {
        if !set(&name, &value)? {
            return Err(Error::invalid(format!(
                "option {name:?} of a {}: URL is unknown; there are: {known}",
                url.scheme()
            )));
        }
    }
    Ok(())
}

/// The value of `probe=`.
pub(super) fn probe(value: &str) -> Result<ProbePolicy> {
    match value {
        "create" => Ok(ProbePolicy::OnCreate),
        "always" => Ok(ProbePolicy::Always),
        "never" => Ok(ProbePolicy::Never),
        _ => Err(Error::invalid(format!("probe={value:?} must be create, always or never"))),
    }
}

/// The path of a URL, decoded.
pub(super) fn path(url: &Url) -> Result<String> {
    percent_decode_str(url.path())
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Error::invalid(format!("the path of a {}: URL is no UTF-8", url.scheme())))
}

/// A URL without its query, as messages show it.
pub(super) fn without(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
