//! Breadth first, so that the first trace is a shortest one.

use std::collections::{HashMap, VecDeque};

use super::chain::Chain;
use super::judge::Judge;
use super::step::steps;
use super::world::{Violation, World};

/// How large the model is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bounds {
    /// Transactions per writer.
    pub transactions: u8,
    /// Attempts per transaction.
    pub attempts: u8,
    /// Commits that a ring remembers.
    pub ring: usize,
    /// Whether an operator puts an older head back, once.
    pub rewind: bool,
    /// Most states to visit.
    pub states: usize,
}

impl Default for Bounds {
    /// Two transactions of three attempts per writer, a ring of two, no
    /// operator, at most three million states.
    fn default() -> Self {
        Self { transactions: 2, attempts: 3, ring: 2, rewind: false, states: 3_000_000 }
    }
}

impl Bounds {
    /// Another number of transactions per writer.
    pub const fn transactions(mut self, transactions: u8) -> Self {
        self.transactions = transactions;
        self
    }

    /// Another number of attempts per transaction.
    pub const fn attempts(mut self, attempts: u8) -> Self {
        self.attempts = attempts;
        self
    }

    /// Another length of the ring.
    pub const fn ring(mut self, ring: usize) -> Self {
        self.ring = ring;
        self
    }

    /// With an operator who puts an older head back, once.
    pub const fn with_rewind(mut self) -> Self {
        self.rewind = true;
        self
    }
}

/// What a search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// States visited.
    pub states: usize,
    /// Whether every reachable state was visited.
    pub complete: bool,
    /// The first broken promise, with a shortest way to it.
    pub violation: Option<(Violation, Vec<String>)>,
}

/// Visits every state that the bounds allow.
pub fn search(judge: Judge, bounds: &Bounds) -> Found {
    let mut chain = Chain::new(bounds.ring);
    let start = World::start();
    // How each state was reached: the state before it, and the step.
    let mut reached: HashMap<World, Option<(World, String)>> = HashMap::new();
    reached.insert(start.clone(), None);
    let mut queue = VecDeque::from([start]);
    while let Some(world) = queue.pop_front() {
        for (what, after) in steps(&world, &mut chain, judge, bounds) {
            let broken = match &after {
                Ok(after) => after.violation(&chain, bounds.transactions),
                Err(violation) => Some(*violation),
            };
            if let Some(violation) = broken {
                let mut trace = way(&reached, &world);
                trace.push(what);
                let states = reached.len();
                return Found { states, complete: false, violation: Some((violation, trace)) };
            }
            let Ok(after) = after else { continue };
            if reached.len() >= bounds.states {
                return Found { states: reached.len(), complete: false, violation: None };
            }
            if !reached.contains_key(&after) {
                reached.insert(after.clone(), Some((world.clone(), what)));
                queue.push_back(after);
            }
        }
    }
    Found { states: reached.len(), complete: true, violation: None }
}

fn way(reached: &HashMap<World, Option<(World, String)>>, to: &World) -> Vec<String> {
    let mut trace = Vec::new();
    let mut now = to;
    while let Some(Some((before, what))) = reached.get(now) {
        trace.push(what.clone());
        now = before;
    }
    trace.reverse();
    trace
}
