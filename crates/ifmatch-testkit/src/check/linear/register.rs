//! One register with compare-and-swap.

use std::fmt::Debug;
use std::hash::Hash;

use super::Model;

/// A register that is read, written and swapped as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Register<V> {
    /// Its value before the history.
    pub initial: V,
}

/// What is asked of a register.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RegisterOp<V> {
    /// Its value.
    Read,
    /// To hold this value.
    Write(V),
    /// To hold `new` if it holds `expected`.
    Cas {
        /// What it must hold.
        expected: V,
        /// What it then holds.
        new: V,
    },
}

/// What a register answers.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RegisterAnswer<V> {
    /// It holds this value.
    Value(V),
    /// It was written.
    Written,
    /// Whether it was swapped.
    Swapped(bool),
}

impl<V: Clone + Eq + Hash> Model for Register<V> {
    type State = V;
    type Op = RegisterOp<V>;
    type Answer = RegisterAnswer<V>;

    fn start(&self) -> V {
        self.initial.clone()
    }

    fn apply(&self, state: &V, op: &Self::Op, answer: Option<&Self::Answer>) -> Option<V> {
        let (after, told) = match op {
            RegisterOp::Read => (state, RegisterAnswer::Value(state.clone())),
            RegisterOp::Write(value) => (value, RegisterAnswer::Written),
            RegisterOp::Cas { expected, new } if expected == state => {
                (new, RegisterAnswer::Swapped(true))
            }
            RegisterOp::Cas { .. } => (state, RegisterAnswer::Swapped(false)),
        };
        answer.is_none_or(|answer| *answer == told).then(|| after.clone())
    }
}
