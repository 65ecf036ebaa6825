//! How much a transaction leaves in the store.

use crate::error::{Error, Result};
use crate::evaluate::Effect;
use crate::transaction::overlay::{MOST_ROWS, Row};

/// Documents over all pieces, and the bytes of their ids and bodies: those of a
/// document as often as a piece holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Amount {
    bytes: usize,
    rows: usize,
}

impl Amount {
    /// That of one piece.
    pub(super) fn of(rows: &[Effect]) -> Self {
        let size = |effect: &Effect| Row::size(&effect.id, effect.after.as_ref());
        Self { bytes: rows.iter().map(size).sum(), rows: rows.len() }
    }

    /// Both together.
    pub(super) const fn and(self, more: Self) -> Self {
        let bytes = self.bytes.saturating_add(more.bytes);
        Self { bytes, rows: self.rows.saturating_add(more.rows) }
    }

    /// All pieces hold at most twice what one state of a transaction may: whatever
    /// is written, it can be staged once, and all of it be written anew.
    ///
    /// # Errors
    /// `TooLarge`: they would hold more.
    pub(super) fn check(self, limit: usize) -> Result<()> {
        let (bytes, rows) = (limit.saturating_mul(2), 2 * MOST_ROWS);
        if self.bytes > bytes {
            let what = "what a transaction has staged, over all pieces";
            return Err(Error::too_large(what, self.bytes, bytes));
        }
        if self.rows > rows {
            return Err(Error::TooManyOperations { count: self.rows, limit: rows });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t18_all_pieces_hold_at_most_twice_what_one_state_may() {
        let amount = |bytes, rows| Amount { bytes, rows };
        for (amount, fits) in [
            (amount(0, 0), true),
            (amount(200, 20_000), true),
            (amount(201, 1), false),
            (amount(1, 20_001), false),
            (amount(usize::MAX, 1).and(amount(1, 1)), false),
        ] {
            let checked = amount.check(100);
            assert_eq!(checked.is_ok(), fits, "{amount:?}");
            assert!(checked.map_or_else(|error| error.kind() == "too_large", |()| true));
        }
        assert!(amount(usize::MAX, 1).check(usize::MAX).is_ok());
    }
}
