//! From a request to what goes out on the socket: chooses the fault, applies,
//! logs. Everything here is synchronous and under one lock.

use super::{
    answer::Problem,
    call::Call,
    config::{CloudConfig, Dialect, Switches},
    connection::pause,
    fault::{Ending, Fault, Release},
    http::HttpRequest,
    log::{Delivery, Log, LogEntry, Outcome},
    plan::Script,
    protocol::{Protocol, protocol},
    response::Response,
    store::{Mode, Stamp, Store},
    view::RequestView,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What goes out on the socket.
#[derive(Debug)]
pub(super) enum Transmission {
    Answer(Vec<u8>),
    AnswerThenClose(Vec<u8>),
    Close,
    Reset,
    Stall(Duration),
}

/// A request that is still under way.
#[derive(Debug)]
struct Pending {
    entry: LogEntry,
    call: Call,
    mode: Mode,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) script: Script,
    pub(super) switches: Switches,
    pub(super) store: Store,
    pub(super) log: Log,
    delayed: BTreeMap<u64, Pending>,
    next_seq: u64,
}

#[derive(Debug)]
pub(super) struct Engine {
    dialect: Dialect,
    config: CloudConfig,
    protocol: Box<dyn Protocol>,
    state: Mutex<State>,
}

impl Engine {
    pub(super) fn new(dialect: Dialect, config: CloudConfig) -> Self {
        let state = State {
            script: Script::default(),
            switches: config.switches,
            store: Store::new(dialect, config.page_size.max(1)),
            log: Log::default(),
            delayed: BTreeMap::new(),
            next_seq: 0,
        };
        let protocol = protocol(dialect, &config);
        Self { dialect, config, protocol, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles a request; the number is its place in the log.
    pub(super) fn handle(self: &Arc<Self>, request: &HttpRequest) -> (u64, Transmission) {
        let seq = {
            let mut state = self.state();
            state.next_seq += 1;
            state.next_seq - 1
        };
        let call = self.protocol.parse(request);
        let view = RequestView::new(seq, self.dialect, request, call.as_ref().ok());
        let fault = self.choose(&view);
        let wire = Wire { seq, head: request.method == "HEAD", keep_alive: request.keep_alive };
        let mut entry = LogEntry {
            request: view,
            fault,
            deliveries: Vec::new(),
            outcome: Outcome::Closed,
            bytes_in: request.size,
            bytes_out: 0,
        };
        let mut state = self.state();
        let transmission = self.respond(&mut state, call, &mut entry, wire);
        state.log.record(entry);
        (seq, transmission)
    }

    /// Delivers all delayed requests, oldest first; how many there were.
    pub(super) fn deliver_delayed(&self) -> usize {
        let mut state = self.state();
        let delayed = std::mem::take(&mut state.delayed);
        let count = delayed.len();
        for pending in delayed.into_values() {
            self.land(&mut state, pending);
        }
        count
    }

    pub(super) fn delayed(&self) -> usize {
        self.state().delayed.len()
    }

    /// Asks the script, then the plan; the plan runs outside the lock.
    fn choose(&self, view: &RequestView) -> Option<Fault> {
        let (scripted, plan) = {
            let mut state = self.state();
            (state.script.take(view), state.script.plan.clone())
        };
        scripted.or_else(|| plan.and_then(|plan| plan(view)))
    }

    fn respond(
        self: &Arc<Self>,
        state: &mut State,
        call: Result<Call, Problem>,
        entry: &mut LogEntry,
        wire: Wire,
    ) -> Transmission {
        let fault = entry.fault;
        if let Some(Fault::BeforeApply(ending)) = fault {
            return self.end(ending, entry, wire);
        }
        let denied = state.switches.deny && fault.is_none();
        let mut call = match call {
            Ok(call) if !denied => call,
            Ok(_) => return self.end(Ending::status(403), entry, wire),
            Err(problem) => {
                let response = self.protocol.problem(&problem);
                return match fault {
                    Some(Fault::AfterApply(ending)) => self.end(ending, entry, wire),
                    _ => self.answer(response, entry, wire),
                };
            }
        };
        let mode = mode(state.switches, fault);
        if let (Some(Fault::IgnoreRange), Call::Read { range, .. }) = (fault, &mut call) {
            *range = None;
        }
        match fault {
            Some(Fault::AfterApply(ending)) => {
                self.deliver(state, &call, mode, entry);
                self.end(ending, entry, wire)
            }
            Some(Fault::Delayed(release)) => {
                self.postpone(state, call, mode, entry, release);
                self.end(Ending::Close, entry, wire)
            }
            Some(Fault::DeliverTwice) => {
                self.deliver(state, &call, mode, entry);
                let second = self.deliver(state, &call, mode, entry);
                self.answer(second, entry, wire)
            }
            Some(Fault::DeliverAgain(release)) => {
                let first = self.deliver(state, &call, mode, entry);
                let transmission = self.answer(first, entry, wire);
                self.postpone(state, call, mode, entry, release);
                transmission
            }
            _ => {
                let response = self.deliver(state, &call, mode, entry);
                self.answer(response, entry, wire)
            }
        }
    }

    /// Applies the request once and notes it in the entry and the histories.
    fn deliver(
        &self,
        state: &mut State,
        call: &Call,
        mode: Mode,
        entry: &mut LogEntry,
    ) -> Response {
        let stamp = Stamp {
            seq: entry.request.seq,
            delivery: entry.deliveries.len(),
            now: (self.config.clock)(),
        };
        let effect = state.store.apply(call, mode, stamp);
        let response = self.protocol.render(call.operation(), &effect.answer);
        entry.deliveries.push(Delivery {
            status: response.status,
            applied: !effect.changes.is_empty(),
            version: effect.changes.iter().rev().find_map(|(_, change)| change.version.clone()),
        });
        state.log.apply(effect.changes);
        response
    }

    /// An answer, damaged if the fault says so.
    fn answer(&self, mut response: Response, entry: &mut LogEntry, wire: Wire) -> Transmission {
        if entry.fault == Some(Fault::OmitEtag) && response.status < 300 {
            response.headers.retain(|(name, _)| name != "ETag");
        }
        let status = response.status;
        let response = self.protocol.sign(wire.seq, response);
        let mut encoded = response.encode((self.config.clock)(), wire.head, wire.keep_alive);
        let body = encoded.bytes.len() - encoded.head_len;
        entry.outcome = Outcome::Answered(status);
        match entry.fault {
            Some(Fault::FlipBit(bit)) if body > 0 => {
                let bit = bit % (body * 8);
                encoded.bytes[encoded.head_len + bit / 8] ^= 1 << (bit % 8);
            }
            Some(Fault::TruncateBody) if body > 0 => {
                encoded.bytes.truncate(encoded.head_len + body / 2);
                entry.outcome = Outcome::Truncated(status);
            }
            _ => {}
        }
        entry.bytes_out = encoded.bytes.len() as u64;
        match entry.outcome {
            Outcome::Answered(_) => Transmission::Answer(encoded.bytes),
            _ => Transmission::AnswerThenClose(encoded.bytes),
        }
    }

    /// The end of an exchange without the true answer.
    fn end(&self, ending: Ending, entry: &mut LogEntry, wire: Wire) -> Transmission {
        let (outcome, transmission) = match ending {
            Ending::Close => (Outcome::Closed, Transmission::Close),
            Ending::Reset => (Outcome::Reset, Transmission::Reset),
            Ending::Stall(time) => (Outcome::Stalled, Transmission::Stall(time)),
            Ending::HalfStatusLine => {
                let half = b"HTTP/1.1 20".to_vec();
                entry.bytes_out = half.len() as u64;
                (Outcome::HalfAnswered, Transmission::AnswerThenClose(half))
            }
            Ending::Status { code, retry_after } => {
                let problem = Problem::new(code, self.protocol.code(code), "Injected by the test.");
                let mut response = self.protocol.problem(&problem);
                if let Some(seconds) = retry_after {
                    response = response.header("Retry-After", seconds.to_string());
                }
                return self.answer(response, entry, wire);
            }
        };
        entry.outcome = outcome;
        transmission
    }

    fn postpone(
        self: &Arc<Self>,
        state: &mut State,
        call: Call,
        mode: Mode,
        entry: &LogEntry,
        release: Release,
    ) {
        let seq = entry.request.seq;
        state.delayed.insert(seq, Pending { entry: entry.clone(), call, mode });
        if let Release::After(time) = release {
            let engine = Arc::downgrade(self);
            tokio::spawn(async move {
                pause(time).await;
                if let Some(engine) = engine.upgrade() {
                    let mut state = engine.state();
                    if let Some(pending) = state.delayed.remove(&seq) {
                        engine.land(&mut state, pending);
                    }
                }
            });
        }
    }

    /// Applies a delayed request and completes its entry, which clearing the
    /// log may have removed.
    fn land(&self, state: &mut State, pending: Pending) {
        let Pending { entry, call, mode } = pending;
        let mut entry = state.log.entry(entry.request.seq).cloned().unwrap_or(entry);
        self.deliver(state, &call, mode, &mut entry);
        state.log.record(entry);
    }
}

/// What the form of an answer depends on.
#[derive(Clone, Copy, Debug)]
struct Wire {
    seq: u64,
    head: bool,
    keep_alive: bool,
}

fn mode(switches: Switches, fault: Option<Fault>) -> Mode {
    Mode {
        ignore_conditions: switches.ignore_conditions || fault == Some(Fault::IgnoreConditions),
        reuse_version: switches.reuse_version || fault == Some(Fault::ReuseVersion),
        stale_read: fault == Some(Fault::StaleRead),
        stale_list: match fault {
            Some(Fault::StaleList(changes)) => changes,
            _ => 0,
        },
    }
}
