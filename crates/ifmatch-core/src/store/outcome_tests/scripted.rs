//! A store of one object that does what a director tells it.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};

use super::world::{Request, World};
use crate::capabilities::{Capabilities, Reach};
use crate::env::{Background, BoxFuture, Env, Environment};
use crate::error::{Error, Operation, Reason, Result};
use crate::key::{BlobKey, BlobPrefix};
use crate::precondition::Precondition;
use crate::probe::ProbeGate;
use crate::store::{
    Attempt, BlobInfo, ConditionalBlobStore, Deleted, Endpoint, Fetched, GetOptions, RetryPolicy,
    Stored,
};
use crate::timestamp::Timestamp;
use crate::write_id::WriteId;

/// What the network and the store do to one request of ours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Fate {
    /// It arrives once and so does its answer.
    Deliver,
    /// It arrives, its answer does not.
    LoseAnswer,
    /// It does not arrive.
    LoseRequest,
    /// It is under way and unanswered.
    Delay,
    /// It arrives twice; the second answer reaches us.
    Twice,
    /// It is answered, and a copy of it is under way.
    TwiceLater,
    /// The store says that the condition failed, and looked at nothing.
    FalseRejection,
    /// The same, because a twin of the request is under way.
    RejectedForTwin,
    /// The connection is refused.
    Unreachable,
    /// The store refuses our credentials.
    Denied,
}

/// What a head sees.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Look {
    Fresh,
    /// What was there at the start.
    Stale,
    Unavailable,
    Denied,
}

/// Decides what happens next; may let others act on the world before.
pub(super) trait Director: Send {
    fn fate(&mut self, world: &mut World) -> Fate;
    /// Between two deliveries of one request.
    fn between(&mut self, _world: &mut World) {}
    fn look(&mut self, world: &mut World) -> Look;
}

/// What we saw of the store, which is all that a verdict may rest on.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    Applied,
    Rejected,
    Lost,
    Refused(Fate),
    Object(Option<BlobInfo>),
    NoLook(Look),
}

pub(super) struct Scripted<D> {
    pub(super) state: Mutex<(World, D)>,
    pub(super) seen: Mutex<Vec<Seen>>,
    policy: RetryPolicy,
    capabilities: Capabilities,
    env: Env,
}

impl<D: Director> Scripted<D> {
    pub(super) fn new(world: World, director: D, policy: RetryPolicy) -> Self {
        let mut capabilities = Capabilities::full(Reach::Process);
        capabilities.versions = world.versions;
        let env = Env::new(Hasty::default());
        let (state, seen) = (Mutex::new((world, director)), Mutex::default());
        Self { state, seen, policy, capabilities, env }
    }

    fn attempt(&self, request: Request) -> Attempt<Stored> {
        let mut state = self.state.lock().unwrap();
        let (world, director) = &mut *state;
        let fate = director.fate(world);
        let answer = match fate {
            Fate::Deliver => world.deliver(&request),
            Fate::Twice => {
                world.doubled = true;
                world.deliver(&request);
                director.between(world);
                world.deliver(&request)
            }
            Fate::TwiceLater => {
                world.doubled = true;
                world.under_way.push(request.clone());
                world.deliver(&request)
            }
            Fate::FalseRejection => None,
            Fate::RejectedForTwin => {
                world.doubled = true;
                world.under_way.push(request);
                None
            }
            Fate::LoseAnswer | Fate::LoseRequest | Fate::Delay => {
                match fate {
                    Fate::LoseAnswer => drop(world.deliver(&request)),
                    Fate::Delay => world.under_way.push(request),
                    _ => {}
                }
                self.see(Seen::Lost);
                return Attempt::Unknown(unavailable(Operation::Put));
            }
            Fate::Unreachable | Fate::Denied => {
                self.see(Seen::Refused(fate));
                return Attempt::Refused(match fate {
                    Fate::Denied => denied(Operation::Put),
                    _ => unavailable(Operation::Put),
                });
            }
        };
        if let Some(stored) = answer {
            self.see(Seen::Applied);
            Attempt::Applied(stored)
        } else {
            self.see(Seen::Rejected);
            Attempt::Rejected { date: None }
        }
    }

    fn see(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
    }
}

fn unavailable(operation: Operation) -> Error {
    Error::unavailable(operation, "k", Reason::new("scripted"))
}

fn denied(operation: Operation) -> Error {
    Error::Denied { operation, subject: "k".into(), source: Reason::source("scripted") }
}

#[async_trait]
impl<D: Director> ConditionalBlobStore for Scripted<D> {
    async fn get(&self, _: &BlobKey, _: GetOptions) -> Result<Fetched> {
        Err(Error::unsupported("get"))
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let mut state = self.state.lock().unwrap();
        let (world, director) = &mut *state;
        let look = director.look(world);
        let found = match look {
            Look::Fresh => world.info(key),
            Look::Stale => {
                world.stale = true;
                world.first.as_ref().map(|object| object.info(key))
            }
            Look::Unavailable | Look::Denied => {
                self.see(Seen::NoLook(look));
                return Err(match look {
                    Look::Denied => denied(Operation::Head),
                    _ => unavailable(Operation::Head),
                });
            }
        };
        self.see(Seen::Object(found.clone()));
        Ok(found)
    }

    async fn attempt_put(
        &self,
        _: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        self.attempt(Request::Put(body, precondition.clone(), write))
    }

    async fn attempt_delete(&self, _: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        match self.attempt(Request::Delete(precondition.clone())) {
            Attempt::Applied(_) => Attempt::Applied(Deleted { date: None }),
            Attempt::Rejected { date } => Attempt::Rejected { date },
            Attempt::Refused(error) => Attempt::Refused(error),
            Attempt::Unknown(error) => Attempt::Unknown(error),
        }
    }

    fn list(&self, _: &BlobPrefix, _: Option<&BlobKey>) -> BoxStream<'_, Result<BlobInfo>> {
        futures::stream::empty().boxed()
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new("scripted")
    }

    fn env(&self) -> &Env {
        &self.env
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.policy
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        None
    }
}

impl<D> fmt::Display for Scripted<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

impl<D> fmt::Debug for Scripted<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An environment in which a sleep is over at once and only sleeps take time.
#[derive(Debug, Default)]
struct Hasty {
    nanos: AtomicU64,
    drawn: AtomicU64,
}

impl Environment for Hasty {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    fn wall_clock(&self) -> Timestamp {
        Timestamp::from_micros(0).plus(self.now())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(u8::try_from(self.drawn.fetch_add(1, Ordering::Relaxed) % 256).unwrap());
    }

    fn spawn(&self, name: &'static str, _: BoxFuture) -> Background {
        panic!("the outcome rule starts no task, not even {name}")
    }
}
