//! Sixteen writers against one version: one wins, and the history agrees.

use crate::clients::{DIALECTS, client, start, update, verdict, write};
use futures::future::join_all;
use object_store::PutMode;

const WRITERS: usize = 16;
const ROUNDS: usize = 20;

const IDS: [&str; WRITERS] = [
    "w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w10", "w11", "w12", "w13", "w14",
    "w15",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_race_has_one_winner_per_round() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let mut base = write(&client, "k", "base", "base", PutMode::Create).await.unwrap();
        for round in 1..=ROUNDS {
            let mode = update(&base);
            let tasks = IDS.map(|id| {
                let (client, mode) = (client.clone(), mode.clone());
                // Unique bodies: on S3 equal bodies would be equal versions.
                let body = format!("{id} in {round}");
                tokio::spawn(async move { (id, write(&client, "k", body, id, mode).await) })
            });
            let mut winners = Vec::new();
            for joined in join_all(tasks).await {
                let (id, result) = joined.unwrap();
                match result {
                    Ok(seen) => winners.push((id, seen)),
                    refused => assert_eq!(verdict(&refused), "Precondition", "{dialect}"),
                }
            }
            assert_eq!(winners.len(), 1, "{dialect} round {round}");
            let history = server.applied_history("k");
            assert_eq!(history.len(), round + 1, "{dialect}");
            assert_eq!(history[round].write_id.as_deref(), Some(winners[0].0), "{dialect}");
            assert_eq!(history[round].replaced, history[round - 1].version, "{dialect}");
            base = winners.remove(0).1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_race_has_one_winner_per_round() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        for round in 0..ROUNDS {
            let key = format!("k{round}");
            let tasks = IDS.map(|id| {
                let (client, key) = (client.clone(), key.clone());
                tokio::spawn(async move { write(&client, &key, id, id, PutMode::Create).await })
            });
            let verdicts: Vec<_> =
                join_all(tasks).await.iter().map(|r| verdict(r.as_ref().unwrap())).collect();
            let won = verdicts.iter().filter(|verdict| **verdict == "ok").count();
            let lost = verdicts.iter().filter(|verdict| **verdict == "AlreadyExists").count();
            assert_eq!((won, lost), (1, WRITERS - 1), "{dialect} round {round}");
            assert_eq!(server.applied_history(&key).len(), 1, "{dialect}");
        }
    }
}
