//! What `meta` and `tx` share: stores, conditions, bodies, pages.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use ifmatch::OpenMetaOptions;
use ifmatch::meta::{
    DocPrecondition, Document, Json, MetaStore, Projection, ScanOptions, ScanToken, WriteOptions,
};
use serde_json::json;

use crate::arguments::{Global, is_stream};
use crate::failure::Failure;
use crate::output::Output;

/// Who writes.
#[derive(Debug, Args)]
pub(crate) struct Author {
    /// Who writes.
    #[arg(long, env = "IFMATCH_AUTHOR", value_name = "NAME")]
    author: Option<String>,
}

impl Author {
    pub(crate) fn options(self) -> WriteOptions {
        match self.author {
            Some(author) => WriteOptions::default().author(author),
            None => WriteOptions::default(),
        }
    }
}

/// What must hold for a put.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PutCondition {
    /// Only if there is no such document.
    #[arg(long)]
    if_absent: bool,
    /// Only if there is one.
    #[arg(long)]
    if_exists: bool,
    /// Only if its ETag is this one.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Whatever is there: the last writer wins.
    #[arg(long)]
    overwrite: bool,
}

/// What must hold for a change of a document that is there.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PresentCondition {
    /// Only if there is one.
    #[arg(long)]
    if_exists: bool,
    /// Only if its ETag is this one.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Whatever is there.
    #[arg(long)]
    overwrite: bool,
}

impl PutCondition {
    pub(crate) fn precondition(&self) -> Result<DocPrecondition, Failure> {
        condition(self.if_match.as_deref(), self.if_absent, self.if_exists)
    }
}

impl PresentCondition {
    pub(crate) fn precondition(&self) -> Result<DocPrecondition, Failure> {
        condition(self.if_match.as_deref(), false, self.if_exists)
    }
}

fn condition(
    if_match: Option<&str>,
    if_absent: bool,
    if_exists: bool,
) -> Result<DocPrecondition, Failure> {
    Ok(match if_match {
        Some(etag) => DocPrecondition::IfMatch(etag.parse()?),
        None if if_absent => DocPrecondition::IfAbsent,
        None if if_exists => DocPrecondition::IfExists,
        None => DocPrecondition::Overwrite,
    })
}

/// Which documents of a partition, and in which order.
#[derive(Debug, Args)]
#[group(skip)] // Its name would be that of `tx range`.
pub(crate) struct Range {
    /// Begin with this id: the smallest, with --reverse the largest.
    #[arg(long, value_name = "ID")]
    from: Option<String>,
    /// Only ids that begin with this.
    #[arg(long, conflicts_with = "from")]
    prefix: Option<String>,
    /// Largest id first.
    #[arg(long)]
    reverse: bool,
    /// Print at most so many, and the token of what follows; all unless set.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Go on after the token of a scan before.
    #[arg(long, value_name = "TOKEN")]
    after: Option<ScanToken>,
    /// Only these members of the bodies: JSON pointers, with commas between.
    #[arg(long, value_delimiter = ',', value_name = "POINTER")]
    fields: Vec<String>,
}

impl Range {
    pub(crate) fn options(self) -> Result<(ScanOptions, Pages), Failure> {
        let mut options = ScanOptions::default();
        if let Some(prefix) = &self.prefix {
            options = options.prefix(prefix);
        }
        if let Some(from) = &self.from {
            options = if self.reverse { options.ids(..=&**from) } else { options.ids(&**from..) };
        }
        if self.reverse {
            options = options.descending();
        }
        options.after = self.after;
        options.fields = fields(self.fields)?;
        let pages = Pages::new(self.limit);
        options.limit = pages.next_page(options.limit);
        Ok((options, pages))
    }
}

pub(crate) fn fields(fields: Vec<String>) -> Result<Option<Projection>, Failure> {
    Ok(if fields.is_empty() { None } else { Some(Projection::new(fields)?) })
}

/// How many more documents are printed.
#[derive(Debug)]
pub(crate) struct Pages {
    left: Option<u64>,
}

impl Pages {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self { left: limit }
    }

    /// How many the next page may hold.
    pub(crate) fn next_page(&self, most: usize) -> usize {
        let left = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        most.min(left)
    }

    /// Prints a page; whether there is another one to print.
    pub(crate) fn print(
        &mut self,
        documents: &[Document],
        next: Option<&impl ToString>,
        output: &Output,
    ) -> Result<bool, Failure> {
        for document in documents {
            output.result(&line(document), document)?;
        }
        self.left = self.left.map(|left| left.saturating_sub(documents.len() as u64));
        match next {
            Some(token) if self.left == Some(0) => {
                end(&token.to_string(), output)?;
                Ok(false)
            }
            next => Ok(next.is_some()),
        }
    }
}

/// The token of what follows: the last line in JSON, a remark for a person.
pub(crate) fn end(token: &str, output: &Output) -> Result<(), Failure> {
    output.remark(&format!("next {token}"));
    output.result("", &json!({ "next": token }))
}

/// A document as a person reads it.
pub(crate) fn line(document: &Document) -> String {
    let body = document.body.as_str().replace(['\n', '\r'], " ");
    format!("{}\t{}\t{body}", document.key, document.etag)
}

/// The document itself, or that there is none.
pub(crate) fn print_document(
    found: Option<Document>,
    missing: impl FnOnce() -> String,
    output: &Output,
) -> Result<(), Failure> {
    let document = found.ok_or_else(|| Failure::not_found(missing()))?;
    output.remark(&format!("etag {}", document.etag));
    output.result(document.body.as_str(), &document)
}

/// Opens a store; a missing one is made or is an error.
pub(crate) async fn open(
    url: &str,
    create: bool,
    global: &Global,
) -> Result<Arc<dyn MetaStore>, Failure> {
    let options = OpenMetaOptions::new().create(create).deadline(global.timeout);
    Ok(options.open(url).await?)
}

/// Closes the store after the work, whatever came of it.
pub(crate) async fn closing<T>(
    store: Arc<dyn MetaStore>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let done = work.await;
    let closed = store.close().await;
    let done = done?;
    closed?;
    Ok(done)
}

/// A body from the command line, or from standard input.
pub(crate) fn body(text: Option<String>) -> Result<Json, Failure> {
    let text = match text.filter(|text| text != "-") {
        Some(text) => text.into_bytes(),
        None => input(None)?,
    };
    Ok(Json::new(text)?)
}

/// All of a file or of standard input.
pub(crate) fn input(file: Option<&PathBuf>) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    match file.filter(|file| !is_stream(Some(file))) {
        Some(path) => text = std::fs::read(path).map_err(|error| unreadable(path, &error))?,
        None => {
            std::io::stdin()
                .read_to_end(&mut text)
                .map_err(|e| Failure::other(format!("standard input cannot be read: {e}")))?;
        }
    }
    Ok(text)
}

pub(crate) fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::not_found(format!("there is no file {}", path.display()))
        }
        _ => Failure::other(format!("{}: {error}", path.display())),
    }
}
