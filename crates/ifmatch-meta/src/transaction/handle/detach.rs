//! Leaving writes for another process.

use super::amount::Amount;
use super::state::{Phase, Piece, Turn};
use super::{Inner, Transaction};
use crate::error::{Error, Result};
use crate::etag::Nonce;
use crate::ops::Cost;
use crate::transaction::piece;

impl Transaction {
    /// Leaves what was written since the last `detach` in the store, as one
    /// piece, so that another process can go on
    /// ([`resume`](Transaction::resume)). This handle can go on too, as long as
    /// no other does; dropping it no longer aborts, also where nothing was written.
    ///
    /// # Errors
    /// - `Busy`: a request of this handle is under way, also a commit whose
    ///   outcome is not known; or another handle went on with the transaction:
    ///   then this one is over, and what it wrote since its last `detach` is
    ///   discarded. The error says which.
    /// - `Expired`: the transaction is over.
    /// - `TooLarge`: all pieces of the transaction, its documents counted in each
    ///   of them, would hold more than twice what it may stage
    ///   ([`TxOptions::staged`](crate::TxOptions::staged)) or 20,000 documents; on
    ///   blobs also from the 1,001st piece on. Nothing was staged, nothing is
    ///   lost: this handle can go on and commit.
    /// - everything else: nothing is lost; call it again.
    ///
    /// # Cost
    /// One write where something was written, else nothing.
    pub async fn detach(&self) -> Result<Cost> {
        let inner = &*self.inner;
        let mut turn = inner.open_turn()?;
        let mut cost = inner.settle_piece(&mut turn).await?;
        let version = turn.overlay.version();
        let rows = turn.overlay.rows_since(turn.detached.unwrap_or(0));
        if !rows.is_empty() {
            let amount = Amount::of(&rows);
            turn.amount.and(amount).check(inner.options.staged)?;
            let bytes = piece::encode(Nonce::draw(inner.env()), &rows)?;
            cost += inner.stage(&mut turn, Piece { bytes, amount, version }).await?;
        }
        turn.detached = Some(version);
        Ok(cost)
    }
}

impl Inner {
    /// Finds out about a piece whose answer was lost. Sent again under its
    /// number it lands once at most.
    pub(super) async fn settle_piece(&self, turn: &mut Turn<'_>) -> Result<Cost> {
        match turn.doubtful.clone() {
            Some(piece) => self.stage(turn, piece).await,
            None => Ok(Cost::default()),
        }
    }

    async fn stage(&self, turn: &mut Turn<'_>, piece: Piece) -> Result<Cost> {
        let (backend, address) = (self.backend()?, self.address()?);
        let number = turn.staged;
        let first = turn.doubtful.is_none();
        turn.doubtful = Some(piece.clone()); // Also where this future is dropped.
        let staged = backend.stage(address, number, piece.bytes.clone()).await;
        let cost = match staged {
            Ok(cost) => cost,
            Err(Error::Busy { .. }) => {
                let pieces =
                    backend.staged(address).await.map_err(|error| ended_by(turn, error))?;
                let at = usize::try_from(number).unwrap_or(usize::MAX);
                if pieces.get(at) != Some(&piece.bytes) {
                    (turn.phase, turn.doubtful) = (Phase::Overtaken, None);
                    return Err(self.ended(&turn.phase));
                }
                Cost::default()
            }
            Err(error) => {
                if first && error.kind() != "outcome_unknown" {
                    turn.doubtful = None;
                }
                return Err(ended_by(turn, error));
            }
        };
        (turn.staged, turn.detached, turn.doubtful) = (number + 1, Some(piece.version), None);
        turn.amount = turn.amount.and(piece.amount);
        Ok(cost)
    }
}

/// Notes where an error says that the transaction is over.
fn ended_by(turn: &mut Turn<'_>, error: Error) -> Error {
    if matches!(error, Error::Expired { .. }) {
        turn.phase = Phase::Expired("the store has ended it");
    }
    error
}
