//! Ready-made uses of the documents of ifmatch.
//!
//! [`item`] is the item API that users of Cosmos DB know, on every
//! [`MetaStore`](ifmatch_meta::MetaStore). [`guide`] leads from other systems to
//! this one.

pub mod guide;
pub mod item;
