//! The state machine of a partition: documents, their feed, the lock.

mod apply;
mod clock;
mod command;
mod decide;
mod entry;
mod header;
mod lock;
mod parts;
mod state;
#[cfg(test)]
mod tests;
mod wire;

use bytes::Bytes;
use ifmatch_journal::{Damage, Decision, Kind, Machine, Position};

use crate::key::Partition;

pub(crate) use command::{Ask, Command, Refusal, Reply};
pub(crate) use header::Header;
pub(crate) use lock::{Lock, LockId, Piece};
pub(crate) use state::{Kept, State, Told};

/// The documents of one partition on a journal.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    /// Which.
    pub(crate) partition: Partition,
}

impl Machine for Documents {
    type State = State;
    type Command = Command;
    type Reply = Reply;
    type Rejection = Refusal;

    fn kind(&self) -> Kind {
        Kind::Documents
    }

    fn empty(&self) -> State {
        State::default()
    }

    fn decide(
        &self,
        state: &State,
        command: &Command,
        position: Position,
    ) -> Decision<Reply, Refusal> {
        decide::decide(&self.partition, state, command, position)
    }

    fn apply(&self, state: &mut State, entry: &Bytes, position: Position) -> Result<(), Damage> {
        let decoded = entry::Entry::decode(&self.partition, entry)?;
        state.apply(decoded, entry, position)
    }

    fn application(&self, state: &State) -> Bytes {
        header::write(&self.partition, state)
    }

    fn parts<'a>(&'a self, state: &'a State) -> Box<dyn Iterator<Item = Bytes> + Send + 'a> {
        parts::parts(state)
    }

    fn restore(&self, parts: &[Bytes]) -> Result<State, Damage> {
        parts::restore(&self.partition, parts)
    }
}
