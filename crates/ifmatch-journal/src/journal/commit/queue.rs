//! Members that wait for the next batch.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::journal::commit::member::Member;
use crate::machine::Machine;

pub(crate) struct Queue<M: Machine> {
    waiting: Mutex<VecDeque<Arc<Member<M>>>>,
    arrived: Notify,
}

impl<M: Machine> Queue<M> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::new(VecDeque::new()), arrived: Notify::new() }
    }

    pub(crate) fn push(&self, member: Arc<Member<M>>) {
        self.waiting().push_back(member);
        self.arrived.notify_one();
    }

    /// Wakes the committer without a member.
    pub(crate) fn nudge(&self) {
        self.arrived.notify_one();
    }

    /// Puts members back to the front, in their order.
    pub(crate) fn put_back(&self, members: impl DoubleEndedIterator<Item = Arc<Member<M>>>) {
        let mut waiting = self.waiting();
        members.rev().for_each(|member| waiting.push_front(member));
    }

    /// Moves those that wait into `batch`, up to `most` in all.
    pub(crate) fn board(&self, batch: &mut Vec<Arc<Member<M>>>, most: usize) {
        let mut waiting = self.waiting();
        while batch.len() < most {
            let Some(member) = waiting.pop_front() else { break };
            if member.is_live() {
                batch.push(member);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// Waits until something may have arrived.
    pub(crate) async fn arrival(&self) {
        self.arrived.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Arc<Member<M>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
