//! Histories told step by step: the director of single tests.

use std::collections::VecDeque;
use std::sync::PoisonError;

use bytes::Bytes;
use futures::FutureExt;

use super::scripted::{Director, Fate, Look, Scripted, Seen};
use super::world::{Foreign, MINE, World};
use crate::error::Result;
use crate::key::BlobKey;
use crate::precondition::Precondition;
use crate::store::{RetryPolicy, Stored, delete_resolved, put_resolved};

/// One step of a history; what is not told goes well.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Attempt(Fate),
    Head(Look),
    /// Every attempt from here on.
    Attempts(Fate),
    /// Every head from here on.
    Heads(Look),
    Other(Foreign),
}

pub(super) struct Story(VecDeque<Step>);

impl Story {
    fn others(&mut self, world: &mut World) {
        while let Some(Step::Other(act)) = self.0.front().copied() {
            self.0.pop_front();
            assert!(world.foreign(act), "{act:?} does nothing here");
        }
    }
}

impl Director for Story {
    fn fate(&mut self, world: &mut World) -> Fate {
        self.others(world);
        match self.0.front().copied() {
            Some(Step::Attempt(fate)) => {
                self.0.pop_front();
                fate
            }
            Some(Step::Attempts(fate)) => fate,
            _ => Fate::Deliver,
        }
    }

    fn look(&mut self, world: &mut World) -> Look {
        self.others(world);
        match self.0.front().copied() {
            Some(Step::Head(look)) => {
                self.0.pop_front();
                look
            }
            Some(Step::Heads(look)) => look,
            _ => Look::Fresh,
        }
    }
}

/// What became of a call.
pub(super) struct Told<T> {
    pub(super) result: Result<T>,
    pub(super) world: World,
    pub(super) attempts: usize,
    pub(super) heads: usize,
    pub(super) store: Scripted<Story>,
}

pub(super) fn key() -> BlobKey {
    BlobKey::new("k").unwrap()
}

fn store(world: World, steps: &[Step]) -> Scripted<Story> {
    Scripted::new(world, Story(steps.iter().copied().collect()), RetryPolicy::default())
}

fn told<T>(result: Result<T>, store: Scripted<Story>) -> Told<T> {
    let seen = store.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let heads =
        seen.iter().filter(|seen| matches!(seen, Seen::Object(_) | Seen::NoLook(_))).count();
    let attempts = seen.len() - heads;
    let world = {
        let mut state = store.state.lock().unwrap();
        let rest = |step: &Step| matches!(step, Step::Attempts(_) | Step::Heads(_));
        assert!(state.1.0.iter().all(rest), "steps that never came: {:?}", state.1.0);
        let (versions, bases) = (state.0.versions, state.0.bases);
        std::mem::replace(&mut state.0, World::new(versions, bases, false))
    };
    Told { result, world, attempts, heads, store }
}

/// Puts `mine` under `condition` through this history.
pub(super) fn put(world: World, condition: Precondition, steps: &[Step]) -> Told<Stored> {
    let store = store(world, steps);
    let result = put_resolved(&store, &key(), Bytes::from("mine"), condition, Some(MINE))
        .now_or_never()
        .unwrap();
    told(result, store)
}

/// Deletes under `condition` through this history.
pub(super) fn delete(world: World, condition: Precondition, steps: &[Step]) -> Told<()> {
    let store = store(world, steps);
    let result = delete_resolved(&store, &key(), condition).now_or_never().unwrap();
    told(result, store)
}
