//! `ifmatch meta sync`: documents in a SQLite file that is shared.

use clap::Args;
use ifmatch::meta::Error;

use crate::arguments::Global;
use crate::commands::{db, documents};
use crate::failure::Failure;
use crate::output::Output;

/// What to sync.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// The document store: `sqlite:PATH` of a file that `db init` shared or
    /// `db clone` made.
    store: String,
    /// What to do when both sides changed.
    #[arg(long, value_enum, default_value = "fail")]
    on_conflict: db::Conflict,
}

pub(super) async fn run(sync: Sync, global: &Global, output: &Output) -> Result<(), Failure> {
    let Some(path) = ifmatch::sqlite_path(&sync.store)? else {
        return Err(Error::unsupported(
            "syncing this store: it is shared as it is. A SQLite file is synced that `db init` \
             shared or `db clone` made: meta sync sqlite:PATH",
        )
        .into());
    };
    // Documents, and options that there are.
    let store = documents::open(&sync.store, false, global).await?;
    documents::closing(store, async { Ok(()) }).await?;
    db::sync(&path, sync.on_conflict, global, output).await
}
