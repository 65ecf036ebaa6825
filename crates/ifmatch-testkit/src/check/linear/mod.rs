//! An exhaustive search for a linearization.
//!
//! A history is linearizable if each call can be given one moment between its
//! invocation and its return such that the answers are those of the calls made
//! one after the other at these moments. This is the search of Wing and Gong
//! with the memory of Lowe: the calls in the order of their events, always
//! trying those that have begun before the next return; a set of calls that
//! led to a state before is not tried again. A call that was never answered
//! may take effect at any time after its invocation, or never.
//!
//! It is exponential at worst: use it on histories of up to a few hundred
//! calls of a handful of clients, and [`chain`](super::chain) on longer ones.
//!
//! ```
//! use ifmatch_testkit::check::Moment;
//! use ifmatch_testkit::check::linear::{
//!     Call, Register, RegisterAnswer, RegisterOp, Verdict, check,
//! };
//!
//! let call = |invoked, returned, op, answer| Call {
//!     invoked: Moment::new(invoked, 0),
//!     returned: Some((Moment::new(returned, 0), answer)),
//!     op,
//! };
//! let calls = [
//!     call(1, 4, RegisterOp::Write(7), RegisterAnswer::Written),
//!     call(2, 3, RegisterOp::Read, RegisterAnswer::Value(7)),
//!     // Began after 7 had been read, and yet saw what was before.
//!     call(5, 6, RegisterOp::Read, RegisterAnswer::Value(0)),
//! ];
//! let register = Register { initial: 0 };
//! assert!(matches!(check(&register, &calls, 1_000).verdict, Verdict::Broken { blocked: 2, .. }));
//! assert!(matches!(
//!     &check(&register, &calls[..2], 1_000).verdict,
//!     Verdict::Linearizable { order } if order == &[0, 1]
//! ));
//! ```

mod events;
mod model;
mod register;
mod search;

pub use model::{Call, Model};
pub use register::{Register, RegisterAnswer, RegisterOp};
pub use search::{Report, Verdict, check};
