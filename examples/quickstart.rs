//! The main job: a database of real package metadata, shared by two working
//! copies through a local directory, with a conflict in which nothing is lost.
//!
//! `cargo run --example quickstart`

use std::error::Error;
use std::io::{BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};

use ifmatch::meta::{DocKey, DocPrecondition, ImportOptions, Json, Scope, import};
use ifmatch::open_meta_store;
use ifmatch::sync::{Error as SyncError, SyncOptions, SyncReport, SyncedDatabase};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Facts about Debian packages, one JSON object per line.
const PACKAGES: &[u8] = include_bytes!("../tests/data/debian-packages-10k.jsonl.zst");
const TAKEN: usize = 1_000;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let (ann, bob) = (at("ann.db"), at("bob.db"));
    let url = format!("file://{}", at("shared").display());

    println!("Ann imports {TAKEN} packages into a SQLite file of hers.");
    let store = open_meta_store(&format!("sqlite:{}", ann.display())).await?;
    let report = import(&*store, first_lines()?, &ImportOptions::new("section", "package")).await?;
    println!(
        "  {} imported, {} skipped, {} failed",
        report.imported, report.skipped, report.failed
    );
    store.close().await?;

    println!("She shares it through a directory; Bob makes a working copy of it.");
    let (anns, published) =
        SyncedDatabase::init(&ann, ifmatch::open(&url)?, &url, options()).await?;
    tell("Ann init", &published);
    let (bobs, cloned) =
        SyncedDatabase::clone_to(&bob, ifmatch::open(&url)?, &url, options()).await?;
    tell("Bob clone", &cloned);

    println!("Both add a package of their own, and Ann pushes first.");
    add(&ann, "ann-tool").await?;
    add(&bob, "bob-tool").await?;
    tell("Ann push", &anns.push().await?);

    let conflict = match bobs.push().await {
        Err(SyncError::Conflict(conflict)) => conflict,
        other => return Err(format!("Bob's push must conflict, but: {other:?}").into()),
    };
    let base = conflict.base.ok_or("Bob's copy has a base")?;
    println!("Bob's push is a conflict, and nothing was overwritten:");
    println!("  expected {base}");
    println!("  current  {}", conflict.remote);

    println!("He reloads, makes his change again, and pushes.");
    let reloaded = bobs.reload().await?;
    tell("Bob reload", &reloaded);
    let saved = reloaded.saved.ok_or("the local changes are kept")?;
    println!("  his changes were kept in {}", name(&saved));
    add(&bob, "bob-tool").await?;
    tell("Bob push", &bobs.push().await?);
    tell("Ann pull", &anns.pull().await?);

    println!("Read back from the two copies:");
    let counts = [count(&ann).await?, count(&bob).await?];
    println!("  Ann {} documents, Bob {} documents", counts[0], counts[1]);
    let expected = report.imported + 2;
    if counts != [expected, expected] {
        return Err(format!("both must have {expected} documents").into());
    }
    println!("Nothing was lost.");
    Ok(())
}

fn options() -> SyncOptions {
    SyncOptions::new()
}

fn first_lines() -> Result<Cursor<Vec<u8>>> {
    let mut lines = BufReader::new(zstd::Decoder::new(Cursor::new(PACKAGES))?);
    let mut taken = Vec::new();
    for _ in 0..TAKEN {
        lines.read_until(b'\n', &mut taken)?;
    }
    Ok(Cursor::new(taken))
}

async fn add(database: &Path, package: &str) -> Result<()> {
    let store = open_meta_store(&format!("sqlite:{}", database.display())).await?;
    let key = DocKey::new("utils", package)?;
    let body = Json::new(format!(r#"{{"package":"{package}","version":"1.0"}}"#))?;
    store.put(&key, body, DocPrecondition::IfAbsent).await?;
    // A reload replaces the file only while nobody has it open.
    store.close().await?;
    Ok(())
}

async fn count(database: &Path) -> Result<u64> {
    let store = open_meta_store(&format!("sqlite:{}", database.display())).await?;
    let count = store.count(&Scope::All).await?;
    store.close().await?;
    Ok(count)
}

fn tell(what: &str, report: &SyncReport) {
    println!(
        "  {what:<10} {:<10} commit {}, {} requests, {} bytes up, {} bytes down",
        report.outcome.as_str(),
        report.base.seq(),
        report.cost.requests,
        report.cost.bytes_up,
        report.cost.bytes_down
    );
}

fn name(path: &Path) -> String {
    PathBuf::from(path).file_name().unwrap_or_default().to_string_lossy().into_owned()
}
