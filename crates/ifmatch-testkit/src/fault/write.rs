//! Faults of puts and deletes.

use std::sync::{Arc, Weak};

use ifmatch_core::{Attempt, Error, Precondition, Timestamp, Version};

use super::kind::FaultKind;
use super::shared::{Request, Shared};
use super::truth::{Delivery, Effect};

/// The answer to a write that was applied: a delete makes no version.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) version: Option<Version>,
    pub(super) date: Option<Timestamp>,
}

impl Shared {
    /// One attempt, through whatever happens to it.
    pub(super) async fn attempt(self: &Arc<Self>, request: Request) -> Attempt<Done> {
        let operation = request.operation();
        let drawn = self.draw(operation);
        let fault = match drawn {
            Some(FaultKind::FalseRejection) if !self.holds(&request).await => None,
            fault => fault,
        };
        if let Some(kind) = fault {
            self.hit(operation, kind);
        }
        let attempt = self.suffer(&request, fault).await;
        let outcome = match &attempt {
            Attempt::Applied(_) => "applied",
            Attempt::Rejected { .. } => "rejected",
            Attempt::Refused(_) => "refused",
            _ => "unknown",
        };
        let write = request.write();
        self.record(operation, &request.key, write, fault, outcome);
        attempt
    }

    async fn suffer(
        self: &Arc<Self>,
        request: &Request,
        fault: Option<FaultKind>,
    ) -> Attempt<Done> {
        let Some(kind) = fault else {
            return self.deliver(request, Delivery::First).await;
        };
        let error = || self.error(request.operation(), request.key.as_str(), kind);
        match kind {
            FaultKind::LostAnswer | FaultKind::ThrottledAfter | FaultKind::ServerErrorAfter => {
                self.deliver(request, Delivery::First).await;
                Attempt::Unknown(error())
            }
            FaultKind::Delayed => {
                self.send_late(request.clone());
                Attempt::Unknown(error())
            }
            FaultKind::Duplicated => {
                self.deliver(request, Delivery::First).await;
                self.deliver(request, Delivery::Second).await
            }
            FaultKind::DuplicatedLater => {
                self.send_late(request.clone());
                self.deliver(request, Delivery::First).await
            }
            FaultKind::FalseRejection => Attempt::Rejected { date: Some(self.env().wall_clock()) },
            FaultKind::Unreachable | FaultKind::Outage | FaultKind::Denied => {
                Attempt::Refused(error())
            }
            FaultKind::Latency => {
                self.linger().await;
                self.deliver(request, Delivery::First).await
            }
            // Lost, throttled, failed or contended before anything was done.
            _ => Attempt::Unknown(error()),
        }
    }

    /// Sends the request to the store and keeps what it did.
    async fn deliver(&self, request: &Request, delivery: Delivery) -> Attempt<Done> {
        let looks_back = self.state().looks_back();
        let before = if looks_back { self.current(&request.key).await } else { None };
        let Request { key, precondition, put } = request;
        let attempt = if let Some((body, write)) = put {
            let sent = self.inner.attempt_put(key, body.clone(), precondition, *write).await;
            convert(sent, |stored| Done { version: Some(stored.version), date: stored.date })
        } else {
            let sent = self.inner.attempt_delete(key, precondition).await;
            convert(sent, |deleted| Done { version: None, date: deleted.date })
        };
        if let Attempt::Applied(done) = &attempt {
            let mut state = self.state();
            if state.plan.keeps_log {
                state.truth.push(Effect {
                    key: key.clone(),
                    operation: request.operation(),
                    write: request.write(),
                    precondition: precondition.clone(),
                    version: done.version.clone(),
                    delivery,
                });
            }
            if looks_back {
                state.remember(key.clone(), before);
            }
        }
        attempt
    }

    async fn holds(&self, request: &Request) -> bool {
        let there = self.current(&request.key).await;
        match &request.precondition {
            Precondition::IfAbsent => there.is_none(),
            Precondition::IfMatch(version) => {
                there.is_some_and(|blob| blob.info.version == *version)
            }
            // Without a condition none can be said to have failed.
            _ => false,
        }
    }

    /// Puts the request under way: it arrives after the plan's delay, or when
    /// it is told to.
    pub(super) fn send_late(self: &Arc<Self>, request: Request) {
        let mut state = self.state();
        state.sent_late += 1;
        let number = state.sent_late;
        state.late.insert(number, request);
        let Some(delay) = state.plan.delay.clone() else { return };
        let pause = state.delay(&delay);
        let (env, shared): (_, Weak<Self>) = (self.env().clone(), Arc::downgrade(self));
        let courier = self.env().spawn("a late request", async move {
            env.sleep(pause).await;
            if let Some(shared) = shared.upgrade() {
                shared.deliver_late(number).await;
            }
        });
        state.couriers.push_back(courier);
    }

    /// Delivers a request that is still under way; whether it was.
    pub(super) async fn deliver_late(&self, number: u64) -> bool {
        let Some(request) = self.state().late.remove(&number) else {
            return false;
        };
        self.deliver(&request, Delivery::Late).await;
        true
    }
}

/// The same attempt with another answer.
pub(super) fn convert<A, B>(attempt: Attempt<A>, done: impl FnOnce(A) -> B) -> Attempt<B> {
    match attempt {
        Attempt::Applied(answer) => Attempt::Applied(done(answer)),
        Attempt::Rejected { date } => Attempt::Rejected { date },
        Attempt::Refused(error) => Attempt::Refused(error),
        Attempt::Unknown(error) => Attempt::Unknown(error),
        _ => Attempt::Unknown(Error::unsupported("an attempt that ended in a way unknown here")),
    }
}
