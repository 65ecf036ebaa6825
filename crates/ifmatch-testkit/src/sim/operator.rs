//! An operator who damages the head: deletes it, puts an older one back, or one
//! of another journal or of another branch. Nobody may go on as if nothing had
//! happened.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use ifmatch_core::{
    BlobKey, BlobPrefix, ConditionalBlobStore, GetOptions, MemoryBlobStore, Precondition,
};
use ifmatch_journal::kv::Command;
use ifmatch_journal::{CommitRecord, Head, Journal, Options};

use super::client::Client;
use super::dice::Dice;
use super::machine::{Job, Numbered};
use super::violation::Broken;
use super::world::World;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long everybody goes on afterwards.
const AFTERMATH: Duration = Duration::from_secs(90);

/// What an operator did, and what was true until then.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) kind: DeedKind,
    pub(super) records: Vec<CommitRecord>,
    /// The head that lies there now.
    head: Option<Bytes>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DeedKind {
    Deleted,
    /// An older head lies there.
    Rewound,
    /// So does one that descends from an older head, and is newer than ours.
    Branched,
    /// The head of another journal.
    Replaced,
}

impl DeedKind {
    /// What every client must hear from now on.
    pub(super) const fn error(self) -> &'static str {
        match self {
            Self::Deleted => "remote_gone",
            Self::Rewound | Self::Branched => "remote_rewound",
            Self::Replaced => "remote_replaced",
        }
    }
}

/// Lets the clients work for a while, and then acts.
pub(super) async fn interfere(world: &World, clients: &[Arc<Client>], dice: &mut Dice) {
    while world.ledger.book().counts.committed < world.scenario.commands / 2 {
        if world.is_over() {
            return;
        }
        world.env.sleep(Duration::from_millis(10)).await;
    }
    match act(world, clients, dice).await {
        Ok(deed) => {
            world.scribe.note(0, "the operator acts", deed.kind as u64, 0);
            world.store.set_quiet(true);
            world.interfered(deed);
            world.env.sleep(AFTERMATH).await;
        }
        Err(error) => world.ledger.broken(Broken::Error, format!("the operator failed: {error}")),
    }
    world.end();
}

async fn act(world: &World, clients: &[Arc<Client>], dice: &mut Dice) -> Result<Deed, Failure> {
    let store = world.tap.store();
    let options = Options::open().env(world.env.clone());
    let reader = Journal::open(Arc::new(store.clone()), Numbered, options).await?;
    let records: Vec<CommitRecord> = reader.log(0).try_collect().await?;
    let seen = clients.iter().map(|client| client.seen().map_or(0, |seen| seen.commit.seq));
    // Who has seen no more than an older head may go on from it.
    let older = seen.min().unwrap_or(0).saturating_sub(1);
    let kinds = [
        (1, DeedKind::Deleted),
        (u32::from(older > 0), DeedKind::Rewound),
        (u32::from(older > 0) * 2, DeedKind::Branched),
        (1, DeedKind::Replaced),
    ];
    let kind = dice.weighted(&kinds, DeedKind::Deleted);
    let key = BlobKey::new("head")?;
    let newest = records.len() as u64;
    match kind {
        DeedKind::Deleted => store.delete(&key, Precondition::Overwrite).await?,
        DeedKind::Rewound => {
            let body = world.tap.body(dice.between(1, older)).ok_or("no older head was kept")?;
            store.put(&key, body, Precondition::Overwrite).await?;
        }
        DeedKind::Branched => {
            let body = world.tap.body(dice.between(1, older)).ok_or("no older head was kept")?;
            let other = MemoryBlobStore::new(world.env.clone());
            copy(store, &other).await?;
            other.put(&key, body, Precondition::Overwrite).await?;
            go_on(world, &other, dice.between(older, newest + 20)).await?;
            copy(&other, store).await?;
        }
        DeedKind::Replaced => {
            let other = MemoryBlobStore::new(world.env.clone());
            go_on(world, &other, dice.between(1, newest + 20)).await?;
            copy(&other, store).await?;
        }
    }
    let head = store.get(&key, GetOptions::new()).await?.found().map(|blob| blob.body);
    Ok(Deed { kind, records, head })
}

/// Commits there until the journal has so many commits.
async fn go_on(world: &World, store: &MemoryBlobStore, until: u64) -> Result<(), Failure> {
    let options = Options::create().env(world.env.clone());
    let journal = Journal::open(Arc::new(store.clone()), Numbered, options).await?;
    loop {
        let job = Job::unasked(Command::add("another", 1));
        if journal.commit(job).await?.commit.seq >= until {
            return Ok(());
        }
    }
}

async fn copy(from: &MemoryBlobStore, to: &MemoryBlobStore) -> Result<(), Failure> {
    let blobs: Vec<_> = from.list(&BlobPrefix::root(), None).try_collect().await?;
    for info in blobs {
        if let Some(blob) = from.get(&info.key, GetOptions::new()).await?.found() {
            to.put(&info.key, blob.body, Precondition::Overwrite).await?;
        }
    }
    Ok(())
}

impl Deed {
    /// Whether anybody has written a head since.
    pub(super) async fn check(&self, world: &World) {
        let Ok(key) = BlobKey::new("head") else { return };
        let found = world.tap.store().get(&key, GetOptions::new()).await;
        let head = found.ok().and_then(ifmatch_core::Fetched::found).map(|blob| blob.body);
        if head != self.head {
            let seq = head.and_then(|head| Head::decode(&head).ok()).map(|head| head.seq);
            let detail = format!("after {:?} somebody wrote a head at {seq:?}", self.kind);
            world.ledger.broken(Broken::Operator, detail);
        }
    }
}
