//! The optimistic-lock engine: one conditional PUT per commit.
//!
//! A journal is a chain of commits behind one small *head*, the only blob that
//! is ever compared and swapped. A [`Machine`] of yours turns commands into
//! entries and entries into a state; a [`Journal`] shares it between any number
//! of writers on any [`ConditionalBlobStore`](ifmatch_core::ConditionalBlobStore):
//!
//! | to | cost, uncontended |
//! |---|---|
//! | commit any number of commands of one moment | 1 request; 2 when the tail spills |
//! | see whether there is news | 1 request, no body |
//! | catch up while the tail holds it | the same request |
//! | open a journal of any age | the head, then at most about 10 objects at once |
//!
//! Every answer is true: *committed*, *rejected* on a state that was the newest
//! during the call, or *unknown*, which [`Journal::resolve`] settles later, in
//! another process too. Every error says what was applied.
//!
//! # How it is built
//!
//! | module | what |
//! |---|---|
//! | `head`, `record`, `object` | the formats, byte for byte |
//! | `register` | the compare-and-swap cell |
//! | `rules` | what a head tells: about a commit ([`outcome_of`]), about a state ([`descent`]) |
//! | `journal` | the engine: plan, draft, publish, judge; read; maintain |
//! | [`kv`] | a machine to begin with, and an example of one |
//! | [`zoo`] | planted bugs, for testing the tests |
//!
//! # What lies under a prefix
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
