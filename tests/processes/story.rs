//! Two processes, two copies, all 10,000 documents: one push wins, the other is
//! told both versions, reloads, re-applies and pushes.

use serde_json::json;

use crate::worker::Worker;

pub(crate) fn run(url: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut ann = Worker::start(&folder.path().join("ann.db"), url)?;
    let mut bob = Worker::start(&folder.path().join("bob.db"), url)?;

    let imported = ann.do_(&json!({ "do": "import" }))?;
    let before = ann.do_(&json!({ "do": "ids" }))?;
    let first = ann.do_(&json!({ "do": "init" }))?;
    assert_eq!(imported, json!({ "imported": 10_000, "failed": 0 }));
    bob.do_(&json!({ "do": "clone" }))?;
    assert_eq!(bob.do_(&json!({ "do": "ids" }))?, before, "the clone has every document and ETag");

    // Both insert, and both push at the same moment.
    let of_ann = ann.do_(&json!({ "do": "insert", "id": "ann" }))?;
    bob.do_(&json!({ "do": "insert", "id": "bob" }))?;
    ann.send(&json!({ "do": "push" }))?;
    bob.send(&json!({ "do": "push" }))?;
    let answers = (ann.answer()?, bob.answer()?);
    let (won, lost, name, loser) =
        match (answers.0["outcome"].as_str(), answers.1["outcome"].as_str()) {
            (Some("committed"), None) => (answers.0, answers.1, "bob", &mut bob),
            (None, Some("committed")) => (answers.1, answers.0, "ann", &mut ann),
            _ => return Err(format!("exactly one push must win: {answers:?}")),
        };
    assert_eq!(lost["error"], "conflict", "{lost}");
    assert_eq!(lost["base"], first["base"], "the conflict names the base");
    assert_eq!(lost["remote"], won["base"], "and what is published now");

    loser.do_(&json!({ "do": "reload" }))?;
    loser.do_(&json!({ "do": "insert", "id": name }))?;
    let pushed = loser.do_(&json!({ "do": "push" }))?;
    assert_eq!(pushed["outcome"], "committed");
    ann.do_(&json!({ "do": "pull" }))?;
    bob.do_(&json!({ "do": "pull" }))?;

    let (one, two) = (ann.do_(&json!({ "do": "ids" }))?, bob.do_(&json!({ "do": "ids" }))?);
    assert_eq!(one, two, "both copies hold the same documents with the same ETags");
    let ids = one["ids"].as_array().ok_or("no ids")?;
    assert_eq!(ids.len(), 10_002);
    for document in before["ids"].as_array().ok_or("no ids")? {
        assert!(ids.contains(document), "{document} is lost");
    }
    if name == "bob" {
        let kept = format!("added/ann {}", of_ann["etag"].as_str().unwrap_or_default());
        assert!(ids.contains(&json!(kept)), "an ETag stays what the put answered");
    }
    Ok(())
}
