//! One write that meets a fault.

use std::sync::Arc;

use ifmatch::{
    BlobKey, ConditionalBlobStore, Env, Error, Precondition, Stored, Version, WriteId, WriteRecord,
    put_resolved,
};

use super::script::Script;
use super::{Action, Shape, Stores};
use crate::fixture::key;
use crate::foreign::Foreign;
use crate::interposed::{Interposed, Moment};

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) shape: Shape,
    pub(super) action: Action,
    pub(super) foreign: Option<(Moment, Foreign)>,
    pub(super) number: usize,
    pub(super) conditional_delete: bool,
}

/// What happened, as the client was told.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) round: Round,
    pub(super) key: BlobKey,
    pub(super) write: WriteId,
    pub(super) precondition: Precondition,
    /// `None` stands for a delete's success, which has no version.
    pub(super) answer: Result<Option<Version>, Error>,
}

impl Round {
    fn key(&self) -> BlobKey {
        key(&format!("{}/{:?}/{}", self.action.name(), self.shape, self.number))
    }

    pub(super) async fn play(&self, stores: &Stores, script: &Script) -> Played {
        let key = self.key();
        let precondition = self.prepare(stores, &key).await;
        script.arm(&key, self.shape.fault(self.number), self.shape == Shape::ConflictForEver);
        let act = {
            let foreign = self.foreign.map(|(_, foreign)| foreign);
            let (key, script) = (key.clone(), script.clone());
            let others = Arc::clone(&stores.others);
            async move {
                if let Some(foreign) = foreign {
                    script.suspend(&key, true);
                    foreign.act(&*others, &key).await;
                    script.suspend(&key, false);
                }
            }
        };
        let moment = self.foreign.map_or(Moment::BeforeReadBack, |(moment, _)| moment);
        let store = Interposed::new(Arc::clone(stores.writer(self.shape)), moment, act);
        let write = WriteId::random(&Env::real());
        let answer = match self.action {
            Action::Create | Action::Update => {
                let body = format!("{key} by {write}").into();
                put_resolved(&store, &key, body, precondition.clone(), Some(write))
                    .await
                    .map(|Stored { version, .. }| Some(version))
            }
            Action::Delete => store.delete(&key, precondition.clone()).await.map(|()| None),
        };
        script.disarm(&key);
        Played { round: *self, key, write, precondition, answer }
    }

    /// Writes what an update and a delete need, and gives the precondition.
    async fn prepare(&self, stores: &Stores, key: &BlobKey) -> Precondition {
        if self.action == Action::Create {
            return Precondition::IfAbsent;
        }
        let body = format!("{key} before").into();
        let base = stores.others.put(key, body, Precondition::IfAbsent).await.unwrap();
        match self.action {
            Action::Delete if !self.conditional_delete => Precondition::Overwrite,
            _ => Precondition::IfMatch(base.version),
        }
    }
}

impl Played {
    /// Whether the object that is there now says what became of the write.
    pub(super) fn is_told_by(
        &self,
        there: Option<&WriteRecord>,
        version: Option<&Version>,
    ) -> bool {
        let (Some(record), Some(version)) = (there, version) else { return false };
        let base = record.base.as_ref().map(ifmatch::Base::to_token);
        let expected = ifmatch::Base::of(&self.precondition).to_token();
        let mine = self.action_is_put() && record.id == self.write;
        let on_mine = base.as_ref().is_some_and(|base| base.ends_with(&format!("#{}", self.write)));
        let untouched = Precondition::IfMatch(version.clone()) == self.precondition;
        mine || on_mine || untouched || base == Some(expected)
    }

    fn action_is_put(&self) -> bool {
        self.round.action != Action::Delete
    }
}
