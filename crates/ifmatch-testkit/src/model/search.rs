//! Breadth first, so that the first trace is a shortest one.
//!
//! A state visited costs its packed words, the index of the state before it,
//! and one slot of a hash table: the steps themselves are made again when a
//! trace is wanted.

use std::fmt::{Debug, Display};

/// A state in packed form.
pub trait State: Copy + Eq {
    /// Bits that tell states apart.
    fn hash(&self) -> u64;
}

impl<const K: usize> State for [u64; K] {
    fn hash(&self) -> u64 {
        let mut hash = 0x9e37_79b9_7f4a_7c15_u64;
        for word in self {
            hash = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
            hash ^= hash >> 32;
        }
        hash
    }
}

/// One step and the state after it; an error is the promise that it breaks.
pub type Next<M> = (<M as Model>::Step, Result<<M as Model>::State, <M as Model>::Violation>);

/// What can be searched.
pub trait Model {
    /// A state.
    type State: State;
    /// What happens between two states.
    type Step: Display;
    /// A promise that can be broken.
    type Violation: Copy + PartialEq + Debug;

    /// The state in which all begins.
    fn start(&mut self) -> Self::State;

    /// Appends every step that can happen in `state`.
    fn steps(&mut self, state: &Self::State, next: &mut Vec<Next<Self>>);

    /// Whether a step had to be left out because a state could not hold what
    /// it would need: the search was then not complete.
    fn overflowed(&self) -> bool;
}

/// What a search found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Found<V> {
    /// States visited.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// Steps from the start to the farthest state.
    pub depth: usize,
    /// Whether every reachable state was visited.
    pub complete: bool,
    /// The first broken promise, with a shortest way to it.
    pub violation: Option<(V, Vec<String>)>,
}

/// Visits every state of `model`, but at most `limit` (and 4,294,967,295).
pub fn search<M: Model>(model: &mut M, limit: usize) -> Found<M::Violation> {
    let limit = limit.min(u32::MAX as usize);
    let start = model.start();
    let mut visited =
        Visited { states: Vec::new(), before: Vec::new(), table: vec![NONE; 1 << 10] };
    visited.insert(start, 0);
    let (mut at, mut steps, mut depth, mut level) = (0, 0, 0, 1);
    let mut next = Vec::new();
    while at < visited.states.len() {
        if at == level {
            (depth, level) = (depth + 1, visited.states.len());
        }
        let state = visited.states[at];
        model.steps(&state, &mut next);
        steps += next.len();
        for (what, after) in next.drain(..) {
            match after {
                Ok(after) => {
                    visited.insert(after, at);
                }
                Err(violation) => {
                    let mut trace = visited.trace(model, at);
                    trace.push(what.to_string());
                    let states = visited.states.len();
                    let violation = Some((violation, trace));
                    return Found { states, steps, depth, complete: false, violation };
                }
            }
        }
        at += 1;
        if visited.states.len() > limit {
            let states = visited.states.len();
            return Found { states, steps, depth, complete: false, violation: None };
        }
    }
    let complete = !model.overflowed();
    Found { states: visited.states.len(), steps, depth, complete, violation: None }
}

/// An empty slot.
const NONE: u32 = u32::MAX;

/// The states in the order in which they were reached, which is also the queue
/// of those still to be looked at.
struct Visited<S> {
    states: Vec<S>,
    /// How each state was reached: the index of the state before it.
    before: Vec<u32>,
    /// Indices of states, at their hashes.
    table: Vec<u32>,
}

impl<S: State> Visited<S> {
    #[allow(clippy::cast_possible_truncation)] // Indices stay below the limit of a search.
    fn insert(&mut self, state: S, before: usize) {
        let mut slot = self.slot(state.hash());
        while self.table[slot] != NONE {
            if self.states[self.table[slot] as usize] == state {
                return;
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
        self.table[slot] = self.states.len() as u32;
        self.states.push(state);
        self.before.push(before as u32);
        if self.states.len() * 2 > self.table.len() {
            self.grow();
        }
    }

    #[allow(clippy::cast_possible_truncation)] // Masked.
    fn slot(&self, hash: u64) -> usize {
        (hash as usize) & (self.table.len() - 1)
    }

    #[allow(clippy::cast_possible_truncation)] // As above.
    fn grow(&mut self) {
        self.table = vec![NONE; self.table.len() * 2];
        for index in 0..self.states.len() {
            let mut slot = self.slot(self.states[index].hash());
            while self.table[slot] != NONE {
                slot = (slot + 1) & (self.table.len() - 1);
            }
            self.table[slot] = index as u32;
        }
    }

    /// The steps from the start to the state at `to`.
    fn trace<M: Model<State = S>>(&self, model: &mut M, to: usize) -> Vec<String> {
        let (mut trace, mut next, mut now) = (Vec::new(), Vec::new(), to);
        while now != 0 {
            let before = self.before[now] as usize;
            model.steps(&self.states[before], &mut next);
            for (what, after) in next.drain(..) {
                if after.is_ok_and(|after| after == self.states[now]) {
                    trace.push(what.to_string());
                    break;
                }
            }
            now = before;
        }
        trace.reverse();
        trace
    }
}
