//! What the clients do all day.

mod append;
mod bank;
mod counters;
mod mixed;

use ifmatch_journal::kv::Pairs;

use super::caller::Caller;
use super::dice::Dice;

/// A kind of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Load {
    /// Additions, and reads of the sums.
    Counters,
    /// Transfers within one value: their sum stands.
    Bank,
    /// Unique numbers at the ends of lists.
    Append,
    /// Everything that a journal can be asked.
    Mixed,
    /// Additions beside two clients that write checkpoints all the time.
    Checkpointing,
    /// An operator damages the head.
    Operator,
}

impl Load {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let all = [
            (36, Self::Counters),
            (9, Self::Bank),
            (11, Self::Append),
            (29, Self::Mixed),
            (14, Self::Checkpointing),
            (5, Self::Operator),
        ];
        dice.weighted(&all, Self::Counters)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Counters => "counters",
            Self::Bank => "bank",
            Self::Append => "append",
            Self::Mixed => "mixed",
            Self::Checkpointing => "checkpointing",
            Self::Operator => "operator",
        }
    }

    /// One piece of the work.
    pub(super) async fn step(self, caller: &mut Caller) {
        match self {
            Self::Counters | Self::Checkpointing | Self::Operator => {
                counters::step(caller).await;
            }
            Self::Bank => bank::step(caller).await,
            Self::Append => append::step(caller).await,
            Self::Mixed => mixed::step(caller).await,
        }
    }

    /// What is wrong with a state, whatever its number.
    pub(super) fn wrong(self, state: &Pairs) -> Option<String> {
        if self == Self::Bank { bank::wrong_bank(state) } else { None }
    }

    /// What is wrong with the last state.
    pub(super) fn wrong_in_the_end(self, state: &Pairs) -> Option<String> {
        self.wrong(state).or_else(|| append::doubled(state))
    }
}
