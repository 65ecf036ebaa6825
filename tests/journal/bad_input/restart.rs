//! What a program notices after a restart, if it kept what it had seen.

use ifmatch_journal::kv::Command;
use ifmatch_journal::{Error, Freshness, Seen};

use super::refusal::will_not_open;
use crate::bench::{Bench, add, quick, quick_create};

/// Opening, with and without leave to create, after the journal was seen.
async fn refused_after_restart(bench: &Bench, seen: Seen, kind: &str, what: &str) {
    for create in [false, true] {
        for (ring, tail) in [(128, 16 << 10), (1, 64)] {
            let options = if create { quick_create() } else { quick() };
            let options = options.ring(ring).tail(tail).seen(seen);
            let error = will_not_open(bench, options, kind, what).await;
            assert_eq!(error.pending(), None, "{what}");
            match error {
                Error::RemoteRewound(rewound) => assert_eq!(rewound.mine, seen.commit, "{what}"),
                Error::RemoteReplaced(replaced) => {
                    assert_eq!(replaced.mine, seen.commit.journal, "{what}");
                }
                _ => {}
            }
        }
    }
}

/// The right bytes are there: whoever has seen it opens it and has everything.
async fn opens(bench: &Bench, seen: Seen) {
    let journal = bench.open(quick().seen(seen)).await.unwrap();
    assert_eq!(journal.seen(), seen);
    add(&journal, 1).await;
}

pub(crate) async fn a_rewound_journal_is_noticed_after_a_restart() {
    let bench = Bench::new(1);
    let journal = bench.create(0).await;
    let mut heads = Vec::new();
    for _ in 0..8 {
        heads.push(bench.body("head").await);
        add(&journal, 1).await;
    }
    let (seen, right) = (journal.seen(), bench.body("head").await);
    drop(journal);
    for (behind, old) in (1..).zip(heads.into_iter().rev()) {
        bench.write("head", old).await;
        refused_after_restart(&bench, seen, "remote_rewound", &format!("{behind} behind")).await;
    }
    bench.write("head", right).await;
    opens(&bench, seen).await;
}

/// The journal grew again, behind what was seen: to the same number, and far
/// beyond what its head, its ring and its segments tell.
pub(crate) async fn another_branch_is_noticed_after_a_restart() {
    for (ring, tail) in [(128, 16 << 10), (1, 16 << 10), (1, 64)] {
        for (more, checkpoint) in [(5, false), (6, false), (9, false), (80, false), (80, true)] {
            let bench = Bench::new(1);
            let journal = bench.create(9).await;
            let old = bench.body("head").await;
            add(&journal, 5).await;
            let (seen, right) = (journal.seen(), bench.body("head").await);
            bench.write("head", old).await;
            let other = bench.open(quick().ring(ring).tail(tail)).await.unwrap();
            for _ in 0..more {
                other.commit(Command::add("theirs", 1)).await.unwrap();
            }
            if checkpoint {
                other.checkpoint().await.unwrap();
            }
            drop(other);
            let what = format!("ring {ring}, tail {tail}, {more} commits, {checkpoint}");
            refused_after_restart(&bench, seen, "remote_rewound", &what).await;
            bench.write("head", right).await;
            opens(&bench, seen).await;
        }
    }
}

pub(crate) async fn a_replaced_journal_is_noticed_after_a_restart() {
    let (bench, elsewhere) = (Bench::new(1), Bench::new(2));
    let journal = bench.create(5).await;
    let (seen, right) = (journal.seen(), bench.body("head").await);
    let other = elsewhere.create(0).await;
    for commits in [0, 5, 300] {
        add(&other, commits).await;
        bench.write("head", elsewhere.body("head").await).await;
        let what = format!("{commits} more commits");
        refused_after_restart(&bench, seen, "remote_replaced", &what).await;
    }
    // Our own id, and a branch that an operator has begun.
    let forked = Seen { fork: other.seen().fork, ..seen };
    bench.write("head", right).await;
    refused_after_restart(&bench, forked, "remote_replaced", "another fork").await;
    opens(&bench, seen).await;
}

pub(crate) async fn a_journal_that_is_gone_is_not_recreated_after_a_restart() {
    let bench = Bench::new(1);
    let journal = bench.create(5).await;
    let (seen, right) = (journal.seen(), bench.body("head").await);
    drop(journal);
    bench.remove("head").await;
    refused_after_restart(&bench, seen, "remote_gone", "no head").await;
    let marker = bench.body("ifmatch").await;
    bench.remove("ifmatch").await;
    refused_after_restart(&bench, seen, "remote_gone", "nothing at all").await;
    bench.write("ifmatch", marker).await;
    bench.write("head", right).await;
    opens(&bench, seen).await;
    let journal = bench.open(quick().seen(seen)).await.unwrap();
    assert_eq!(journal.read(Freshness::Cached).await.unwrap().state().number("n"), Some(6));
}
