//! An atomic register behind an unreliable network: every history it makes is
//! linearizable, and every answer true.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use fastrand::Rng;
use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::chain::{Answer, Call, Commit, History, Told};
use ifmatch_testkit::check::linear::RegisterOp;

use super::register::Recorded;

/// What is simulated.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) clients: u64,
    pub(crate) calls: usize,
    /// Swaps only, each to a value of its own; otherwise writes too, all of
    /// four values.
    pub(crate) unique: bool,
    /// With a read by another client after everything had ended.
    pub(crate) last_read: bool,
}

/// Runs `plan` by the dice of `rng`.
pub(crate) fn simulate(plan: Plan, rng: &mut Rng) -> Recorded {
    let mut run = Run {
        plan,
        rng,
        queue: BinaryHeap::new(),
        queued: 0,
        order: 0,
        recorded: Recorded {
            history: History { chain: Vec::new(), calls: Vec::new() },
            writes: BTreeMap::new(),
            values: vec![0],
        },
        seen: BTreeMap::new(),
    };
    for client in 0..plan.clients {
        run.later(0, 5, Event::Invoke(client));
    }
    let mut last = 0;
    while let Some(Reverse((time, _, event))) = run.queue.pop() {
        run.order += 1;
        last = time;
        run.happen(time, event);
    }
    if plan.last_read {
        let (invoked, returned) = (Moment::new(last + 1, 0), Some(Moment::new(last + 2, 0)));
        let answer = run.read();
        run.recorded.history.calls.push(Call { client: u64::MAX, invoked, returned, answer });
    }
    // What never returned is unknown to its client, whatever became of it.
    for call in run.recorded.history.calls.iter_mut().filter(|call| call.returned.is_none()) {
        if let Answer::Commit { told, .. } = &mut call.answer {
            *told = Told::Unknown;
        }
    }
    run.recorded
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Invoke(u64),
    /// A call takes effect.
    Apply(usize),
    /// Its client is answered, truly or that nothing is known.
    Return(usize, bool),
}

struct Run<'a> {
    plan: Plan,
    rng: &'a mut Rng,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    queued: u64,
    order: u64,
    recorded: Recorded,
    /// The value that each client saw last.
    seen: BTreeMap<u64, u64>,
}

impl Run<'_> {
    fn later(&mut self, now: u64, within: u64, event: Event) -> u64 {
        let time = now + self.rng.u64(0..within);
        self.queued += 1;
        self.queue.push(Reverse((time, self.queued, event)));
        time
    }

    fn happen(&mut self, time: u64, event: Event) {
        match event {
            Event::Invoke(client) => self.invoke(time, client),
            Event::Apply(call) => self.apply(call),
            Event::Return(call, answered) => {
                let order = self.order;
                let recorded = &mut self.recorded.history.calls[call];
                recorded.returned = Some(Moment::new(time, order));
                match &mut recorded.answer {
                    Answer::Commit { told, .. } if !answered => *told = Told::Unknown,
                    Answer::Read { digest, .. } => {
                        self.seen.insert(recorded.client, digest.unwrap());
                    }
                    _ => {}
                }
                let client = recorded.client;
                self.later(time, 5, Event::Invoke(client));
            }
        }
    }

    fn invoke(&mut self, time: u64, client: u64) {
        let call = self.recorded.history.calls.len();
        if call >= self.plan.calls {
            return;
        }
        let reads = self.rng.u32(0..100) < 40;
        let answer = if reads { self.read() } else { self.write(client) };
        let invoked = Moment::new(time, self.order);
        self.recorded.history.calls.push(Call { client, invoked, returned: None, answer });
        match self.rng.u32(0..100) {
            // Not reads: one that fails is not recorded.
            dice if reads || dice < 70 => {
                let applied = self.later(time, 6, Event::Apply(call));
                self.later(applied, 4, Event::Return(call, true));
            }
            70..78 => {
                let applied = self.later(time, 6, Event::Apply(call));
                self.later(applied, 4, Event::Return(call, false));
            }
            78..84 => _ = self.later(time, 6, Event::Return(call, false)),
            84..88 => {
                self.tell(call, Told::Never);
                self.later(time, 6, Event::Return(call, true));
            }
            88..95 => {
                let gave_up = self.later(time, 6, Event::Return(call, false));
                self.later(gave_up, 30, Event::Apply(call));
            }
            // Never answered: the client ends, and another one begins.
            dice => {
                if dice < 98 {
                    self.later(time, 20, Event::Apply(call));
                }
                self.later(time, 20, Event::Invoke(client + self.plan.clients));
            }
        }
    }

    fn write(&mut self, client: u64) -> Answer<u64> {
        let operation = u64::try_from(self.recorded.writes.len() + 1).unwrap();
        let now = self.recorded.values.last().copied().unwrap();
        let new = if self.plan.unique { operation } else { self.rng.u64(0..4) };
        let expected = match self.rng.u32(0..10) {
            0..4 => self.seen.get(&client).copied().unwrap_or_default(),
            4..9 => now,
            _ => self.rng.u64(0..operation),
        };
        let swap = self.plan.unique || self.rng.bool();
        let op = if swap { RegisterOp::Cas { expected, new } } else { RegisterOp::Write(new) };
        self.recorded.writes.insert(operation, op);
        Answer::Commit { operation, told: Told::Unknown }
    }

    fn read(&self) -> Answer<u64> {
        let digest = self.recorded.values.last().copied();
        let seq = u64::try_from(self.recorded.values.len() - 1).unwrap();
        Answer::Read { seq, digest, may_be_stale: false }
    }

    fn apply(&mut self, call: usize) {
        let Answer::Commit { operation, .. } = self.recorded.history.calls[call].answer else {
            self.recorded.history.calls[call].answer = self.read();
            return;
        };
        let now = self.recorded.values.last().copied().unwrap();
        let new = match self.recorded.writes[&operation] {
            RegisterOp::Write(new) => Some(new),
            RegisterOp::Cas { expected, new } => (expected == now).then_some(new),
            _ => None,
        };
        let Some(new) = new else { return self.tell(call, Told::Rejected) };
        let seq = u64::try_from(self.recorded.values.len()).unwrap();
        self.recorded.values.push(new);
        self.recorded.history.chain.push(Commit::new(seq, seq - 1, vec![operation]));
        self.tell(call, Told::Committed { seq, ordinal: 0 });
    }

    /// Notes what an answer would say; a client that was answered before knows
    /// nothing of it.
    fn tell(&mut self, call: usize, verdict: Told) {
        let recorded = &mut self.recorded.history.calls[call];
        if recorded.returned.is_none()
            && let Answer::Commit { told, .. } = &mut recorded.answer
        {
            *told = verdict;
        }
    }
}
