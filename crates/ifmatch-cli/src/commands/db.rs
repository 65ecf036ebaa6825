//! `ifmatch db`: share a SQLite database through a blob store.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use ifmatch::sync::{OnConflict, SyncOptions, SyncReport, SyncedDatabase, remote_url};
use serde_json::{Value, json};

use super::open;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

/// Share a SQLite database through a blob store.
#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Start sharing an existing SQLite file: its content becomes the first
    /// commit.
    Init {
        /// The SQLite file.
        db: PathBuf,
        /// Where to share it.
        url: String,
    },
    /// Make a new working copy.
    Clone {
        /// Where the database is shared.
        url: String,
        /// The new SQLite file.
        db: PathBuf,
    },
    /// How a working copy stands to its remote.
    Status {
        /// The working copy.
        db: PathBuf,
    },
    /// Publish local changes, if nobody published since.
    Push {
        /// The working copy.
        db: PathBuf,
        /// Publish on top of whatever is there.
        #[arg(long)]
        force: bool,
    },
    /// Adopt what others published, if there are no local changes.
    Pull {
        /// The working copy.
        db: PathBuf,
    },
    /// Publish what is local, or adopt what is remote.
    Sync {
        /// The working copy.
        db: PathBuf,
        /// What to do when both sides changed.
        #[arg(long, value_enum, default_value = "fail")]
        on_conflict: Conflict,
    },
    /// Adopt the remote; local changes are saved beside the database.
    Reload {
        /// The working copy.
        db: PathBuf,
    },
}

/// What to do when both sides changed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Conflict {
    /// Change nothing.
    Fail,
    /// Adopt the remote and save the local changes beside the database.
    Reload,
}

pub(crate) async fn run(command: Db, global: &Global, output: &Output) -> Result<(), Failure> {
    let options = SyncOptions::new().wait(global.timeout);
    let report = match command {
        Db::Init { db, url } => {
            let store = open(&url, global)?;
            SyncedDatabase::init(&db, store, &url, options).await?.1
        }
        Db::Clone { url, db } => {
            let store = open(&url, global)?;
            SyncedDatabase::clone_to(&db, store, &url, options).await?.1
        }
        Db::Status { db } => return status(&copy(&db, global, options).await?, output).await,
        Db::Push { db, force: true } => copy(&db, global, options).await?.push_force().await?,
        Db::Push { db, force: false } => copy(&db, global, options).await?.push().await?,
        Db::Pull { db } => copy(&db, global, options).await?.pull().await?,
        Db::Reload { db } => copy(&db, global, options).await?.reload().await?,
        Db::Sync { db, on_conflict } => return sync(&db, on_conflict, global, output).await,
    };
    output.result(&told(&report), &described(&report))
}

/// Publishes what is local, or adopts what is remote.
pub(crate) async fn sync(
    db: &Path,
    on_conflict: Conflict,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let on_conflict = match on_conflict {
        Conflict::Fail => OnConflict::Fail,
        Conflict::Reload => OnConflict::Reload,
    };
    let options = SyncOptions::new().wait(global.timeout).on_conflict(on_conflict);
    let report = copy(db, global, options).await?.sync().await?;
    output.result(&told(&report), &described(&report))
}

async fn copy(db: &Path, global: &Global, options: SyncOptions) -> Result<SyncedDatabase, Failure> {
    let Some(url) = remote_url(db)? else {
        return Err(Failure::not_found(format!(
            "{} is no working copy: `db init` shares it, `db clone` makes one",
            db.display()
        )));
    };
    Ok(SyncedDatabase::open(db, open(&url, global)?, options).await?)
}

async fn status(database: &SyncedDatabase, output: &Output) -> Result<(), Failure> {
    let status = database.status().await?;
    let version = |commit: Option<ifmatch::sync::CommitId>| commit.map(|id| id.to_string());
    let (base, remote) = (version(status.base), version(status.remote));
    let text = format!(
        "url            {}\nbase           {}\nremote         {}\nbehind         {}\nlocal changes  {}",
        status.url,
        base.as_deref().unwrap_or("none"),
        remote.as_deref().unwrap_or("none"),
        if status.behind { "yes" } else { "no" },
        if status.local_changes { "yes" } else { "no" },
    );
    let json = json!({
        "url": status.url,
        "base": base,
        "seq": status.base.map(|base| base.seq()),
        "remote": remote,
        "behind": status.behind,
        "local_changes": status.local_changes,
    });
    output.result(&text, &json)
}

fn told(report: &SyncReport) -> String {
    let mut lines = vec![format!(
        "{}, now at {} ({} requests, {} bytes up, {} bytes down)",
        report.outcome.as_str(),
        report.base,
        report.cost.requests,
        report.cost.bytes_up,
        report.cost.bytes_down
    )];
    lines.extend(report.replaced.map(|replaced| format!("went over {replaced}")));
    let saved = report.saved.as_ref();
    lines.extend(saved.map(|saved| format!("local changes saved in {}", saved.display())));
    lines.join("\n")
}

fn described(report: &SyncReport) -> Value {
    json!({
        "outcome": report.outcome.as_str(),
        "base": report.base.to_string(),
        "seq": report.base.seq(),
        "replaced": report.replaced.map(|commit| commit.to_string()),
        "saved": report.saved.as_ref().map(|path| path.display().to_string()),
        "requests": report.cost.requests,
        "bytes_up": report.cost.bytes_up,
        "bytes_down": report.cost.bytes_down,
        "conflicts": [],
    })
}
