//! The optimistic-lock engine: one conditional PUT per commit.
//!
//! A journal is a chain of commits behind one small *head*, the only blob that
//! is ever compared and swapped. This crate holds what the chain rests on so
//! far: the head's format ([`Head`]), the compare-and-swap cell it lives in
//! ([`HeadRegister`]), what lies under a prefix ([`Marker`]), and the rules by
//! which a head tells what became of a commit ([`outcome_of`], [`descent`]).
//!
//! ```text
//! <prefix>/ifmatch            what lies here; probe verdicts by endpoint
//! <prefix>/head               the head
//! <prefix>/segments/<id>      entries that outgrew the head's tail; immutable
//! <prefix>/checkpoints/<id>   the state at a commit; immutable
//! <prefix>/history/<id>       older references; immutable
//! ```

mod error;
mod head;
mod id;
mod marker;
mod register;
mod rules;

pub use error::{Error, Result};
pub use head::{
    CheckpointRef, Drop, Head, HistoryRef, Next, ObjectId, ObjectRef, RING, Ring, SegmentRef, Slot,
    TailCommit, Writer,
};
pub use id::{CommitId, ForkId, JournalId, Nonce, WriterId};
pub use marker::{Kind, Marker};
pub use register::{HeadRegister, Reading, Register, Swap, Token};
pub use rules::{Descent, Outcome, descent, outcome_of};
