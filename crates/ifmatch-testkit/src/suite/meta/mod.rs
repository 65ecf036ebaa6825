//! The conformance suite of [`MetaStore`]: one named case per clause of its
//! contract, run on any backend.
//!
//! Three lines make a test per case of a store:
//!
//! ```
//! use ifmatch_testkit::suite::meta::Wanted;
//! # use ifmatch_testkit::suite::{Failure, meta::Opened};
//! # async fn open(_: Wanted) -> Result<Opened, Failure> { Err(Failure::new("an example")) }
//! ifmatch_testkit::meta_store_suite!(mine, |wanted: Wanted| async move {
//!     open(wanted).await // Ok(Arc::new(MyMetaStore::open(wanted.place(), ..)?))
//! });
//! # fn main() {}
//! ```
//!
//! A runner of its own (`harness = false`, real servers) takes the same cases
//! from [`meta_cases`], asks once what the store [offers](MetaSubject::offer),
//! lists those that [do not apply](MetaCase::not_applicable) as ignored, and
//! [runs](MetaCase::run) the others.
//!
//! Each case opens a store of its own: a place that no other case has. A name of
//! a case begins with the requirements that it stands for, where there are any.

mod case;
mod list;
mod race;
mod run;
mod subject;
mod trial;
mod words;

mod cases;

pub use case::{MetaCase, MetaNeed};
pub use list::meta_cases;
#[doc(hidden)]
pub use run::run_named;
pub use run::{MetaReport, run_all};
pub use subject::{MetaSubject, Offer, Opened, Wanted};

#[cfg(doc)]
use ifmatch_meta::MetaStore;
