//! Commit and abort.

use std::sync::Arc;

use super::state::{Phase, Turn};
use super::{Committed, Inner, Transaction};
use crate::error::{Error, Result};
use crate::etag::Nonce;
use crate::ops::Cost;
use crate::transaction::{TxCommit, TxOutcome};

impl Transaction {
    /// Applies everything that was written, as one commit, and ends the
    /// transaction. One without writes is aborted.
    ///
    /// Calling it again is safe and answers the same.
    ///
    /// # Errors
    /// - `Expired`: the transaction is over; nothing was applied.
    /// - `Busy`: another handle went on with it or committed it; nothing that
    ///   this handle wrote since its last `detach` was applied by it.
    /// - `OutcomeUnknown`: it may have been applied. Nothing can be added to it;
    ///   commit again, or ask for the [`outcome`](Self::outcome).
    /// - everything else: nothing was applied, and the transaction is open.
    ///
    /// # Cancellation
    /// It may have been applied, as a whole, or may still be: commit again.
    pub async fn commit(&self) -> Result<Committed> {
        let inner = &*self.inner;
        let (mut turn, over) = inner.turn()?;
        match (&turn.phase, over) {
            (Phase::Committed(committed), _) => return Ok(*committed),
            (Phase::Open, Some(over)) => {
                turn.phase = Phase::Expired(over);
                return Err(inner.ended(&turn.phase));
            }
            (Phase::Deciding(_), Some(_)) => return inner.find_out(&mut turn).await,
            (Phase::Open | Phase::Deciding(_), None) => {}
            (phase, _) => return Err(inner.ended(phase)),
        }
        let first = matches!(turn.phase, Phase::Open);
        if first {
            inner.settle_piece(&mut turn).await?;
            let (effects, staged) = (turn.overlay.effects(), turn.staged);
            let nonce = Nonce::draw(inner.env());
            let author = inner.author(None);
            let commit = TxCommit { nonce, staged, author, effects };
            let commit = (!commit.effects.is_empty()).then_some(commit);
            turn.phase = Phase::Deciding(commit);
        }
        match inner.send_commit(&turn, first).await {
            Ok(committed) => {
                turn.phase = Phase::Committed(committed);
                Ok(committed)
            }
            Err(error) => Err(inner.not_committed(&mut turn, first, error)),
        }
    }

    /// Discards everything that was written and ends the transaction, for every
    /// handle on it. Aborting it again is fine.
    ///
    /// # Errors
    /// `Expired` where it was committed, or is forgotten; `Busy` where another
    /// handle went on with it; where it is not known whether it was aborted, the
    /// error says so, and it ends at the latest with its lifetime.
    pub async fn abort(&self) -> Result<Cost> {
        let inner = &*self.inner;
        let (mut turn, _) = inner.turn()?;
        match &turn.phase {
            Phase::Aborted => return Ok(Cost::default()),
            phase @ (Phase::Committed(_) | Phase::Overtaken) => return Err(inner.ended(phase)),
            Phase::Open | Phase::Deciding(_) | Phase::Expired(_) => {}
        }
        let aborted = inner.backend()?.abort(inner.address()?).await;
        match &aborted {
            Ok(_) => turn.phase = Phase::Aborted,
            Err(Error::Expired { .. }) if matches!(turn.phase, Phase::Open) => {
                turn.phase = Phase::Expired("the store has ended it");
            }
            Err(_) => {}
        }
        aborted
    }
}

impl Inner {
    async fn send_commit(&self, turn: &Turn<'_>, first: bool) -> Result<Committed> {
        let (backend, address) = (self.backend()?, self.address()?);
        if let Phase::Deciding(Some(commit)) = &turn.phase {
            let (position, cost) = backend.commit(address, commit.clone()).await?;
            return Ok(Committed { position: Some(position), cost });
        }
        // Nothing to commit, unless another handle has staged something.
        let found = backend.find(&self.id).await?;
        let open = found.filter(|record| record.address == *address);
        let cost = match open {
            Some(record) if record.staged > turn.staged => {
                return Err(self.busy("another handle went on with it"));
            }
            Some(_) => backend.abort(address).await?,
            None => match backend.outcome(&self.id, Some(address.incarnation)).await? {
                // By the call before, where its answer was lost.
                TxOutcome::Aborted if !first => Cost::default(),
                _ => return Err(self.expired("it is over")),
            },
        };
        Ok(Committed { position: None, cost })
    }

    /// What an error says about a commit that was sent, of which earlier
    /// attempts may be under way.
    fn not_committed(&self, turn: &mut Turn<'_>, first: bool, error: Error) -> Error {
        match &error {
            Error::Expired { .. } => turn.phase = Phase::Expired("the store has ended it"),
            Error::Busy { .. } => turn.phase = Phase::Overtaken,
            error if error.kind() == "outcome_unknown" => {}
            _ if first => turn.phase = Phase::Open,
            _ => return self.unknown(error),
        }
        error
    }

    fn unknown(&self, source: Error) -> Error {
        if source.kind() == "outcome_unknown" {
            return source;
        }
        let subject = format!("transaction {} in {}", self.id, self.store);
        Error::OutcomeUnknown { subject: subject.into(), source: Arc::new(source) }
    }

    /// What became of a commit whose answer was lost, after the end of its life:
    /// it is not sent again, and one that is still under way is shut out.
    async fn find_out(&self, turn: &mut Turn<'_>) -> Result<Committed> {
        let (backend, address) = (self.backend()?, self.address()?);
        if let Phase::Deciding(Some(commit)) = &turn.phase {
            let commit = commit.clone();
            return self.shut_out(turn, commit).await;
        }
        let mut outcome = self.outcome_now().await?;
        if outcome == TxOutcome::Open {
            match backend.abort(address).await {
                Ok(_) => outcome = TxOutcome::Aborted,
                Err(Error::Expired { .. }) => outcome = self.outcome_now().await?,
                Err(error) => return Err(self.unknown(error)),
            }
        }
        turn.phase = match outcome {
            TxOutcome::Committed { .. } => Phase::Overtaken,
            TxOutcome::Aborted | TxOutcome::Forgotten => {
                Phase::Expired("its life was over before it was committed")
            }
            TxOutcome::Open => return Err(self.unknown(self.busy("it is open"))),
        };
        Err(self.ended(&turn.phase))
    }

    /// Ends the transaction, by its address: its name may stand for another one
    /// by now. Where it has an end already the commit is asked for by its nonce;
    /// it cannot be applied any more.
    async fn shut_out(&self, turn: &mut Turn<'_>, commit: TxCommit) -> Result<Committed> {
        let (backend, address) = (self.backend()?, self.address()?);
        turn.phase = match backend.abort(address).await {
            Ok(_) => Phase::Expired("its life was over before it was committed"),
            Err(Error::Expired { .. }) => match backend.commit(address, commit).await {
                Ok((position, cost)) => {
                    let committed = Committed { position: Some(position), cost };
                    turn.phase = Phase::Committed(committed);
                    return Ok(committed);
                }
                Err(Error::Busy { .. }) => Phase::Overtaken,
                Err(Error::Expired { .. }) => {
                    Phase::Expired("its life was over before it was committed")
                }
                Err(error) => return Err(self.unknown(error)),
            },
            Err(error) => return Err(self.unknown(error)),
        };
        Err(self.ended(&turn.phase))
    }

    async fn outcome_now(&self) -> Result<TxOutcome> {
        let incarnation = Some(self.address()?.incarnation);
        let outcome = self.backend()?.outcome(&self.id, incarnation).await;
        outcome.map_err(|error| self.unknown(error))
    }
}
