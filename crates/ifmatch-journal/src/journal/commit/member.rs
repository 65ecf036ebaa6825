//! One call to commit, on its way through the batches.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::error::{CommitError, Error};
use crate::id::CommitId;
use crate::machine::Machine;

/// A command that was committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed<Reply> {
    /// The commit that holds its entry; where nothing had to be written, the
    /// commit whose state gave the answer.
    pub commit: CommitId,
    /// The entry's place in the commit; `None` where nothing was written.
    pub ordinal: Option<u32>,
    /// What the machine says.
    pub reply: Reply,
}

/// What a caller hears.
pub(crate) type Answer<M> =
    Result<Committed<Option<<M as Machine>::Reply>>, CommitError<<M as Machine>::Rejection>>;

/// A call to commit. It rides in at most one body at a time, and in no further
/// one once its caller has left or was told that the outcome is unknown.
pub(crate) struct Member<M: Machine> {
    /// `None` is an empty commit, a fence.
    pub(crate) command: Option<M::Command>,
    place: Mutex<Place<M>>,
}

struct Place<M: Machine> {
    at: At,
    caller: Option<oneshot::Sender<Answer<M>>>,
}

/// Where a member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// In no body that could land.
    Waiting,
    /// In this body, whose outcome is open.
    Sent(CommitId, u32),
    /// Gone: answered, or its caller left.
    Left,
}

impl<M: Machine> Member<M> {
    pub(crate) fn new(command: Option<M::Command>) -> (Arc<Self>, oneshot::Receiver<Answer<M>>) {
        let (caller, answer) = oneshot::channel();
        let place = Mutex::new(Place { at: At::Waiting, caller: Some(caller) });
        (Arc::new(Self { command, place }), answer)
    }

    /// Whether it may still ride.
    pub(crate) fn is_live(&self) -> bool {
        self.place().at != At::Left
    }

    /// It rides in this body from now on; `false`: its caller has left.
    pub(crate) fn send(&self, commit: CommitId, ordinal: u32) -> bool {
        let mut place = self.place();
        if place.at == At::Left {
            return false;
        }
        place.at = At::Sent(commit, ordinal);
        true
    }

    /// Its body can never land: it may ride in another.
    pub(crate) fn unsend(&self) {
        let mut place = self.place();
        if place.at != At::Left {
            place.at = At::Waiting;
        }
    }

    /// Its caller hears this, if it is still there.
    pub(crate) fn answer(&self, answer: Answer<M>) {
        let mut place = self.place();
        place.at = At::Left;
        if let Some(caller) = place.caller.take() {
            // An error says that the caller has left meanwhile.
            let _ = caller.send(answer);
        }
    }

    /// The caller leaves; where the member was.
    pub(crate) fn leave(&self) -> At {
        let mut place = self.place();
        place.caller = None;
        std::mem::replace(&mut place.at, At::Left)
    }

    fn place(&self) -> MutexGuard<'_, Place<M>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the member out of every further batch when the caller is dropped.
pub(crate) struct Leaving<'a, M: Machine> {
    pub(crate) member: &'a Member<M>,
    /// Whoever waits for this caller alone need not wait any longer.
    pub(crate) left: &'a Notify,
}

impl<M: Machine> Drop for Leaving<'_, M> {
    fn drop(&mut self) {
        self.member.leave();
        self.left.notify_one();
    }
}

/// An answer without a reply, to a command that wants one: not reachable, for
/// only fences are answered so.
pub(crate) fn with_reply<M: Machine>(
    answer: Answer<M>,
) -> Result<Committed<M::Reply>, CommitError<M::Rejection>> {
    let Committed { commit, ordinal, reply } = answer?;
    let reply = reply.ok_or_else(|| {
        CommitError::Failed(Error::corrupt("journal", "a command was answered without a reply"))
    })?;
    Ok(Committed { commit, ordinal, reply })
}
