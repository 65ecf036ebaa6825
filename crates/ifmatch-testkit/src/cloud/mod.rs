//! A cloud that fails on demand: one HTTP server on loopback that speaks
//! enough of S3, Google Cloud Storage (XML) and Azure Blob for the real
//! `object_store` clients, and injects a chosen fault into a chosen request.
//!
//! What no emulator offers, and what a test of conditional writes needs, is to
//! say "this write *was applied* and its answer was lost", and to prove it
//! afterwards: [`CloudServer::log`] tells of every request which fault it met,
//! how often it was applied and what the client was told, and
//! [`CloudServer::applied_history`] lists the writes of a key in the order in
//! which they took effect. A conflict reported for a write that stands in the
//! history is false; a write that replaced another version than the one it
//! named is a silent overwrite.
//!
//! # Fidelity
//!
//! - S3: the `ETag` is the MD5 of the body, so equal bodies have equal tags and
//!   A, B, A restores the first one. An `If-Match` on a missing key is 404.
//! - GCS: the `ETag` is the MD5 of the body as well; conditions on writes look
//!   at the generation alone, which is unique and rises.
//! - Azure: the `ETag` is unique per write, unquoted in listings. `If-None-Match: *`
//!   on an existing blob is 409, an `If-Match` on a missing one is 412.
//! - No signature is checked; whether one was sent is in the log.
//! - One bucket (container) exists. Copies, versions, tags and leases are
//!   answered with 501.
//!
//! Every request is atomic: one lock covers the check, the write and the log
//! entry. The server knows nothing of the crates it tests.
//!
//! # Examples
//!
//! ```
//! use ifmatch_testkit::cloud::{CloudConfig, CloudServer, Dialect, Ending, Fault, Matcher, Operation};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = CloudServer::start(Dialect::S3, CloudConfig::default()).await?;
//! server.inject(Matcher::any().operation(Operation::Put), Fault::AfterApply(Ending::Close));
//! // Point a client at `server.url_base()`: its first PUT is applied and unanswered.
//! assert!(server.log().is_empty());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod answer;
mod azure;
mod azure_batch;
mod call;
mod conditions;
mod config;
mod connection;
mod engine;
mod fault;
mod gcs;
mod http;
mod list;
mod log;
mod multipart;
mod object;
mod plan;
mod protocol;
mod response;
mod s3;
mod server;
mod store;
mod view;
mod xml;
mod xml_api;

pub use conditions::Conditions;
pub use config::{Clock, CloudConfig, Dialect, Switches};
pub use fault::{Ending, Fault, Release};
pub use log::{AppliedWrite, CountKey, Delivery, LogEntry, Outcome};
pub use object::{ObjectVersion, StoredObject};
pub use plan::{Matcher, seeded};
pub use server::CloudServer;
pub use view::{Operation, RequestView};
