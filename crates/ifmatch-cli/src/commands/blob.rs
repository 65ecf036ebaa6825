//! `ifmatch blob`: single blobs under conditions.

use std::io::{Read, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use futures::TryStreamExt;
use ifmatch::{
    BlobInfo, BlobKey, BlobPrefix, ConditionalBlobStore, Fetched, GetOptions, Precondition, Version,
};
use serde_json::{Value, json};

use super::open;
use crate::arguments::{Global, is_stream};
use crate::failure::Failure;
use crate::output::Output;

/// Read and write single blobs under conditions.
#[derive(Debug, Subcommand)]
pub(crate) enum Blob {
    /// Read a blob to a file, or to standard output.
    Get {
        /// The store.
        url: String,
        /// The blob.
        key: String,
        /// Where to write it; `-` or nothing is standard output.
        file: Option<PathBuf>,
        /// Not if the version is still this one; that is no failure.
        #[arg(long, value_name = "VERSION")]
        if_none_match: Option<String>,
        /// Only if the version is this one.
        #[arg(long, value_name = "VERSION", conflicts_with = "if_none_match")]
        if_match: Option<String>,
    },
    /// Write a blob from a file, or from standard input.
    Put {
        /// The store.
        url: String,
        /// The blob.
        key: String,
        /// What to write; `-` or nothing is standard input.
        file: Option<PathBuf>,
        #[command(flatten)]
        condition: PutCondition,
    },
    /// Version and size of a blob.
    Head {
        /// The store.
        url: String,
        /// The blob.
        key: String,
    },
    /// The blobs of a store, in byte order.
    Ls {
        /// The store.
        url: String,
        /// Only those below this folder.
        #[arg(default_value = "")]
        prefix: String,
        /// Only those after this key.
        #[arg(long, value_name = "KEY")]
        after: Option<String>,
    },
    /// Delete a blob.
    Rm {
        /// The store.
        url: String,
        /// The blob.
        key: String,
        #[command(flatten)]
        condition: DeleteCondition,
    },
}

/// What must hold for a put.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PutCondition {
    /// Only if there is no such blob.
    #[arg(long)]
    if_absent: bool,
    /// Only if its version is this one.
    #[arg(long, value_name = "VERSION")]
    if_match: Option<String>,
    /// Whatever is there: the last writer wins.
    #[arg(long)]
    overwrite: bool,
}

/// What must hold for a delete.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct DeleteCondition {
    /// Only if its version is this one.
    #[arg(long, value_name = "VERSION")]
    if_match: Option<String>,
    /// Whatever is there.
    #[arg(long)]
    overwrite: bool,
}

impl PutCondition {
    fn precondition(&self) -> Result<Precondition, Failure> {
        Ok(match &self.if_match {
            Some(version) => Precondition::IfMatch(version.parse()?),
            None if self.if_absent => Precondition::IfAbsent,
            None => Precondition::Overwrite,
        })
    }
}

pub(crate) async fn run(command: Blob, global: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        Blob::Get { url, key, file, if_none_match, if_match } => {
            let mut options = GetOptions::new();
            options.if_none_match = version(if_none_match)?;
            options.if_match = version(if_match)?;
            get(&*open(&url, global)?, &BlobKey::new(key)?, options, file, output).await
        }
        Blob::Put { url, key, file, condition } => {
            let key = BlobKey::new(key)?;
            let precondition = condition.precondition()?;
            let store = open(&url, global)?;
            let body = read(file)?;
            let size = body.len() as u64;
            let stored = store.put(&key, body.into(), precondition).await?;
            let version = stored.version.to_string();
            let json = json!({ "key": key.as_str(), "version": version, "size": size });
            output.result(&version, &json)
        }
        Blob::Head { url, key } => {
            let key = BlobKey::new(key)?;
            let store = open(&url, global)?;
            let info = store.head(&key).await?.ok_or_else(|| missing(&key, &*store))?;
            output.result(&format!("{}\t{}", info.version, info.size), &described(&info))
        }
        Blob::Ls { url, prefix, after } => {
            let prefix = BlobPrefix::new(prefix)?;
            let after = after.map(BlobKey::new).transpose()?;
            let store = open(&url, global)?;
            let mut found = store.list(&prefix, after.as_ref());
            while let Some(info) = found.try_next().await? {
                let line = format!("{}\t{}\t{}", info.version, info.size, info.key);
                output.result(&line, &described(&info))?;
            }
            Ok(())
        }
        Blob::Rm { url, key, condition } => {
            let key = BlobKey::new(key)?;
            let precondition = match condition.if_match {
                Some(version) => Precondition::IfMatch(version.parse()?),
                None => Precondition::Overwrite,
            };
            open(&url, global)?.delete(&key, precondition).await?;
            output.result("", &json!({ "key": key.as_str(), "deleted": true }))
        }
    }
}

async fn get(
    store: &dyn ConditionalBlobStore,
    key: &BlobKey,
    options: GetOptions,
    file: Option<PathBuf>,
    output: &Output,
) -> Result<(), Failure> {
    match store.get(key, options).await? {
        Fetched::Found(blob) => {
            output.beside(&described(&blob.info));
            match file.filter(|file| !is_stream(Some(file))) {
                None => output.bytes(&blob.body),
                Some(file) => std::fs::File::create(&file)
                    .and_then(|mut out| out.write_all(&blob.body))
                    .map_err(|error| Failure::other(format!("{}: {error}", file.display()))),
            }
        }
        Fetched::NotModified { .. } => {
            output.remark("not modified");
            output.result("", &json!({ "not_modified": true }))
        }
        _ => Err(missing(key, store)),
    }
}

fn missing(key: &BlobKey, store: &dyn ConditionalBlobStore) -> Failure {
    Failure::not_found(format!("not found: blob {key} in {store}"))
}

fn version(token: Option<String>) -> Result<Option<Version>, Failure> {
    Ok(token.map(|token| token.parse()).transpose()?)
}

fn described(info: &BlobInfo) -> Value {
    json!({
        "key": info.key.as_str(),
        "version": info.version.to_string(),
        "size": info.size,
        "last_modified": info.last_modified.map(|time| time.to_string()),
    })
}

fn read(file: Option<PathBuf>) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let read = match file.filter(|file| !is_stream(Some(file))) {
        None => std::io::stdin().read_to_end(&mut body).map(|_| ()),
        Some(file) => {
            return std::fs::read(&file).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Failure::not_found(format!("there is no file {}", file.display()))
                }
                _ => Failure::other(format!("{}: {error}", file.display())),
            });
        }
    };
    read.map_err(|error| Failure::other(format!("standard input cannot be read: {error}")))?;
    Ok(body)
}
