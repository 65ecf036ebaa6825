//! Wing, Gong and Lowe's search.

use std::collections::HashSet;

use super::super::moment::Phase;
use super::events::Events;
use super::{Call, Model};

/// The outcome of a search.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Report {
    /// What was found.
    pub verdict: Verdict,
    /// Pairs of a set of calls and the state they led to.
    pub visited: usize,
}

/// Whether some order of the calls explains the answers. Calls are named by
/// their index.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// This order does. Calls without an answer that it leaves out never took
    /// effect.
    Linearizable {
        /// The order.
        order: Vec<usize>,
    },
    /// None does.
    Broken {
        /// A longest order that explains what it contains.
        longest: Vec<usize>,
        /// The call that returned before anything could explain its answer,
        /// after `longest`.
        blocked: usize,
    },
    /// The limit was reached first.
    Undecided,
}

/// Searches for an order of `calls` that explains their answers.
///
/// # Cost
///
/// Time and memory grow with the visited pairs, of which there are at most
/// `limit`; each holds a state and one bit per call.
pub fn check<M: Model>(model: &M, calls: &[Call<M::Op, M::Answer>], limit: usize) -> Report {
    Search::new(model, calls).run(limit)
}

struct Search<'a, M: Model> {
    model: &'a M,
    calls: &'a [Call<M::Op, M::Answer>],
    events: Events,
    /// The calls taken, each with the state before it.
    taken: Vec<(usize, M::State)>,
    set: Set,
    visited: HashSet<(Set, M::State)>,
    state: M::State,
    /// Answered calls that are not taken yet.
    open: usize,
    /// The longest order that was stopped, and by which call.
    longest: Option<(Vec<usize>, usize)>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, calls: &'a [Call<M::Op, M::Answer>]) -> Self {
        let moments = calls.iter().map(|call| {
            let returned = call.returned.as_ref().map(|(moment, _)| *moment);
            (call.invoked, returned)
        });
        Self {
            model,
            calls,
            events: Events::new(moments),
            taken: Vec::new(),
            set: Set::new(calls.len()),
            visited: HashSet::new(),
            state: model.start(),
            open: calls.iter().filter(|call| call.returned.is_some()).count(),
            longest: None,
        }
    }

    fn run(mut self, limit: usize) -> Report {
        let mut place = self.events.first();
        let verdict = loop {
            if self.open == 0 {
                break Verdict::Linearizable { order: self.order() };
            }
            if self.visited.len() > limit {
                break Verdict::Undecided;
            }
            place = match self.events.at(place) {
                Some((Phase::Invoked, call)) if self.take(call) => self.events.first(),
                Some((Phase::Invoked, _)) => self.events.after(place),
                // Whatever is left begins after this return: what is taken
                // cannot be right. While answered calls are open there is a
                // return before the end.
                Some((Phase::Returned, call)) => {
                    self.note(call);
                    let Some(before) = self.give_back() else {
                        let (longest, blocked) = self.longest.unwrap_or_default();
                        break Verdict::Broken { longest, blocked };
                    };
                    self.events.after(before)
                }
                None => break Verdict::Undecided,
            };
        };
        Report { verdict, visited: self.visited.len() }
    }

    /// Takes `call` next, if its answer allows it and nothing is known of
    /// where that leads.
    fn take(&mut self, call: usize) -> bool {
        let recorded = &self.calls[call];
        let answer = recorded.returned.as_ref().map(|(_, answer)| answer);
        let Some(after) = self.model.apply(&self.state, &recorded.op, answer) else {
            return false;
        };
        // Without an answer and without an effect it may as well not be.
        if answer.is_none() && after == self.state {
            return false;
        }
        self.set.flip(call);
        if !self.visited.insert((self.set.clone(), after.clone())) {
            self.set.flip(call);
            return false;
        }
        self.open -= usize::from(answer.is_some());
        self.taken.push((call, std::mem::replace(&mut self.state, after)));
        self.events.take(call);
        true
    }

    /// Undoes the last call; where it began, if there is one.
    fn give_back(&mut self) -> Option<usize> {
        let (call, before) = self.taken.pop()?;
        self.events.put_back(call);
        self.state = before;
        self.set.flip(call);
        self.open += usize::from(self.calls[call].returned.is_some());
        Some(self.events.place(call))
    }

    fn note(&mut self, blocked: usize) {
        let longest = self.longest.as_ref().map_or(0, |(longest, _)| longest.len());
        if self.longest.is_none() || self.taken.len() > longest {
            self.longest = Some((self.order(), blocked));
        }
    }

    fn order(&self) -> Vec<usize> {
        self.taken.iter().map(|(call, _)| *call).collect()
    }
}

/// A set of calls, one bit each.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Set(Box<[u64]>);

impl Set {
    fn new(calls: usize) -> Self {
        Self(vec![0; calls.div_ceil(64)].into_boxed_slice())
    }

    fn flip(&mut self, call: usize) {
        self.0[call / 64] ^= 1 << (call % 64);
    }
}
