//! Dropping a future wherever it can be dropped.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// What passes between two polls. Everybody else has a turn meanwhile.
const STEP: Duration = Duration::from_micros(100);
/// No call here needs so many.
const MOST: usize = 5_000;

/// Polls `work` so often, whether it asked for it or not, and drops it. `None`
/// where it was dropped.
pub(crate) async fn dropped_after<F: Future>(polls: usize, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    for _ in 0..polls {
        let polled = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::time::advance(STEP).await;
    }
    None
}

/// Runs a case for a drop after 0 polls, after 1, and so on, until it says that
/// its call came to its end.
pub(crate) async fn at_every_poll<F: Future<Output = bool>>(case: impl Fn(usize) -> F) {
    for polls in 0..MOST {
        if case(polls).await {
            assert!(polls > 1, "the call waits now and then");
            println!("dropped at {polls} places");
            return;
        }
    }
    panic!("the call never ends");
}
