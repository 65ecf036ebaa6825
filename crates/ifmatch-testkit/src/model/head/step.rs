//! What happens between two states.

use std::fmt;

use super::chain::HeadAt;

/// An event. Heads are named by numbers, in the order in which the search met
/// them; transactions are sets of bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub(super) writer: usize,
    pub(super) what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Begins(u16),
    Sends { head: HeadAt, base: HeadAt, members: u16 },
    Fences { head: HeadAt, base: HeadAt },
    Stores(HeadAt),
    Checkpoints { head: HeadAt, base: HeadAt },
    DropsCheckpoint(HeadAt),
    Applied(HeadAt),
    Hears(HeadAt),
    HearsNothing(HeadAt),
    HearsRefusal(HeadAt),
    Reads { head: HeadAt, about: HeadAt, committed: bool },
    Looks(HeadAt),
    GivesUp(HeadAt),
    Resolves { head: HeadAt, about: HeadAt, committed: bool, again: bool },
    Refuses(u16),
    Restarts(HeadAt),
    RestartsWith(HeadAt),
    PutBack(HeadAt),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Applied(head) => return write!(f, "{head} arrives and is applied"),
            What::PutBack(head) => return write!(f, "an operator puts {head} back"),
            _ => write!(f, "{} ", ["A", "B"][self.writer])?,
        }
        let verdict = |committed| if committed { "committed" } else { "never" };
        match self.what {
            What::Begins(members) => write!(f, "is called for {members:06b}"),
            What::Sends { head, base, members } => {
                write!(f, "sends {head} = {members:06b} on {base}")
            }
            What::Fences { head, base } => write!(f, "sends {head} = nothing on {base}"),
            What::Stores(head) => write!(f, "stores a checkpoint of {head}"),
            What::Checkpoints { head, base } => write!(f, "sends {head} = checkpoint on {base}"),
            What::DropsCheckpoint(head) => write!(f, "drops its checkpoint of {head}"),
            What::Hears(head) => write!(f, "hears that {head} is applied"),
            What::HearsNothing(head) => write!(f, "hears nothing of {head}"),
            What::HearsRefusal(head) => write!(f, "hears that the condition of {head} failed"),
            What::Reads { head, about, committed } => {
                write!(f, "reads {head} about {about}: {}", verdict(committed))
            }
            What::Looks(head) => write!(f, "looks and reads {head}"),
            What::GivesUp(head) => write!(f, "gives up on {head}"),
            What::Resolves { head, about, committed, again } => {
                let then = if again { ", and its caller calls again" } else { "" };
                write!(f, "is asked about {about}, reads {head}: {}{then}", verdict(committed))
            }
            What::Refuses(members) => write!(f, "tells {members:06b} a conflict"),
            What::Restarts(head) => write!(f, "ends, starts again and reads {head}"),
            What::RestartsWith(head) => write!(f, "ends, starts again and sends {head}"),
            What::Applied(_) | What::PutBack(_) => Ok(()),
        }
    }
}
