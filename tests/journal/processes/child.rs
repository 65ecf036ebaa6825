//! The child: adds, writes down what it hears, and is killed at any moment.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use ifmatch::{Env, RetryPolicy};
use ifmatch_journal::{
    CommitError, CommitId, Error, Freshness, Journal, Options, Resolution, WriterId,
};

use super::diary::{Diaries, Diary, Known};
use crate::tally::{Addition, Tally};

/// What a child is told, in its environment.
pub(crate) const CHILD: &str = "IFMATCH_TEST_JOURNAL_CHILD";
pub(crate) const URL: &str = "IFMATCH_TEST_JOURNAL_URL";
pub(crate) const FOLDER: &str = "IFMATCH_TEST_JOURNAL_FOLDER";
pub(crate) const TAIL: &str = "IFMATCH_TEST_JOURNAL_TAIL";
/// The shortest deadline of a call, in milliseconds.
pub(crate) const PACE: &str = "IFMATCH_TEST_JOURNAL_PACE";

struct Child {
    number: u32,
    journal: Journal<Tally>,
    diary: Diary,
    env: Env,
    next: AtomicU64,
    stop: PathBuf,
}

pub(crate) fn path_of(folder: &Path, child: u32) -> PathBuf {
    folder.join(format!("child-{child}"))
}

pub(crate) fn stop_file(folder: &Path) -> PathBuf {
    folder.join("stop")
}

/// The writer's id of a child, the same in all its processes.
pub(crate) fn writer(child: u32) -> WriterId {
    format!("{:016x}", u64::from(child) + 1).parse().unwrap()
}

/// Runs until it is told to stop, or killed.
pub(crate) fn run() {
    std::thread::spawn(|| {
        // The parent is gone: nobody would stop this process any more.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let (number, folder) = (text(CHILD).parse().unwrap(), PathBuf::from(text(FOLDER)));
    let (tail, pace) = (text(TAIL).parse().unwrap(), text(PACE).parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let child = Child::open(number, &folder, &text(URL), tail, pace).await;
        child.settle_the_past(Diaries::read(&path_of(&folder, number))).await;
        // Some children are alone in their process, some have several callers.
        let callers = 1 + number % 3;
        join_all((0..callers).map(|_| child.add_until_stopped())).await;
        // Maintenance may wait for a server; the journal is whole without it.
        let _ = child.journal.maintain().await;
    });
}

impl Child {
    async fn open(number: u32, folder: &Path, url: &str, tail: usize, pace: u64) -> Self {
        let (env, mut url) = (Env::real(), url.to_owned());
        let path = path_of(folder, number);
        let past = Diaries::read(&path);
        let diary = Diary::open(&path).unwrap();
        diary.boot();
        // Short ones, so that deadlines pass while a commit is on its way.
        let deadline = Duration::from_millis(pace * (1 + env.random_u64() % 16));
        let pauses = (Duration::from_millis(pace / 10), Duration::from_millis(pace));
        let retry = RetryPolicy::new().with_deadline(deadline).with_pauses(pauses.0, pauses.1);
        let mut options = Options::open().writer(writer(number)).retry(retry).tail(tail);
        options.seen = past.seen;
        if env.random_u64() % 2 == 0 {
            // So short that requests land after nobody waits for them any more.
            let timeout = Duration::from_millis(pace * (1 + env.random_u64() % 8));
            options = options.request_timeout(timeout);
            // A probe takes longer; whoever created the journal has probed.
            if url.contains('?') {
                url.push_str("&probe=never");
            }
        }
        let store = ifmatch::open(&url).unwrap();
        let journal = loop {
            match Journal::open(store.clone(), Tally, options.clone()).await {
                Ok(journal) => break journal,
                Err(error) => assert_passes(&error),
            }
        };
        let next = past.additions.keys().next_back().map_or(1, |last| last + 1);
        let (next, stop) = (AtomicU64::new(next), stop_file(folder));
        Self { number, journal, diary, env, next, stop }
    }

    /// What the process before left open is resolved. What it had only sent is
    /// fenced off and looked for, or left as it is.
    async fn settle_the_past(&self, past: Diaries) {
        for (number, known) in past.additions {
            match known {
                Known::Unknown(commit) => {
                    self.diary.inherited(number);
                    if !self.resolved(number, commit).await {
                        self.add(number).await;
                    }
                }
                Known::Never => self.add(number).await,
                Known::Sent if past.boots.is_multiple_of(2) => {
                    self.fenced_and_looked(number).await;
                }
                Known::Sent => self.diary.left(number),
                Known::Committed(_) | Known::Left => {}
            }
        }
    }

    /// After a fence nothing of the process before can land any more.
    async fn fenced_and_looked(&self, number: u64) {
        loop {
            match self.journal.fence().await {
                Ok(_) => break,
                Err(error) => self.passes(&error),
            }
        }
        let has = loop {
            match self.journal.read(Freshness::Strong).await {
                Ok(now) => break now.state().has(self.number, number),
                Err(error) => self.passes(&error),
            }
        };
        if has {
            self.diary.found(number, 0);
        } else {
            self.diary.never(number);
            self.add(number).await;
        }
    }

    async fn add_until_stopped(&self) {
        while !self.stop.exists() {
            self.add(self.next.fetch_add(1, Ordering::Relaxed)).await;
        }
    }

    /// Adds this number, however often it must be sent: again only once it is
    /// known that it was not committed.
    async fn add(&self, number: u64) {
        let begun = self.env.now();
        loop {
            let mut ballast = [0; 20];
            self.env.fill_random(&mut ballast);
            self.diary.sent(number);
            let addition = Addition { child: self.number, number, ballast };
            let error = match self.journal.commit(addition).await {
                Ok(committed) => {
                    let wait =
                        u64::try_from(self.env.now().saturating_sub(begun).as_millis()).unwrap();
                    let (seq, totals) = (committed.commit.seq, self.journal.totals());
                    self.diary.acknowledged(number, seq, wait, &totals);
                    if number.is_multiple_of(16) {
                        self.diary.seen(self.journal.seen());
                    }
                    return;
                }
                Err(CommitError::Failed(error)) => error,
                Err(other) => panic!("an addition is never rejected: {other:?}"),
            };
            self.passes(&error);
            match error.pending() {
                Some(commit) => {
                    self.diary.unknown(number, commit);
                    if self.resolved(number, commit).await {
                        return;
                    }
                }
                None => self.diary.never(number),
            }
        }
    }

    /// Goes on after an error that passes.
    fn passes(&self, error: &Error) {
        assert_passes(error);
        self.diary.waits(error);
    }

    /// Finds out what became of a commit, and writes it down.
    async fn resolved(&self, number: u64, commit: CommitId) -> bool {
        loop {
            match self.journal.resolve_or_fence(commit).await {
                Ok(Resolution::Committed) => {
                    self.diary.found(number, commit.seq);
                    return true;
                }
                Ok(Resolution::Never) => {
                    self.diary.never(number);
                    return false;
                }
                Ok(other) => panic!("{commit} is {other:?}"),
                Err(error) => self.passes(&error),
            }
        }
    }
}

/// An error is one of a busy or slow store; others end the test.
fn assert_passes(error: &Error) {
    let kind = match error {
        Error::OutcomeUnknown { source, .. } => source.kind(),
        other => other.kind(),
    };
    assert_eq!(kind, "unavailable", "{error:?}");
}
