//! One version of a journal.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use ifmatch_core::Timestamp;

use crate::error::{Error, Result};
use crate::id::{CommitId, ForkId};
use crate::journal::engine::Engine;
use crate::journal::read::session::Base;
use crate::machine::Machine;

/// The state of one commit; never changes.
pub struct Snapshot<M: Machine>(Arc<Base<M::State>>);

impl<M: Machine> Snapshot<M> {
    pub(crate) const fn new(base: Arc<Base<M::State>>) -> Self {
        Self(base)
    }

    /// The state.
    pub fn state(&self) -> &M::State {
        &self.0.state
    }

    /// The commit.
    pub fn commit(&self) -> CommitId {
        self.0.head.commit()
    }

    /// Its number.
    pub fn seq(&self) -> u64 {
        self.0.head.seq
    }

    /// The branch.
    pub fn fork(&self) -> ForkId {
        self.0.head.fork
    }

    /// When the commit was made, by the store's clock, where it tells.
    pub fn written(&self) -> Option<Timestamp> {
        self.0.written
    }

    /// What the machine shows in the head.
    pub fn application(&self) -> &Bytes {
        &self.0.head.application
    }
}

impl<M: Machine> Clone for Snapshot<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Machine> fmt::Debug for Snapshot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({})", self.commit())
    }
}

impl<M: Machine> Engine<M> {
    /// What tells the commit `seq` from every other of this number.
    pub(crate) async fn bits(&self, seq: u64) -> Result<Option<u64>> {
        let base = self.session.base();
        let head = &base.head;
        if let Some(bits) = head.bits(seq) {
            return Ok(Some(bits));
        }
        if seq == 0 || seq > head.seq {
            return Ok(None);
        }
        Ok(self.record(head, seq).await?.map(|record| record.nonce.first_bits()))
    }

    /// The state after the commit `seq`.
    pub(crate) async fn state_of(&self, seq: u64) -> Result<M::State> {
        let mut base = self.session.base();
        if base.head.seq < seq {
            base = self.newest().await?;
        }
        if base.head.seq < seq || seq == 0 {
            return Err(Error::invalid(format!(
                "{} has no commit {seq}; its newest is {}",
                self.what, base.head.seq
            )));
        }
        if base.head.seq == seq {
            return Ok(base.state.clone());
        }
        let checkpoint = self.checkpoint_at(&base.head, seq).await?;
        self.state_at(&base.head, checkpoint.as_ref(), seq).await
    }
}
