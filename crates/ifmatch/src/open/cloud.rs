//! `s3://`, `gs://` and `az://`.

use std::sync::Arc;

use ifmatch_core::Result;
use ifmatch_object::open_cloud;
use url::Url;

use super::{OpenOptions, Opened, query};

pub(super) fn open(url: &Url, options: &OpenOptions) -> Result<Opened> {
    let store = open_cloud(url, options.env.clone())?.with_retry_policy(options.policy);
    let option = |wanted: &str| {
        url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let probe = option("probe").map(|value| query::probe(&value)).transpose()?;
    let custom_endpoint = option("endpoint").is_some();
    Ok(Opened { store: Arc::new(store), folder: query::path(url)?, custom_endpoint, probe })
}
