//! What a history is of.

use std::hash::Hash;

use super::super::Moment;

/// The sequential behaviour that a history is held against.
pub trait Model {
    /// What the calls act on.
    type State: Clone + Eq + Hash;
    /// What is asked.
    type Op;
    /// What is answered.
    type Answer;

    /// The state before the history.
    fn start(&self) -> Self::State;

    /// The state after `op` on `state`, or `None` if it could not have been
    /// answered so. Where no answer is known, the state that `op` leaves with
    /// whatever answer it would get.
    fn apply(
        &self,
        state: &Self::State,
        op: &Self::Op,
        answer: Option<&Self::Answer>,
    ) -> Option<Self::State>;
}

/// One call of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call<Op, Answer> {
    /// When it was made.
    pub invoked: Moment,
    /// When it was answered, and what; `None` if it never was, or if the
    /// answer told nothing.
    pub returned: Option<(Moment, Answer)>,
    /// What was asked.
    pub op: Op,
}
