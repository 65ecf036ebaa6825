//! Between the clients and the store: hosts that stop, ways that take time.

mod host;
mod link;
mod tap;
#[cfg(test)]
mod tests;

pub(super) use host::Host;
pub(super) use link::Link;
pub(super) use tap::Tap;
