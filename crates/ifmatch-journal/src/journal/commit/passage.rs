//! Before a handle's first write: does the store keep its conditions, through
//! the endpoint that this handle uses?

use std::sync::atomic::{AtomicBool, Ordering};

use ifmatch_core::ProbePolicy;

use crate::error::Result;
use crate::journal::engine::Engine;
use crate::machine::Machine;
use crate::marker::Marker;

/// Whether the store is known to keep its conditions.
#[derive(Debug, Default)]
pub(crate) struct Passage(AtomicBool);

impl<M: Machine> Engine<M> {
    /// Takes over the verdict that lies in the marker, or probes and adds one.
    ///
    /// Not under the time-out of one request: a probe is some dozens of them.
    pub(crate) async fn pass(&self) -> Result<()> {
        if self.passage.0.load(Ordering::Relaxed) {
            return Ok(());
        }
        let store = &self.objects.store;
        if store.probe_gate().is_some_and(|gate| gate.policy() != ProbePolicy::Never) {
            let journal = self.session.base().head.journal;
            Box::pin(Marker::ensure(store.as_ref(), self.machine.kind(), journal)).await?;
        }
        self.passage.0.store(true, Ordering::Relaxed);
        Ok(())
    }
}
