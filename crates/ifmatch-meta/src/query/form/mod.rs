//! Filters as JSON, in the form that [`Filter`](super::Filter) shows.

mod bounded;
mod read;
mod write;

#[cfg(test)]
mod tests;
