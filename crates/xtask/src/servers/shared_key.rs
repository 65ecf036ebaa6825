//! Azure's `SharedKey` signature for requests without a body.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What is signed of a request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// The HTTP method.
    pub(super) method: &'a str,
    /// The path as it is sent.
    pub(super) path: &'a str,
    /// Query parameters, in ascending order of their names.
    pub(super) query: &'a [(&'a str, &'a str)],
    /// The `x-ms-` headers, in ascending order of their names.
    pub(super) headers: &'a [(&'a str, &'a str)],
}

/// The value of the `Authorization` header.
pub(super) fn authorization(account: &str, key: &str, request: &Request<'_>) -> Result<String> {
    let key = STANDARD.decode(key).context("the account key is not base64")?;
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).context("the account key is unusable")?;
    hmac.update(text(account, request).as_bytes());
    let signature = STANDARD.encode(hmac.finalize().into_bytes());
    Ok(format!("SharedKey {account}:{signature}"))
}

/// The text to sign: the method, eleven standard headers (empty here; a
/// content length of zero is written as nothing), the `x-ms-` headers and the
/// resource with its parameters.
fn text(account: &str, request: &Request<'_>) -> String {
    let lines = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join("\n")
    };
    let empty = "\n".repeat(11);
    let headers = lines(request.headers);
    let resource = format!("/{account}{}", request.path);
    format!("{}\n{empty}{headers}\n{resource}\n{}", request.method, lines(request.query))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example "Get Container Metadata" of Azure's page.
    const EXAMPLE: Request<'_> = Request {
        method: "GET",
        path: "/mycontainer",
        query: &[("comp", "metadata"), ("restype", "container"), ("timeout", "20")],
        headers: &[("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"), ("x-ms-version", "2015-02-21")],
    };

    #[test]
    fn the_signed_text_is_that_of_the_documented_example() {
        let documented = "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n\
            x-ms-version:2015-02-21\n/myaccount/mycontainer\n\
            comp:metadata\nrestype:container\ntimeout:20";
        assert_eq!(text("myaccount", &EXAMPLE), documented);
    }

    /// The expected value was computed with `openssl dgst -sha256 -mac HMAC`.
    #[test]
    fn the_signature_is_the_hmac_under_the_decoded_key() {
        let key = STANDARD.encode("0123456789abcdef");
        assert_eq!(
            authorization("myaccount", &key, &EXAMPLE).unwrap(),
            "SharedKey myaccount:qN+w4DH2Z0eIswxyglB15ZUPn9tSJtHnql0GJQ63rtM="
        );
    }
}
