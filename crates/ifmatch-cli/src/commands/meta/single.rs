//! One document.

use ifmatch::meta::{DocKey, DocPrecondition, WriteOptions};
use serde_json::json;

use crate::arguments::Global;
use crate::commands::documents::{body, closing, open, print_document};
use crate::failure::Failure;
use crate::output::Output;

pub(super) struct Put {
    pub(super) partition: String,
    pub(super) id: String,
    pub(super) body: Option<String>,
    pub(super) precondition: DocPrecondition,
    pub(super) options: WriteOptions,
}

pub(super) struct Delete {
    pub(super) partition: String,
    pub(super) id: String,
    pub(super) precondition: DocPrecondition,
    pub(super) options: WriteOptions,
}

pub(super) async fn get(
    store: &str,
    partition: String,
    id: String,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let key = DocKey::new(partition, id)?;
    let store = open(store, false, global).await?;
    let found = closing(store.clone(), async { Ok(store.get(&key).await?) }).await?;
    print_document(found, || format!("not found: document {key} in {store}"), output)
}

pub(super) async fn put(
    store: &str,
    put: Put,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let key = DocKey::new(put.partition, put.id)?;
    let body = body(put.body)?;
    let store = open(store, true, global).await?;
    let write = store.put_with(&key, body, put.precondition, put.options);
    let written = closing(store.clone(), async { Ok(write.await?) }).await?;
    let etag = written.etag.to_string();
    output.result(&etag, &json!({ "etag": etag, "created": written.created }))
}

pub(super) async fn delete(
    store: &str,
    delete: Delete,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let key = DocKey::new(delete.partition, delete.id)?;
    let store = open(store, false, global).await?;
    let write = store.delete_with(&key, delete.precondition, delete.options);
    let deleted = closing(store.clone(), async { Ok(write.await?) }).await?;
    let etag = deleted.etag.map(|etag| etag.to_string());
    output.result(etag.as_deref().unwrap_or("nothing there"), &json!({ "etag": etag }))
}
