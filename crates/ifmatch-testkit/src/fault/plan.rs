//! Which faults happen, how often, and how long things take.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use ifmatch_core::Operation;

use super::kind::{FaultKind, OPERATIONS};

/// Which faults a [`FaultStore`](super::FaultStore) injects.
///
/// At most one fault is drawn per call; the rates of an operation add up.
#[derive(Clone, Debug)]
#[must_use]
pub struct FaultPlan {
    pub(super) seed: u64,
    pub(super) rates: BTreeMap<(Operation, FaultKind), f64>,
    pub(super) script: VecDeque<(Operation, FaultKind)>,
    pub(super) delay: Option<Range<Duration>>,
    pub(super) outage: Range<Duration>,
    pub(super) latency: Range<Duration>,
    pub(super) retry_after: Duration,
    pub(super) keeps_log: bool,
    pub(super) lag: usize,
}

impl FaultPlan {
    /// No faults yet; whatever is drawn later is drawn from this seed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            rates: BTreeMap::new(),
            script: VecDeque::new(),
            delay: None,
            outage: Duration::from_millis(100)..Duration::from_secs(5),
            latency: Duration::from_millis(1)..Duration::from_secs(2),
            retry_after: Duration::from_millis(200),
            keeps_log: true,
            lag: 1,
        }
    }

    /// Everything that a network and an overloaded server do to requests, each
    /// at this rate. Reads are current and whole.
    pub fn network(seed: u64, rate: f64) -> Self {
        use FaultKind as Kind;
        let kinds = [
            Kind::LostAnswer,
            Kind::LostRequest,
            Kind::Delayed,
            Kind::Duplicated,
            Kind::DuplicatedLater,
            Kind::ThrottledBefore,
            Kind::ThrottledAfter,
            Kind::ServerErrorBefore,
            Kind::ServerErrorAfter,
            Kind::Contended,
            Kind::FalseRejection,
            Kind::Unreachable,
            Kind::Latency,
            Kind::CutList,
        ];
        Self::seeded(seed).rates(kinds, rate).rates([Kind::Outage, Kind::Denied], rate / 8.0)
    }

    /// Reads and listings that lag behind, and lost requests and answers.
    pub fn stale(seed: u64, rate: f64) -> Self {
        use FaultKind as Kind;
        let kinds = [
            Kind::StaleRead,
            Kind::StaleAbsent,
            Kind::StaleList,
            Kind::LostAnswer,
            Kind::LostRequest,
            Kind::ServerErrorAfter,
            Kind::Latency,
        ];
        Self::seeded(seed).rates(kinds, rate)
    }

    /// Bodies that arrive damaged, and lost answers.
    pub fn damaging(seed: u64, rate: f64) -> Self {
        use FaultKind as Kind;
        let kinds = [Kind::TruncatedBody, Kind::FlippedBit, Kind::ShortRange, Kind::LostAnswer];
        Self::seeded(seed).rates(kinds, rate)
    }

    /// What every client must bear without telling its caller: slowness, and
    /// writes that are refused before anything is done.
    pub fn mild(seed: u64, rate: f64) -> Self {
        Self::seeded(seed)
            .rate_of(FaultKind::Unreachable, Operation::Put, rate)
            .rate_of(FaultKind::Unreachable, Operation::Delete, rate)
            .rate(FaultKind::Latency, rate)
            .latencies(Duration::from_micros(1)..Duration::from_millis(1))
    }

    /// This fault at this rate (0 to 1) on every operation that it can happen to.
    pub fn rate(mut self, kind: FaultKind, rate: f64) -> Self {
        for operation in OPERATIONS {
            self = self.rate_of(kind, operation, rate);
        }
        self
    }

    /// These faults, each at this rate.
    pub fn rates(self, kinds: impl IntoIterator<Item = FaultKind>, rate: f64) -> Self {
        kinds.into_iter().fold(self, |plan, kind| plan.rate(kind, rate))
    }

    /// This fault at this rate on one operation; nothing where it cannot happen
    /// to it.
    pub fn rate_of(mut self, kind: FaultKind, operation: Operation, rate: f64) -> Self {
        if kind.applies_to(operation) {
            self.rates.insert((operation, kind), rate);
        }
        self
    }

    /// The next call of this operation that has no fault yet meets this one.
    pub fn next(mut self, operation: Operation, kind: FaultKind) -> Self {
        self.script.push_back((operation, kind));
        self
    }

    /// Keeps no log of calls and effects, and older versions only where reads or
    /// listings are to lag: for runs so long that a log would fill the memory.
    pub fn without_log(mut self) -> Self {
        self.keeps_log = false;
        self
    }

    /// A stale read goes back by at most so many writes (1).
    pub fn lag(mut self, writes: usize) -> Self {
        self.lag = writes.max(1);
        self
    }

    /// Whether older versions are ever asked for.
    pub(super) fn looks_back(&self) -> bool {
        let lagging = [FaultKind::StaleRead, FaultKind::StaleList];
        let mut enabled = self.rates.iter().filter(|(_, rate)| **rate > 0.0);
        self.keeps_log || enabled.any(|((_, kind), _)| lagging.contains(kind))
    }

    /// Late requests arrive by themselves after this long, hours if you like;
    /// each order of magnitude between the two is as likely.
    /// Without it they wait for
    /// [`deliver_delayed`](super::FaultStore::deliver_delayed).
    pub fn delays(mut self, delay: Range<Duration>) -> Self {
        self.delay = Some(delay);
        self
    }

    /// How long an outage lasts (100 ms to 5 s).
    pub fn outages(mut self, outage: Range<Duration>) -> Self {
        self.outage = outage;
        self
    }

    /// How long a slow call takes (1 ms to 2 s).
    pub fn latencies(mut self, latency: Range<Duration>) -> Self {
        self.latency = latency;
        self
    }

    /// What a throttled call is told to wait (200 ms).
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = pause;
        self
    }
}
