//! The suite of documents as a third party uses it, on the store in memory.

use std::sync::Arc;

use ifmatch_core::Env;
use ifmatch_meta::{Features, MemoryMetaStore, MemoryOptions};
use ifmatch_testkit::suite::meta::Wanted;

ifmatch_testkit::meta_store_suite!(memory, |wanted: Wanted| async move {
    let features = Features::none().transactions(wanted.transactions).audit(wanted.audit);
    let mut options = MemoryOptions::default().env(Env::real()).features(features);
    if let Some(author) = wanted.author.as_deref() {
        options = options.author(author);
    }
    Ok(Arc::new(MemoryMetaStore::with(options)))
});
