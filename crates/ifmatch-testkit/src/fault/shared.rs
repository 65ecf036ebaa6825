//! What the handle of a fault store and its late requests share.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::{
    Background, Blob, BlobKey, ConditionalBlobStore, Env, Error, Fetched, GetOptions, Operation,
    Precondition, Reason, WriteId,
};

use super::coverage::FaultCoverage;
use super::kind::FaultKind;
use super::plan::FaultPlan;
use super::truth::{Call, Effect};

/// One write request, to be sent any number of times.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) key: BlobKey,
    pub(super) precondition: Precondition,
    /// Body and id of a put; a delete has none.
    pub(super) put: Option<(Bytes, WriteId)>,
}

impl Request {
    pub(super) fn operation(&self) -> Operation {
        if self.put.is_some() { Operation::Put } else { Operation::Delete }
    }

    pub(super) fn write(&self) -> Option<WriteId> {
        self.put.as_ref().map(|(_, write)| *write)
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) inner: Arc<dyn ConditionalBlobStore>,
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) plan: FaultPlan,
    random: fastrand::Rng,
    quiet: bool,
    looks_back: bool,
    down_until: Duration,
    pub(super) coverage: FaultCoverage,
    pub(super) truth: Vec<Effect>,
    pub(super) calls: Vec<Call>,
    /// What was there before the last applied writes of each key, the newest
    /// first, as many as the plan's lag.
    pub(super) before: BTreeMap<BlobKey, VecDeque<Option<Blob>>>,
    /// Requests under way, by the order in which they were sent.
    pub(super) late: BTreeMap<u64, Request>,
    pub(super) sent_late: u64,
    /// The tasks that deliver them; dropped with the store.
    pub(super) couriers: VecDeque<Background>,
}

impl Shared {
    pub(super) fn new(inner: Arc<dyn ConditionalBlobStore>, plan: FaultPlan) -> Self {
        let mut coverage = FaultCoverage::default();
        let enabled = plan.rates.iter().filter(|(_, rate)| **rate > 0.0).map(|(cell, _)| *cell);
        for (operation, kind) in enabled.chain(plan.script.iter().copied()) {
            coverage.enable(operation, kind);
        }
        let random = fastrand::Rng::with_seed(plan.seed);
        let looks_back = plan.looks_back();
        let state = State {
            plan,
            random,
            quiet: false,
            looks_back,
            down_until: Duration::ZERO,
            coverage,
            truth: Vec::new(),
            calls: Vec::new(),
            before: BTreeMap::new(),
            late: BTreeMap::new(),
            sent_late: 0,
            couriers: VecDeque::new(),
        };
        Self { inner, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn env(&self) -> &Env {
        self.inner.env()
    }

    /// The fault of this call, if any. Whether it can really happen here (is
    /// there an older version to answer?) the call finds out, and counts it.
    pub(super) fn draw(&self, operation: Operation) -> Option<FaultKind> {
        let now = self.env().now();
        self.state().draw(operation, now)
    }

    pub(super) fn hit(&self, operation: Operation, kind: FaultKind) -> FaultKind {
        self.state().coverage.hit(operation, kind);
        kind
    }

    /// Waits as long as a slow call takes.
    pub(super) async fn linger(&self) {
        let pause = {
            let mut state = self.state();
            let latency = state.plan.latency.clone();
            state.between(&latency)
        };
        self.env().sleep(pause).await;
    }

    /// The error that a caller sees for this fault.
    pub(super) fn error(&self, operation: Operation, subject: &str, kind: FaultKind) -> Error {
        let source = Reason::source(format!("injected fault: {kind}"));
        let subject = subject.into();
        let wait = matches!(kind, FaultKind::ThrottledBefore | FaultKind::ThrottledAfter);
        match kind {
            FaultKind::Denied => Error::Denied { operation, subject, source },
            _ => Error::Unavailable {
                operation,
                subject,
                retry_after: wait.then(|| self.state().plan.retry_after),
                source,
            },
        }
    }

    pub(super) fn record(
        &self,
        operation: Operation,
        subject: impl fmt::Display,
        write: Option<WriteId>,
        fault: Option<FaultKind>,
        outcome: &'static str,
    ) {
        let at = self.env().now();
        let mut state = self.state();
        if !state.plan.keeps_log {
            return;
        }
        let subject = subject.to_string();
        state.calls.push(Call { at, operation, subject, write, fault, outcome });
    }

    /// What is there now.
    pub(super) async fn current(&self, key: &BlobKey) -> Option<Blob> {
        match self.inner.get(key, GetOptions::new()).await {
            Ok(Fetched::Found(blob)) => Some(blob),
            _ => None,
        }
    }
}

impl State {
    /// No faults from here on, or faults again.
    pub(super) fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
        self.down_until = Duration::ZERO;
    }

    fn draw(&mut self, operation: Operation, now: Duration) -> Option<FaultKind> {
        let told = self.plan.script.iter().position(|(next, _)| *next == operation);
        if let Some((_, kind)) = told.and_then(|at| self.plan.script.remove(at)) {
            return Some(self.begin(kind, now));
        }
        if self.quiet {
            return None;
        }
        if now < self.down_until {
            return Some(FaultKind::Outage);
        }
        let mut left = self.random.f64();
        let rates = self.plan.rates.iter().filter(|((of, _), _)| *of == operation);
        for ((_, kind), rate) in rates {
            if left < *rate {
                let kind = *kind;
                return Some(self.begin(kind, now));
            }
            left -= rate;
        }
        None
    }

    fn begin(&mut self, kind: FaultKind, now: Duration) -> FaultKind {
        if kind == FaultKind::Outage {
            let outage = self.plan.outage.clone();
            self.down_until = now + self.between(&outage);
        }
        kind
    }

    /// What was there before a write that was applied now.
    pub(super) fn remember(&mut self, key: BlobKey, before: Option<Blob>) {
        let older = self.before.entry(key).or_default();
        older.push_front(before);
        older.truncate(self.plan.lag);
    }

    /// What a stale read of this key answers, if anything older is known.
    pub(super) fn recall(&mut self, key: &BlobKey) -> Option<Blob> {
        let count = self.before.get(key)?.len();
        let at = self.below(count);
        self.before.get(key)?.get(at)?.clone()
    }

    /// Whether older versions are kept.
    pub(super) const fn looks_back(&self) -> bool {
        self.looks_back
    }

    /// A time in the range, each order of magnitude as likely.
    pub(super) fn delay(&mut self, range: &Range<Duration>) -> Duration {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        let (least, most) = (micros(range.start), micros(range.end));
        let octaves = most.max(least).ilog2() - least.ilog2();
        let start = least << self.random.u32(..=octaves);
        let drawn = self.random.u64(start..=start.saturating_mul(2));
        Duration::from_micros(drawn.clamp(least, most.max(least)))
    }

    pub(super) fn between(&mut self, range: &Range<Duration>) -> Duration {
        let width = range.end.saturating_sub(range.start);
        range.start + width.mul_f64(self.random.f64())
    }

    /// A number below `limit`, or 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.random.usize(..limit) }
    }
}
