//! The order of everything that happens in a run, its hash and its text.

use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ifmatch_core::Env;

use super::dice::{fold, hash};
use crate::check::Moment;

/// What happened, by whom: number 0 is the run itself, the clients follow.
#[derive(Debug)]
pub(super) struct Scribe {
    env: Env,
    pages: Mutex<Pages>,
}

#[derive(Debug)]
struct Pages {
    order: u64,
    hash: u64,
    text: Option<Vec<String>>,
}

impl Scribe {
    /// With the text of every event, if it is `traced`.
    pub(super) fn new(env: Env, traced: bool) -> Self {
        let text = traced.then(Vec::new);
        Self { env, pages: Mutex::new(Pages { order: 0, hash: 0, text }) }
    }

    /// This moment, which no other event shares.
    pub(super) fn moment(&self) -> Moment {
        let time = u64::try_from(self.env.now().as_micros()).unwrap_or(u64::MAX);
        let mut pages = self.pages();
        pages.order += 1;
        Moment::new(time, pages.order)
    }

    /// Notes an event: what, about which thing, with what result.
    pub(super) fn note(&self, client: u64, what: &'static str, about: u64, result: u64) -> Moment {
        let moment = self.moment();
        let mut pages = self.pages();
        let before = fold(fold(pages.hash, moment.time), client << 32 ^ about);
        pages.hash = hash(fold(before, result), what.as_bytes());
        if let Some(text) = &mut pages.text {
            let (seconds, micros) = (moment.time / 1_000_000, moment.time % 1_000_000);
            let mut line = format!("{seconds:>6}.{micros:06} ");
            // Writing into a string does not fail.
            let _ = match client {
                0 => write!(line, "           {what} {about} -> {result}"),
                _ => write!(line, "client {client:>2}  {what} {about} -> {result}"),
            };
            text.push(line);
        }
        moment
    }

    /// A line of text that only a reader wants.
    pub(super) fn remark(&self, line: impl FnOnce() -> String) {
        if let Some(text) = &mut self.pages().text {
            text.push(format!("{:>14}{}", "", line()));
        }
    }

    pub(super) fn hash(&self) -> u64 {
        self.pages().hash
    }

    pub(super) fn take_text(&self) -> Vec<String> {
        self.pages().text.take().unwrap_or_default()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
