//! A follower of the journal: it must hear of every commit, once, in order.

use std::time::Duration;

use futures::StreamExt;
use ifmatch_journal::{Journal, Pace};

use super::Client;
use crate::sim::dice::Dice;
use crate::sim::machine::Numbered;
use crate::sim::violation::Broken;
use crate::sim::world::World;

/// Follows until the run is over and it has heard of everything.
pub(super) async fn follow(
    world: &World,
    client: &Client,
    journal: &Journal<Numbered>,
    mut dice: Dice,
) {
    let pace = Pace(dice.time(client.plan.round_trip, Duration::from_secs(20)));
    loop {
        let after = client.disk().followed;
        let mut commits = journal.follow(after, pace);
        let mut last = after;
        loop {
            if world.is_over() && (last >= world.tap.newest() || world.deed().is_some()) {
                return;
            }
            let next = tokio::select! {
                biased;
                next = commits.next() => next,
                () = world.ending(), if !world.is_over() => continue,
            };
            match next {
                Some(Ok(record)) => {
                    if record.seq != last + 1 {
                        let detail = format!(
                            "a follower of client {} heard of commit {} after {last}",
                            client.number, record.seq
                        );
                        world.ledger.broken(Broken::Follower, detail);
                    }
                    last = record.seq;
                    world.ledger.book().heard.push((record.seq, record.nonce));
                    client.disk().followed = last;
                }
                Some(Err(error)) => {
                    world.judge_error("following", &error);
                    world.scribe.remark(|| format!("a follower: {error}"));
                }
                // It ended with an error that would not pass: it begins again.
                None => break,
            }
        }
        client.host.env().sleep(Duration::from_millis(100)).await;
    }
}
