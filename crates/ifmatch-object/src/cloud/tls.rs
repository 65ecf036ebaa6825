//! The TLS library of the process.

use std::sync::Once;

/// Gives the process rustls' ring provider where it has none: with the features
/// that keep a second TLS library out, building any HTTP client panics until
/// somebody does, for plain HTTP too.
pub(super) fn ensure_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // An error says that another thread was first: then there is one.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
    });
}
