//! Opening a journal, and creating it where there is none.

use std::sync::{Arc, Mutex};

use ifmatch_core::{ConditionalBlobStore, Env, Retry};

use super::backoff::Backoff;
use super::engine::{Engine, Found, Notes, Seen as Look};
use super::objects::{Objects, within};
use super::options::{Options, Place, Seen};
use super::stats::Stats;
use super::{Journal, Tasks};
use crate::error::{Error, Replaced, Result};
use crate::head::{Head, Next};
use crate::id::{ForkId, JournalId, Nonce, WriterId};
use crate::journal::commit::committer;
use crate::journal::commit::passage::Passage;
use crate::journal::commit::queue::Queue;
use crate::journal::read::adopt::rewound;
use crate::journal::read::look;
use crate::journal::read::look::Looks;
use crate::journal::read::session::{Base, Moment, Session};
use crate::machine::Machine;
use crate::marker::Marker;
use crate::record::Entries;
use crate::register::{HeadRegister, Reading, Register, Swap};

impl<M: Machine> Journal<M> {
    /// Opens the only journal under the store's root.
    ///
    /// # Errors
    /// - `NotFound` where there is none and [`Options::create`] is not set.
    /// - `Invalid` where something of another kind lies here.
    /// - `RemoteRewound`, `RemoteReplaced` where the journal lacks what
    ///   [`Options::seen`] names.
    /// - `Unsupported` for a head of a newer format, or a store that does not
    ///   keep its conditions; `Corrupt` for what does not verify.
    ///
    /// # Cancellation
    /// An empty journal may have been created.
    ///
    /// # Cost
    /// The head, then everything it names in parallel: the parts of its
    /// checkpoint and at most about 8 segments. Creating: the marker, the probe
    /// of a store that is new to it, one write.
    pub async fn open(
        store: Arc<dyn ConditionalBlobStore>,
        machine: M,
        options: Options,
    ) -> Result<Self> {
        Self::open_at(store, Place::single()?, machine, options).await
    }

    /// Opens the journal at a place below the store's root.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    ///
    /// # Cost
    /// As [`open`](Self::open).
    pub async fn open_at(
        store: Arc<dyn ConditionalBlobStore>,
        place: Place,
        machine: M,
        options: Options,
    ) -> Result<Self> {
        let (kind, head) = (machine.kind(), place.head.clone());
        if let Some(found) = Self::find_at(Arc::clone(&store), place, machine, options).await? {
            return Ok(found);
        }
        // Somebody else's prefix is a clearer answer than "nothing".
        Marker::find(store.as_ref(), kind).await?;
        Err(Error::missing(format!("the journal {head} in {store}")))
    }

    /// The same, but `None` where there is no journal and [`Options::create`] is
    /// not set.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for the journal's own absence.
    ///
    /// # Cost
    /// As [`open`](Self::open); one request where there is none.
    pub async fn find_at(
        store: Arc<dyn ConditionalBlobStore>,
        place: Place,
        machine: M,
        options: Options,
    ) -> Result<Option<Self>> {
        let env = options.env.clone().unwrap_or_else(|| store.env().clone());
        let what: Arc<str> = format!("{} in {store}", place.head).into();
        let opening = Opening {
            register: Box::new(HeadRegister::new(Arc::clone(&store), place.head.clone())),
            store,
            kind: machine.kind(),
            what,
            env,
            options,
        };
        let name = opening.kind.as_str();
        if name.is_empty() || name.len() > MAX_KIND {
            return Err(Error::invalid(format!("the kind {name:?} has not 1 to {MAX_KIND} bytes")));
        }
        let looked = Moment::now(&opening.env);
        let Some(found) = Box::pin(opening.head()).await? else { return Ok(None) };
        opening.check(&found.head)?;
        opening.engine(place, machine, found, looked).await.map(Some)
    }
}

/// Most bytes of a kind's name.
const MAX_KIND: usize = 64;

/// A journal on its way to being open.
struct Opening {
    store: Arc<dyn ConditionalBlobStore>,
    register: Box<dyn Register>,
    kind: crate::marker::Kind,
    what: Arc<str>,
    env: Env,
    options: Options,
}

impl Opening {
    /// The head that is there, or a new one; `None` where there is none and none
    /// is to be made.
    async fn head(&self) -> Result<Option<Found>> {
        let mut backoff = Backoff::start(&self.env, self.options.retry);
        let mut first: Option<(Head, bytes::Bytes)> = None;
        let mut looked_again = false;
        loop {
            let read =
                within(&self.env, self.options.request_timeout, self.register.read(None)).await;
            let late = || Err(self.unavailable("the store did not answer in time"));
            let error = match read.unwrap_or_else(late) {
                Ok(Reading::Found { body, token, written, .. }) => match Head::decode(&body) {
                    Ok(head) => return Ok(Some(Found { head, bytes: body, token, written })),
                    Err(error) if error.kind() == "unsupported" => return Err(error),
                    Err(error) => error,
                },
                Ok(_) if self.options.seen.is_some() => {
                    Error::RemoteGone { what: Arc::clone(&self.what), pending: None }
                }
                Ok(_) if !self.options.create => return Ok(None),
                Ok(_) => match self.create(&mut first).await {
                    Ok(Some(found)) => return Ok(Some(found)),
                    // Somebody's head is there, though it may not show yet.
                    Ok(None) if !looked_again => {
                        looked_again = true;
                        continue;
                    }
                    Ok(None) => self.unavailable("a head is there that does not show"),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let passes = match &error {
                Error::Store(store) => {
                    matches!(store.retry(), Retry::Same | Retry::Verify)
                        || store.kind() == "corrupt"
                }
                Error::RemoteGone { .. } => true,
                _ => false,
            };
            if !passes {
                return Err(error);
            }
            backoff.pause_after(error).await?;
        }
    }

    /// Sends the first head, the same each time: it lands at most once. `None`:
    /// read what is there now.
    async fn create(&self, first: &mut Option<(Head, bytes::Bytes)>) -> Result<Option<Found>> {
        let (head, bytes) = if let Some(first) = first {
            first.clone()
        } else {
            let journal = JournalId::random(&self.env);
            // A probe is a large future.
            let marker = Box::pin(Marker::ensure(self.store.as_ref(), self.kind, journal));
            let answer = within(&self.env, self.options.retry.deadline, marker).await;
            answer.unwrap_or_else(|| Err(self.unavailable("the store did not answer in time")))?;
            let next = Next {
                nonce: Nonce::random(&self.env),
                writer: self.options.writer.unwrap_or(WriterId::random(&self.env)),
                entries: Entries::default(),
                base_time: None,
            };
            let fork = ForkId::random(&self.env);
            let head = Head::first(self.kind.as_str(), journal, fork, next);
            let bytes = head.encode();
            first.insert((head, bytes)).clone()
        };
        let create = self.register.create(bytes.clone());
        let Some(swap) = within(&self.env, self.options.request_timeout, create).await else {
            return Err(self.unavailable("the store did not answer in time"));
        };
        match swap {
            Swap::Applied { token, date } => Ok(Some(Found { head, bytes, token, written: date })),
            Swap::Rejected { .. } => Ok(None),
            Swap::Refused(error) => Err(error.into()),
            Swap::Unknown(error) => Err(self.unavailable(error.to_string())),
        }
    }

    fn unavailable(&self, why: impl Into<Arc<str>>) -> Error {
        let (what, why) = (Arc::clone(&self.what), ifmatch_core::Reason::new(why));
        Error::Store(ifmatch_core::Error::unavailable(ifmatch_core::Operation::Put, what, why))
    }

    /// The head is of the right kind and contains what was seen before, as far
    /// as it tells itself.
    fn check(&self, head: &Head) -> Result<()> {
        if head.kind != self.kind.as_str() {
            return Err(Error::invalid(format!(
                "{} is no journal of {} but of {:?}: choose another prefix",
                self.what,
                self.kind.as_str(),
                head.kind
            )));
        }
        let Some(Seen { commit, fork }) = self.options.seen else { return Ok(()) };
        if commit.journal != head.journal || fork != head.fork {
            return Err(Error::RemoteReplaced(Box::new(Replaced {
                what: Arc::clone(&self.what),
                mine: commit.journal,
                theirs: head.journal,
                pending: None,
            })));
        }
        if head.seq < commit.seq || head.says(commit) == Some(false) {
            return Err(rewound(commit, head));
        }
        Ok(())
    }

    async fn engine<M: Machine>(
        self,
        place: Place,
        machine: M,
        found: Found,
        looked: Moment,
    ) -> Result<Journal<M>> {
        let stats = Arc::new(Stats::default());
        let Self { store, register, what, env, options, .. } = self;
        let objects = Objects {
            store,
            folder: place.objects,
            env: env.clone(),
            retry: options.retry,
            timeout: options.request_timeout,
            stats: Arc::clone(&stats),
            nodes: Mutex::default(),
        };
        let writer = options.writer.unwrap_or_else(|| WriterId::random(&env));
        let seen = options.seen;
        let Found { head, bytes, token, written } = found;
        let base = Base { head, bytes, token, state: machine.empty(), written };
        let engine = Engine {
            session: Session::new(base, looked),
            machine,
            register,
            objects,
            env,
            options,
            writer,
            what,
            queue: Queue::new(),
            looks: Looks::new(),
            passage: Passage::default(),
            left: tokio::sync::Notify::new(),
            ended: tokio::sync::watch::Sender::new(false),
            stats,
            notes: Mutex::new(Notes::default()),
        };
        Box::pin(engine.begin(seen)).await?;
        let engine = Arc::new(engine);
        let run = committer::run(Arc::clone(&engine));
        let committer = engine.env.spawn("committer of a journal", run);
        let run = look::run(Arc::clone(&engine));
        let reader = engine.env.spawn("reader of a journal", run);
        let tasks = Arc::new(Tasks { _reader: reader, _committer: committer });
        Ok(Journal { engine, tasks })
    }
}

impl<M: Machine> Engine<M> {
    /// Loads the state of the head that was found.
    async fn begin(&self, seen: Option<Seen>) -> Result<()> {
        let base = self.session.base();
        if let Some(Seen { commit, .. }) = seen
            && base.head.says(commit).is_none()
            && let Some(record) = self.record(&base.head, commit.seq).await?
            && record.nonce != commit.nonce
        {
            return Err(rewound(commit, &base.head));
        }
        let mut backoff = Backoff::start(&self.env, self.options.retry);
        let mut found = Found {
            head: base.head.clone(),
            bytes: base.bytes.clone(),
            token: base.token.clone(),
            written: base.written,
        };
        loop {
            match self.load(&found.head).await {
                Ok(state) => {
                    let Found { head, bytes, token, written } = found;
                    self.session.begin(Base { head, bytes, token, state, written });
                    return Ok(());
                }
                // Another writer's maintenance may have made the head old.
                Err(error) if matches!(error.kind(), "not_found" | "corrupt") => {
                    let newest = self.look(None).await;
                    match newest {
                        Ok(Look::Found(newest)) if newest.head.seq > found.head.seq => {
                            found = *newest;
                        }
                        _ => backoff.pause_after(error).await?,
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}
