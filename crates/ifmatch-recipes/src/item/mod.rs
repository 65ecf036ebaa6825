//! Items with ETags, in the manner of Cosmos DB.
//!
//! An item is a JSON object with an `id`, in a partition that is always named.
//! It comes back with two members that the store keeps: `_etag`, which changes
//! with every write, and `_ts`, the second of the last one. A write says what it
//! expects ([`IfMatch`]); where that does not hold nothing is applied and the
//! answer is a [`ConcurrencyError`].
//!
//! What differs from Cosmos stands in [`guide::cosmos`](crate::guide::cosmos).

mod body;
mod error;
mod items;
mod merge;
mod query;
mod read;

pub use error::{ConcurrencyError, DEFAULT_TEXT, ItemError, ItemResult};
pub use items::{IfMatch, Items, MissingItem};
pub use query::ItemPage;
pub use read::Item;
