//! The change feed: per partition, by the commits of its journal.

use std::collections::BTreeSet;
use std::time::Duration;

use ifmatch_core::Env;
use ifmatch_journal::{Freshness, Position};

use super::failure::failure;
use super::machine::Told;
use super::reads::View;
use super::store::Inner;
use crate::changes::{Change, ChangePage, ChangeToken, FeedPosition};
use crate::error::{Error, Result};
use crate::key::Partition;
use crate::scan::{ScanOptions, Scope};

/// What a token keeps of a commit beside its number: of which journal and branch
/// it is, and its own bits. A journal that went back and on again has others.
pub(super) fn trace((journal, fork): (u128, u128), bits: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&journal.to_le_bytes());
    hasher.update(&fork.to_le_bytes());
    hasher.update(&bits.to_le_bytes());
    let hash = hasher.finalize();
    u64::from_le_bytes(hash.as_bytes().first_chunk().copied().unwrap_or_default())
}

/// A page that is being filled.
struct Filling {
    page: ChangePage,
    limit: usize,
    bytes: usize,
}

impl Filling {
    fn is_full(&self) -> bool {
        self.page.changes.len() >= self.limit || self.bytes >= ScanOptions::PAGE_BYTES
    }
}

impl Inner {
    pub(super) async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        let next = match since {
            Some(token) => {
                token.check(self.id, scope)?;
                token.clone()
            }
            None => ChangeToken::start(self.id),
        };
        let page = ChangePage { changes: Vec::new(), next, more: false };
        let mut filling = Filling { page, limit, bytes: 0 };
        match scope {
            Scope::Partition(partition) => self.fill(partition, &mut filling).await?,
            _ => self.fill_all(&mut filling).await?,
        }
        Ok(filling.page)
    }

    /// Partitions take turns in being first, so that none that always has news
    /// keeps the others out.
    async fn fill_all(&self, filling: &mut Filling) -> Result<()> {
        let mut names = self.names_for(&filling.page.next).await?;
        let told = filling.page.next.partitions();
        let sum = told.fold(0_u64, |sum, (_, at)| sum.wrapping_add(at.seq));
        if let Ok(count) = u64::try_from(names.len())
            && count > 0
        {
            names.rotate_left(usize::try_from(sum % count).unwrap_or_default());
        }
        for name in names {
            if self.cache.open_one(&name).is_none()
                && let Some(told) = filling.page.next.position(Some(&name))
                && told.ordinal == u32::MAX
                && self.at(&name).await? == Some((told.seq, told.fork))
            {
                continue; // Nothing is new: it need not be opened.
            }
            Box::pin(self.fill(&name, filling)).await?;
        }
        Ok(())
    }

    /// All partitions, and those that the token tells of though they are gone.
    async fn names_for(&self, token: &ChangeToken) -> Result<Vec<Partition>> {
        let mut names: BTreeSet<Partition> = self.names().await?.into_iter().collect();
        let told = token.partitions().filter_map(|(name, _)| name.cloned());
        names.extend(told.filter(|name| !name.is_reserved()));
        Ok(names.into_iter().collect())
    }

    /// Adds the changes of one partition.
    async fn fill(&self, partition: &Partition, filling: &mut Filling) -> Result<()> {
        let told = filling.page.next.position(Some(partition));
        let mut view = Box::pin(self.view(partition)).await?;
        let behind = |view: &View| told.is_some_and(|told| told.seq > view.snapshot.seq());
        if view.as_ref().is_some_and(behind) {
            view = Box::pin(self.view_as(partition, Freshness::Strong)).await?;
        }
        let Some(view) = view else {
            let lost = told.is_some_and(|told| told.seq > 0);
            return if lost { Err(expired(partition, "the partition is gone")) } else { Ok(()) };
        };
        self.check(partition, &view, &filling.page.next, told).await?;
        let (state, newest) = (view.snapshot.state(), view.snapshot.seq());
        if told.is_none() {
            filling.page.next.begin(Some(partition), newest);
        }
        let after = told.map(|told| Position { seq: told.seq, ordinal: told.ordinal });
        let mut last = None;
        for told in state.feed(after) {
            let (id, at) = match &told {
                Told::Document(kept) => (&kept.document.key.id, kept.at),
                Told::Grave(id, grave) => (*id, grave.at()),
            };
            if id.is_reserved() {
                continue;
            }
            if filling.is_full() {
                filling.page.more = true;
                let Some(last) = last else { return Ok(()) };
                return self.told(partition, &view, last, filling).await;
            }
            let position = at.seq;
            filling.page.changes.push(match told {
                Told::Document(kept) => {
                    filling.bytes += kept.document.body.len();
                    Change::Written { document: kept.document.clone(), position }
                }
                Told::Grave(id, grave) => {
                    Change::Deleted { tombstone: grave.tombstone(partition, id), position }
                }
            });
            last = Some(at);
        }
        self.told(partition, &view, Position { seq: newest, ordinal: u32::MAX }, filling).await
    }

    /// The page ends here.
    async fn told(
        &self,
        partition: &Partition,
        view: &View,
        at: Position,
        filling: &mut Filling,
    ) -> Result<()> {
        let fork = self.trace(view, at.seq).await?.unwrap_or_default();
        let position = FeedPosition { fork, seq: at.seq, ordinal: at.ordinal };
        filling.page.next.set(Some(partition), position);
        Ok(())
    }

    /// The token's commit is one of this journal, and what was deleted since is
    /// remembered.
    async fn check(
        &self,
        partition: &Partition,
        view: &View,
        token: &ChangeToken,
        told: Option<FeedPosition>,
    ) -> Result<()> {
        let Some(told) = told.filter(|told| told.seq > 0) else { return Ok(()) };
        if told.seq > view.snapshot.seq() {
            return Err(expired(partition, "the partition went back"));
        }
        if self.trace(view, told.seq).await? != Some(told.fork) {
            return Err(expired(partition, "the partition went back and on again"));
        }
        let floor = view.snapshot.state().floor();
        if token.needs(Some(partition)).is_some_and(|needs| needs < floor) {
            let what = format!("deletions up to {floor} are forgotten");
            return Err(expired(partition, &what));
        }
        Ok(())
    }

    /// What a token keeps of the commit `seq`; `None` where that is no longer
    /// known.
    async fn trace(&self, view: &View, seq: u64) -> Result<Option<u64>> {
        let bits = view.handle.journal.bits(seq).await;
        view.handle.meter.read();
        let bits = bits.map_err(|error| failure(error, || self.subject()))?;
        let branch = (view.snapshot.commit().journal.bits(), view.snapshot.fork().bits());
        Ok(bits.map(|bits| trace(branch, bits)))
    }

    pub(super) async fn change_token(&self, scope: &Scope) -> Result<ChangeToken> {
        let names = match scope {
            Scope::Partition(partition) => vec![partition.clone()],
            _ => self.names().await?,
        };
        let mut token = ChangeToken::start(self.id);
        for name in names {
            if let Some((seq, fork)) = self.at(&name).await? {
                token.set(Some(&name), FeedPosition { fork, seq, ordinal: u32::MAX });
            }
        }
        Ok(token)
    }

    /// Looks from time to time; of all partitions only waits.
    pub(super) async fn wait_for_change(
        &self,
        scope: &Scope,
        token: &ChangeToken,
        at_most: Duration,
    ) {
        let (env, began): (&Env, _) = (&self.env, self.env.now());
        loop {
            let left = at_most.saturating_sub(env.now().saturating_sub(began));
            let Scope::Partition(partition) = scope else { return env.sleep(left).await };
            let pause = self.options.poll.min(left);
            env.sleep(pause).await;
            if pause == left {
                return;
            }
            let told = token.position(Some(partition)).unwrap_or_default();
            let now = match self.enter() {
                Ok(_pass) => self.at(partition).await.ok().flatten(),
                Err(_) => return,
            };
            if now.is_some_and(|(seq, _)| seq != told.seq) {
                return;
            }
        }
    }
}

fn expired(partition: &Partition, what: &str) -> Error {
    Error::TokenExpired { what: format!("{what} ({partition})").into() }
}
