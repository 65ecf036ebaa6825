//! The options of a cloud URL.

use std::time::Duration;

use ifmatch_core::{Error, Result};
use url::Url;

use super::super::store::Provider;

/// A cloud URL, taken apart and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CloudOptions {
    /// Whose client to build.
    pub provider: Provider,
    /// Bucket or container.
    pub bucket: String,
    /// Where it is reached, if not at the provider's own address.
    pub endpoint: Option<Url>,
    /// S3: the region.
    pub region: Option<String>,
    /// Azure: the storage account.
    pub account: Option<String>,
    /// Allow plain HTTP.
    pub allow_http: bool,
    /// S3: the bucket is a part of the host name.
    pub virtual_hosted: bool,
    /// Send no credentials.
    pub anonymous: bool,
    /// How long one request may take, or stand still.
    pub timeout: Duration,
}

impl Provider {
    const fn known_options(self) -> &'static [&'static str] {
        match self {
            Self::S3 => &[
                "endpoint",
                "region",
                "allow_http",
                "virtual_hosted",
                "anonymous",
                "timeout",
                "probe",
            ],
            Self::Gcs => &["endpoint", "allow_http", "anonymous", "timeout", "probe"],
            Self::Azure => &["endpoint", "account", "allow_http", "timeout", "probe"],
        }
    }
}

impl CloudOptions {
    /// Reads a URL. `probe` is accepted and left to the caller.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the option that is unknown or malformed.
    pub fn parse(url: &Url) -> Result<Self> {
        let provider = match url.scheme() {
            "s3" => Provider::S3,
            "gs" => Provider::Gcs,
            "az" => Provider::Azure,
            other => return Err(Error::invalid(format!("{other}:// is no cloud's scheme"))),
        };
        let bucket = url.host_str().unwrap_or_default().to_owned();
        if bucket.is_empty() {
            let scheme = provider.scheme();
            return Err(Error::invalid(format!("{scheme}:// needs a bucket: {scheme}://BUCKET")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid(
                "credentials do not belong into a URL; set the provider's environment variables",
            ));
        }
        let mut options = Self {
            provider,
            bucket,
            endpoint: None,
            region: None,
            account: None,
            allow_http: false,
            virtual_hosted: false,
            anonymous: false,
            timeout: Duration::from_secs(30),
        };
        for (name, value) in url.query_pairs() {
            options.set(&name, &value)?;
        }
        if let Some(endpoint) = &options.endpoint
            && endpoint.scheme() == "http"
            && !options.allow_http
        {
            return Err(Error::invalid(format!(
                "endpoint {endpoint} is plain HTTP: add allow_http=true if that is meant"
            )));
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let known = self.provider.known_options();
        if !known.contains(&name) {
            let (scheme, known) = (self.provider.scheme(), known.join(", "));
            return Err(Error::invalid(format!(
                "option {name:?} of a {scheme}:// URL is unknown; there are: {known}"
            )));
        }
        match name {
            "endpoint" => self.endpoint = Some(endpoint(value)?),
            "region" => self.region = Some(value.to_owned()),
            "account" => self.account = Some(value.to_owned()),
            "allow_http" => self.allow_http = flag(name, value)?,
            "virtual_hosted" => self.virtual_hosted = flag(name, value)?,
            "anonymous" => self.anonymous = flag(name, value)?,
            "timeout" => self.timeout = seconds(name, value)?,
            _ => {}
        }
        Ok(())
    }
}

fn endpoint(value: &str) -> Result<Url> {
    let invalid = |why: &str| Error::invalid(format!("endpoint {value:?}: {why}"));
    let url = Url::parse(value).map_err(|error| invalid(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(invalid("it must be http:// or https:// and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(Error::invalid("an endpoint holds no credentials and no query"));
    }
    Ok(url)
}

fn flag(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::invalid(format!("option {name}={value:?} must be true or false"))),
    }
}

/// `30s`, `500ms` or `2m`.
fn seconds(name: &str, value: &str) -> Result<Duration> {
    let split = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(split);
    let duration = number.parse().ok().and_then(|number: u64| match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    });
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| {
        Error::invalid(format!("option {name}={value:?} must be like 30s, 500ms or 2m"))
    })
}
