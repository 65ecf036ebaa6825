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

mod cut;
mod error;
mod head;
mod id;
mod journal;
pub mod kv;
mod machine;
mod marker;
mod object;
mod record;
mod register;
mod rules;
pub mod zoo;

pub use cut::Cut;
pub use error::{CommitError, Error, Pending, Replaced, Result, Rewound};
pub use head::{
    CheckpointRef, Drop, Head, HistoryRef, INLINE_PARTS, Next, ObjectId, ObjectRef, PartRef, Parts,
    RING, Ring, SegmentRef, Slot, Writer,
};
pub use id::{CommitId, ForkId, JournalId, Nonce, WriterId};
pub use journal::{
    Committed, Damaged, Freshness, Journal, Options, Pace, Place, Resolution, Seen, Snapshot,
    Totals, Verified, verify,
};
pub use machine::{Damage, Decision, Machine, Position};
pub use marker::{Kind, Marker};
pub use object::{Folder, Found, History, Item, NodeRef, Sealed};
pub use record::{CommitRecord, Entries};
pub use register::{HeadRegister, Reading, Register, Swap, Token};
pub use rules::{Descent, Outcome, descent, outcome_of};
