//! Any number of handles on one id, over a store that loses answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use ifmatch_meta::{
    DocPrecondition, Error, MetaStore, ScanOptions, Transaction, TxOptions, TxOutcome,
};

use crate::common::*;
use crate::lossy::Lossy;

/// A handle, and what was written as far as it knows.
struct Client {
    tx: Transaction,
    wrote: BTreeSet<String>,
}

#[derive(Default)]
struct Run {
    clients: Vec<Client>,
    /// What an answered detach has promised.
    promised: BTreeSet<String>,
    /// What a detach has sent, whatever was heard of it.
    sent: BTreeSet<String>,
    /// What each answered commit has promised.
    committed: Vec<(BTreeSet<String>, u64)>,
    /// What will never be applied: writes of handles that were told so.
    refused: BTreeSet<String>,
    busy: u32,
    unknown: u32,
}

async fn resume(store: &Arc<Lossy>) -> Option<Client> {
    let tx = Transaction::resume(store.clone(), &tx_id("x")).await.ok()?;
    tx.partition()?;
    let page = tx.scan(&p(), ScanOptions::default()).await.ok()?;
    let wrote = page.documents.iter().map(|document| document.key.id.to_string()).collect();
    Some(Client { tx, wrote })
}

/// Whether nothing of what the handle has not detached will ever be applied.
fn is_over(error: &Error) -> bool {
    match error {
        Error::Expired { .. } => true,
        // Not where its own commit is under way.
        Error::Busy { what, .. } => what.contains("another handle"),
        _ => false,
    }
}

async fn step(run: &mut Run, store: &Arc<Lossy>, random: &mut fastrand::Rng, number: u64) {
    if run.clients.is_empty() || random.u8(0..8) == 0 {
        run.clients.extend(resume(store).await);
        return;
    }
    let at = random.usize(0..run.clients.len());
    let client = &mut run.clients[at];
    match random.u8(0..20) {
        0..=9 => {
            let name = format!("{number:04}");
            let put = client.tx.put(&key(&name), json("1"), DocPrecondition::IfAbsent).await;
            if put.is_ok() {
                client.wrote.insert(name);
            }
        }
        10..=14 => match client.tx.detach().await {
            Ok(_) => {
                run.promised.extend(client.wrote.iter().cloned());
                run.sent.extend(client.wrote.iter().cloned());
            }
            Err(error) if is_over(&error) => {
                run.busy += 1;
                run.refused.extend(client.wrote.difference(&run.sent).cloned());
            }
            Err(error) if error.kind() == "outcome_unknown" => {
                run.unknown += 1;
                run.sent.extend(client.wrote.iter().cloned());
            }
            Err(_) => {}
        },
        15..=16 => match client.tx.commit().await {
            Ok(committed) => {
                if let Some(position) = committed.position {
                    run.committed.push((client.wrote.clone(), position));
                }
            }
            Err(error) if is_over(&error) => {
                run.busy += 1;
                run.refused.extend(client.wrote.difference(&run.sent).cloned());
            }
            Err(error) => run.unknown += u32::from(error.kind() == "outcome_unknown"),
        },
        17 => drop(run.clients.remove(at)),
        18 => std::mem::forget(run.clients.remove(at).tx), // Its process was killed.
        _ => {
            if random.u8(0..6) == 0 {
                let _ = client.tx.abort().await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_is_true_whatever_is_lost() {
    let (mut busy, mut unknown, mut committed, mut aborted) = (0, 0, 0, 0);
    for seed in 0..1_500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (store, mut run) = (store(), Run::default());
        let first = begin_with(&store, TxOptions::default().id(tx_id("x"))).await;
        run.clients.push(Client { tx: first, wrote: BTreeSet::new() });
        store.lose(Some(seed));
        for number in 0..random.u64(5..60) {
            step(&mut run, &store, &mut random, number).await;
        }
        settle().await;
        store.lose(None);
        let page = store.scan(&p(), ScanOptions::default()).await.unwrap();
        let there: BTreeSet<_> = page.documents.iter().map(|d| d.key.id.to_string()).collect();
        match Transaction::outcome(&*store, &tx_id("x")).await.unwrap() {
            TxOutcome::Committed { position, .. } => {
                committed += 1;
                assert!(run.promised.is_subset(&there), "seed {seed}: a detach was lost");
                for (wrote, at) in &run.committed {
                    assert_eq!(*at, position, "seed {seed}");
                    assert!(wrote.is_subset(&there), "seed {seed}: a commit lacks writes");
                }
                let told: Vec<_> = run.refused.intersection(&there).collect();
                assert!(told.is_empty(), "seed {seed}: refused and applied: {told:?}");
            }
            outcome => {
                aborted += u32::from(outcome == TxOutcome::Aborted);
                assert!(there.is_empty(), "seed {seed}: {outcome:?} and {there:?}");
                assert!(run.committed.is_empty(), "seed {seed}: {outcome:?}");
            }
        }
        (busy, unknown) = (busy + run.busy, unknown + run.unknown);
    }
    // It has seen what it is about.
    assert!(busy > 100 && unknown > 100, "{busy} {unknown}");
    assert!(committed > 100 && aborted > 100, "{committed} {aborted}");
}
