//! Clauses 1 to 4 where many act at once.

use std::future::Future;
use std::pin::pin;

use bytes::Bytes;
use futures::future::{join, join_all};
use ifmatch_core::{Blob, BlobKey, Error, GetOptions, Precondition, Stored};

use crate::suite::Failure;
use crate::suite::trial::{Checked, Trial};

/// How many tasks race.
const RACERS: usize = 16;

/// Runs one task per racer, on as many threads as there are.
async fn race<T, F>(racer: impl Fn(usize) -> F) -> Checked<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..RACERS).map(|number| tokio::spawn(racer(number))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await?);
    }
    Ok(answers)
}

/// Exactly one racer may have been told that it won; a racer whose outcome is
/// unknown may be the winner where none was told.
fn winner(answers: &[Result<Stored, Error>]) -> Checked<Option<usize>> {
    let mut winners = Vec::new();
    let mut unknown = 0;
    for (number, answer) in answers.iter().enumerate() {
        match answer {
            Ok(_) => winners.push(number),
            Err(Error::Conflict(_)) => {}
            Err(Error::OutcomeUnknown(_)) => unknown += 1,
            Err(error) => return Err(Failure::from(error.clone()).during("a racer")),
        }
    }
    match winners[..] {
        [winner] => Ok(Some(winner)),
        [] if unknown > 0 => Ok(None),
        _ => Err(Failure::new(format!(
            "{} of {RACERS} racers were told that they won",
            winners.len()
        ))),
    }
}

async fn race_to_put(on: &Trial, key: &BlobKey, condition: &Precondition, round: usize) -> Checked {
    let answers = race(|number| {
        let (store, key, condition) = (on.store().clone(), key.clone(), condition.clone());
        async move { store.put(&key, format!("{round}: {number}").into(), condition).await }
    })
    .await?;
    let Some(winner) = winner(&answers)? else { return Ok(()) };
    on.body_is(key, format!("{round}: {winner}").as_bytes()).await
}

pub(crate) async fn one_of_many_creators_wins(on: Trial) -> Checked {
    for round in 0..5 {
        let key = on.key(format!("blob-{round}"))?;
        race_to_put(&on, &key, &Precondition::IfAbsent, round).await?;
    }
    Ok(())
}

pub(crate) async fn one_of_many_updaters_wins_each_round(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "start").await?;
    for round in 0..10 {
        let version = on.head(&key).await?.version;
        race_to_put(&on, &key, &Precondition::IfMatch(version), round).await?;
    }
    Ok(())
}

pub(crate) async fn a_counter_counts_every_increment(on: Trial) -> Checked {
    const EACH: usize = 20;
    let counter = on.key("counter")?;
    on.create(&counter, "0").await?;
    let ended = race(|_| {
        let (on, counter) = (on.clone(), counter.clone());
        async move {
            for _ in 0..EACH {
                increment(&on, &counter).await?;
            }
            Ok::<(), Failure>(())
        }
    })
    .await?;
    ended.into_iter().collect::<Checked>()?;
    on.body_is(&counter, (RACERS * EACH).to_string().as_bytes()).await
}

/// Reads, adds one and writes until it is applied.
async fn increment(on: &Trial, counter: &BlobKey) -> Checked {
    loop {
        let Blob { body, info } = on.get(counter).await?;
        let number: usize = std::str::from_utf8(&body)?.parse()?;
        match on.update(counter, (number + 1).to_string(), &info.version).await {
            Ok(_) => return Ok(()),
            Err(Error::Conflict(_)) => {}
            Err(error) => return Err(Failure::from(error).during("an increment")),
        }
    }
}

pub(crate) async fn one_of_many_deleters_wins(on: Trial) -> Checked {
    let key = on.key("blob")?;
    for round in 0..5 {
        on.create(&key, format!("round {round}")).await?;
        let condition = Precondition::IfMatch(on.head(&key).await?.version);
        let answers = race(|_| {
            let (store, key, condition) = (on.store().clone(), key.clone(), condition.clone());
            async move { store.delete(&key, condition).await }
        })
        .await?;
        let (mut won, mut unknown) = (0, 0);
        for answer in answers {
            match answer {
                Ok(()) => won += 1,
                Err(Error::Conflict(_)) => {}
                Err(Error::OutcomeUnknown(_)) => unknown += 1,
                Err(error) => return Err(Failure::from(error).during("a deleter")),
            }
        }
        check!(won == 1 || (won == 0 && unknown > 0), "{won} deleters were told that they won");
        on.is_absent(&key).await?;
    }
    Ok(())
}

/// A body of one repeated byte, in a length of its own: any mixture shows.
fn uniform(round: usize) -> Bytes {
    let byte = u8::try_from(round).unwrap_or_default();
    vec![byte; 40_000 + 1_000 * (round % 7)].into()
}

fn is_whole(body: &[u8]) -> bool {
    body.first().is_some_and(|round| *body == uniform(usize::from(*round)))
}

pub(crate) async fn a_get_never_mixes_two_versions(on: Trial) -> Checked {
    const ROUNDS: usize = 40;
    let key = on.key("blob")?;
    on.create(&key, uniform(1)).await?;
    let writer = async {
        for round in 2..ROUNDS {
            on.overwrite(&key, uniform(round)).await?;
        }
        Ok(())
    };
    let readers = join_all((0..4).map(async |_| {
        for _ in 0..ROUNDS {
            let blob = on.get(&key).await?;
            check!(is_whole(&blob.body), "a get answers a mixture of bodies");
            check_eq!(blob.info.size, blob.body.len() as u64, "the size beside a body");
            tokio::task::yield_now().await;
        }
        Ok(())
    }));
    let (written, read) = join(writer, readers).await;
    written.and(read.into_iter().collect())
}

pub(crate) async fn a_body_and_its_version_belong_together(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "0").await?;
    let writer = async {
        for round in 1..40 {
            on.overwrite(&key, round.to_string()).await?;
        }
        Ok(())
    };
    let reader = async {
        for _ in 0..40 {
            let blob = on.get(&key).await?;
            let at = GetOptions::new().if_match(blob.info.version.clone());
            match on.store().get(&key, at).await {
                Ok(again) => {
                    let again = again.found().map(|blob| blob.body);
                    check_eq!(again, Some(blob.body), "two bodies of one version");
                }
                Err(Error::Conflict(_)) => {}
                Err(error) => return Err(Failure::from(error).during("a get at a version")),
            }
        }
        Ok(())
    };
    let (written, read) = join(writer, reader).await;
    written.and(read)
}

pub(crate) async fn whoever_reads_after_a_write_sees_it(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "start").await?;
    for round in 0..20 {
        let body = format!("round {round}");
        let version = on.overwrite(&key, body.clone()).await?.version;
        let seen = race(|_| {
            let (on, key) = (on.clone(), key.clone());
            async move { on.get(&key).await }
        })
        .await?;
        for blob in seen {
            let blob = blob?;
            check_eq!(&blob.body[..], body.as_bytes(), "the body after an answered write");
            check_eq!(blob.info.version, version, "the version after an answered write");
        }
    }
    Ok(())
}

pub(crate) async fn a_dropped_put_leaves_the_blob_whole(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, uniform(1)).await?;
    for polls in 0..8 {
        {
            let mut put = pin!(on.store().put(&key, uniform(polls + 2), Precondition::Overwrite));
            for _ in 0..polls {
                if futures::poll!(put.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let after = on.get(&key).await?;
        // Any of the dropped ones may land late.
        let known = (1..=polls + 2).any(|body| after.body == uniform(body));
        check!(known, "a put dropped after {polls} polls left a body that nobody wrote");
        check!(is_whole(&after.body), "a put dropped after {polls} polls left a mixture");
    }
    // A dropped request may still land; the next conditional write is told so.
    loop {
        let version = on.head(&key).await?.version;
        match on.update(&key, "usable", &version).await {
            Ok(_) => return on.body_is(&key, b"usable").await,
            Err(Error::Conflict(_)) => {}
            Err(error) => return Err(Failure::from(error).during("a put after dropped ones")),
        }
    }
}
