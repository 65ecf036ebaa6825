//! Which request meets which fault: a script, then a plan.

use super::{
    fault::Fault,
    view::{Operation, RequestView},
};
use std::{collections::VecDeque, fmt, sync::Arc};

/// Chooses requests. Everything left unsaid matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    operation: Option<Operation>,
    key_contains: Option<String>,
    conditional: Option<bool>,
}

impl Matcher {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only requests of this kind.
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only requests with this text in a key, or in the prefix of a listing.
    pub fn key_contains(mut self, text: impl Into<String>) -> Self {
        self.key_contains = Some(text.into());
        self
    }

    /// Only requests with a condition, or only those without.
    pub fn conditional(mut self, conditional: bool) -> Self {
        self.conditional = Some(conditional);
        self
    }

    /// Whether it chooses this request.
    pub fn matches(&self, request: &RequestView) -> bool {
        let named = |text: &String| request.keys.iter().any(|key| key.contains(text.as_str()));
        self.operation.is_none_or(|operation| operation == request.operation)
            && self.key_contains.as_ref().is_none_or(named)
            && self.conditional.is_none_or(|wanted| wanted != request.conditions.is_empty())
    }
}

/// A plan: asked once for each request that the script leaves alone.
pub(super) type Plan = Arc<dyn Fn(&RequestView) -> Option<Fault> + Send + Sync>;

/// A plan that gives `per_mille` of a thousand requests one of `faults`, drawn
/// from the seed and the request's number.
pub fn seeded(
    seed: u64,
    per_mille: u32,
    faults: Vec<Fault>,
) -> impl Fn(&RequestView) -> Option<Fault> + Send + Sync + 'static {
    move |request| {
        let mut random = fastrand::Rng::with_seed(seed.rotate_left(32) ^ request.seq);
        if random.u32(0..1_000) >= per_mille {
            return None;
        }
        random.choice(&faults).copied()
    }
}

/// The scripted faults, each with what is left of its number of uses, and the plan.
#[derive(Default)]
pub(super) struct Script {
    queue: VecDeque<(Matcher, Fault, usize)>,
    pub(super) plan: Option<Plan>,
}

impl Script {
    pub(super) fn push(&mut self, matcher: Matcher, fault: Fault, times: usize) {
        if times > 0 {
            self.queue.push_back((matcher, fault, times));
        }
    }

    /// Takes the first fault of the queue whose matcher chooses this request.
    pub(super) fn take(&mut self, request: &RequestView) -> Option<Fault> {
        let index = self.queue.iter().position(|(matcher, ..)| matcher.matches(request))?;
        let (_, fault, left) = self.queue.get_mut(index)?;
        let fault = *fault;
        *left -= 1;
        if *left == 0 {
            self.queue.remove(index);
        }
        Some(fault)
    }

    /// How many scripted faults have not met a request yet.
    pub(super) fn pending(&self) -> usize {
        self.queue.iter().map(|(_, _, left)| left).sum()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("queue", &self.queue)
            .field("plan", &self.plan.is_some())
            .finish()
    }
}
