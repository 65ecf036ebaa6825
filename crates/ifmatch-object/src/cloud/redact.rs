//! Causes without secrets: what a library says about a request may hold a
//! signed URL.

use std::error::Error as StdError;

use ifmatch_core::{Reason, Source};

/// The whole chain of `error` on one line, without query strings.
pub(super) fn source(error: &(dyn StdError + 'static)) -> Source {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let line = error.to_string();
        // Most libraries repeat the cause in their own message.
        if !text.contains(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = error.source();
    }
    Reason::source(without_queries(&text))
}

/// `text` on one line, each query string replaced; at most 500 characters.
fn without_queries(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        match word.find("://").and_then(|scheme| word[scheme..].find('?').map(|at| scheme + at)) {
            Some(query) => {
                out.push_str(&word[..query]);
                out.push_str("?...");
            }
            None => out.push_str(word),
        }
        if out.len() > 500 {
            let cut = (0..=500).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
            out.truncate(cut);
            out.push_str("...");
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_url_loses_its_signature() {
        let text = without_queries("GET https://h/c/b?sig=SECRET&se=1 failed:\n  503");
        assert_eq!(text, "GET https://h/c/b?... failed: 503");
        assert!(without_queries(&"é ".repeat(2000)).len() < 510);
    }
}
