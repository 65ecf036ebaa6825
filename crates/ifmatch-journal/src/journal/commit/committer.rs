//! The committer: one task, one body under way.

use std::sync::Arc;

use ifmatch_core::Background;

use crate::journal::commit::batch::Batch;
use crate::journal::engine::Engine;
use crate::machine::Machine;

/// Commits whatever is asked for, batch by batch, for as long as it is polled.
///
/// The task owns every PUT: a caller that is dropped aborts nothing that others
/// ride in.
pub(crate) async fn run<M: Machine>(engine: Arc<Engine<M>>) {
    let _ended = Ended(&engine);
    let mut maintenance: Option<Background> = None;
    loop {
        while engine.queue.len() == 0 && engine.notes().fold.is_none() {
            engine.queue.arrival().await;
        }
        let Some(members) = Batch::new(&engine).commit().await else { continue };
        let idle = maintenance.as_ref().is_none_or(Background::is_finished);
        if idle && engine.is_maintenance_due() {
            let maintained = Arc::clone(&engine);
            let prepare = async move {
                // Counted, and tried again after a later commit.
                let _ = maintained.prepare_maintenance().await;
            };
            maintenance = Some(engine.env.spawn("maintenance of a journal", prepare));
        }
        engine.give_way(members).await;
    }
}

/// Tells whoever waits that nobody commits any more: the machine panicked.
struct Ended<'a, M: Machine>(&'a Engine<M>);

impl<M: Machine> Drop for Ended<'_, M> {
    fn drop(&mut self) {
        self.0.ended.send_replace(true);
    }
}

impl<M: Machine> Engine<M> {
    /// After a success: lets rivals commit, and lets the callers that were just
    /// answered come back, so that they ride together again.
    async fn give_way(&self, members: usize) {
        let (pause, round_trip) = {
            let (mut notes, now) = (self.notes(), self.env.now());
            let round_trip = notes.round_trip;
            (notes.rivals.yields(now, round_trip), round_trip)
        };
        if !pause.is_zero() {
            self.env.sleep(pause).await;
            return;
        }
        let ends = self.env.now() + round_trip / 50;
        while members > 1 && self.queue.len() < members {
            let left = ends.saturating_sub(self.env.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                biased;
                () = self.queue.arrival() => {}
                () = self.env.sleep(left) => return,
            }
        }
    }
}
