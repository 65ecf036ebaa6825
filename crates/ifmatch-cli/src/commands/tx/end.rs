//! Begin and end.

use std::time::Duration;

use ifmatch::meta::{Partition, Transaction, TxId, TxOptions, TxOutcome};
use serde_json::json;

use crate::arguments::Global;
use crate::commands::documents::{closing, open};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn begin(
    store: &str,
    id: TxId,
    partition: &str,
    lifetime: Duration,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let partition = Partition::new(partition)?;
    let options = TxOptions::default().id(id).lifetime(lifetime);
    let store = open(store, true, global).await?;
    let begun = async {
        let tx = Transaction::begin(store.clone(), &partition, options).await?;
        tx.detach().await?;
        Ok((tx.id().to_string(), tx.remaining()))
    };
    let (id, remaining) = closing(store.clone(), begun).await?;
    let left = u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX);
    let json = json!({ "id": id, "partition": partition.as_str(), "expires_in_ms": left });
    output.result(&format!("{id} is open for {:.1} s", remaining.as_secs_f64()), &json)
}

pub(super) async fn commit(
    store: &str,
    id: &TxId,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let store = open(store, false, global).await?;
    let committed = async {
        let tx = Transaction::resume(store.clone(), id).await?;
        Ok(tx.commit().await?)
    };
    let position = closing(store.clone(), committed).await?.position;
    let Some(position) = position else {
        let json = json!({ "id": id, "outcome": "aborted" });
        return output.result(&format!("{id} wrote nothing: aborted"), &json);
    };
    let json = json!({ "id": id, "outcome": "committed", "position": position });
    output.result(&format!("{id} is committed at {position}"), &json)
}

pub(super) async fn abort(
    store: &str,
    id: &TxId,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let store = open(store, false, global).await?;
    let aborted = async {
        let tx = match Transaction::resume(store.clone(), id).await {
            Ok(tx) => tx,
            // Aborting what is aborted is fine.
            Err(error) => match Transaction::outcome(&*store, id).await {
                Ok(TxOutcome::Aborted) => return Ok(()),
                _ => return Err(error.into()),
            },
        };
        tx.abort().await?;
        Ok(())
    };
    closing(store.clone(), aborted).await?;
    output.result(&format!("{id} is aborted"), &json!({ "id": id, "outcome": "aborted" }))
}

pub(super) async fn outcome(
    store: &str,
    id: &TxId,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let store = open(store, false, global).await?;
    let asked = async { Ok(Transaction::outcome(&*store, id).await?) };
    let (word, position) = match closing(store.clone(), asked).await? {
        TxOutcome::Open => ("open", None),
        TxOutcome::Committed { position, .. } => ("committed", Some(position)),
        TxOutcome::Aborted => ("aborted", None),
        _ => ("forgotten", None),
    };
    let mut json = json!({ "id": id, "outcome": word });
    if let (Some(position), Some(json)) = (position, json.as_object_mut()) {
        json.insert("position".to_owned(), position.into());
    }
    output.result(word, &json)
}
