//! Calls that are dropped before they are answered.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use ifmatch_core::Env;

/// How long a call is waited for.
#[derive(Debug)]
pub(super) enum Patience {
    Endless,
    /// Until it has been polled so often.
    Polls(u64),
    Time(Env, Duration),
}

impl Patience {
    /// The call's answer, or nothing where it was dropped.
    pub(super) async fn bear<T>(self, call: impl Future<Output = T>) -> Option<T> {
        let call = pin!(call);
        match self {
            Self::Endless => Some(call.await),
            Self::Polls(left) => Polls { call, left }.await,
            Self::Time(env, time) => {
                tokio::select! {
                    biased;
                    answer = call => Some(answer),
                    () = env.sleep(time) => None,
                }
            }
        }
    }
}

struct Polls<'a, F> {
    call: Pin<&'a mut F>,
    left: u64,
}

impl<F: Future> Future for Polls<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = self.call.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { Poll::Ready(None) } else { Poll::Pending }
    }
}
