//! The clock of the tasks: the only module here that reads time or sleeps.

#![allow(
    clippy::disallowed_methods,
    reason = "tasks drive real processes; the library's Env, which tests pause, has no part in them"
)]

use std::time::{Duration, Instant};

/// The time now, for measuring and for deadlines.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The date of a request as HTTP writes it (RFC 9110 5.6.7).
pub(crate) fn http_date() -> String {
    jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Blocks the thread.
pub(crate) fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Asks every 10 ms until the answer is yes; `false` when `limit` passed first.
pub(crate) fn poll(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = now() + limit;
    loop {
        if done() {
            return true;
        }
        if now() >= end {
            return false;
        }
        sleep(Duration::from_millis(10));
    }
}
