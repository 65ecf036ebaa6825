use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ifmatch_core::{
    BlobKey, ConditionalBlobStore, Env, GetOptions, Precondition, Simulation, WriteId,
};

use super::{Host, Link, Tap};
use crate::fault::{FaultPlan, FaultStore};
use crate::sim::dice::Dice;
use crate::sim::scribe::Scribe;

const ROUND_TRIP: Duration = Duration::from_millis(40);

struct Bench {
    env: Env,
    host: Arc<Host>,
    tap: Tap,
    store: FaultStore,
    link: Link,
}

fn bench() -> Bench {
    let env = Simulation::seeded(1).env();
    let scribe = Arc::new(Scribe::new(env.clone(), false));
    let tap = Tap::new(env.clone(), Arc::clone(&scribe)).reading(true).keeping(true);
    let plan = FaultPlan::seeded(1).delays(ROUND_TRIP..ROUND_TRIP * 10);
    let store = FaultStore::new(Arc::new(tap.clone()), plan);
    let host = Host::seeded(2, Arc::new(AtomicU64::new(0)));
    let link = Link::new(1, &host, store.clone(), scribe, ROUND_TRIP, Dice::of(3, 4));
    Bench { env, host, tap, store, link }
}

fn head() -> BlobKey {
    BlobKey::new("head").unwrap()
}

async fn took<T>(env: &Env, future: impl Future<Output = T>) -> (T, Duration) {
    let began = env.now();
    let answer = future.await;
    (answer, env.now().saturating_sub(began))
}

async fn put(link: &Link, body: &'static [u8]) {
    let write = WriteId::random(link.env());
    link.attempt_put(&head(), body.into(), &Precondition::Overwrite, write).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_takes_about_a_round_trip() {
    let bench = bench();
    for _ in 0..50 {
        let absent = BlobKey::new("absent").unwrap();
        let got = bench.link.get(&absent, GetOptions::new());
        let (answer, time) = took(&bench.env, got).await;
        assert!(answer.unwrap().found().is_none());
        assert!(time >= ROUND_TRIP / 2 && time <= ROUND_TRIP * 9, "{time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_on_while_a_host_is_paused() {
    let bench = bench();
    bench.host.pause(false);
    let resume = async {
        bench.env.sleep(Duration::from_hours(1)).await;
        assert_eq!(bench.tap.newest(), 0);
        bench.host.resume();
    };
    let here = bench.host.env();
    let ((), time, ()) = tokio::join!(
        put(&bench.link, b"body"),
        async { took(&bench.env, here.sleep(Duration::from_secs(1))).await.1 },
        resume
    );
    assert_eq!(bench.tap.newest(), 1);
    assert_eq!(time, Duration::from_hours(1));
}

#[tokio::test(start_paused = true)]
async fn the_monotonic_clock_of_a_suspended_host_stands_still_and_its_wall_clock_does_not() {
    let bench = bench();
    let here = bench.host.env();
    let (began, wall) = (here.now(), here.wall_clock());
    let outside = async {
        bench.env.sleep(Duration::from_secs(1)).await;
        bench.host.pause(true);
        bench.env.sleep(Duration::from_mins(10)).await;
        assert_eq!(here.now().saturating_sub(began), Duration::from_secs(1));
        bench.host.resume();
    };
    // What was left of a sleep is left afterwards.
    let ((), ((), slept)) =
        tokio::join!(outside, took(&bench.env, here.sleep(Duration::from_secs(5))));
    assert_eq!(slept, Duration::from_secs(605));
    assert_eq!(here.now().saturating_sub(began), Duration::from_secs(5));
    assert_eq!(here.wall_clock().since(wall), Duration::from_secs(605));
    bench.host.jump(-1_000_000);
    assert_eq!(here.wall_clock().since(wall), Duration::from_secs(604));
}

#[tokio::test(start_paused = true)]
async fn of_puts_that_are_dropped_on_their_way_about_half_arrive_later() {
    let bench = bench();
    for _ in 0..200 {
        // Less than the fastest way there.
        let soon = bench.env.sleep(ROUND_TRIP / 5);
        tokio::select! {
            biased;
            () = put(&bench.link, b"body") => panic!("faster than the light"),
            () = soon => {}
        }
    }
    let under_way = bench.store.under_way() as u64 + bench.tap.newest();
    assert!((60..140).contains(&under_way), "{under_way}");
    bench.env.sleep(ROUND_TRIP * 11).await;
    assert_eq!((bench.store.under_way(), bench.tap.newest()), (0, under_way));
}

#[tokio::test(start_paused = true)]
async fn the_tap_hears_of_heads_only_and_keeps_them() {
    let bench = bench();
    put(&bench.link, b"one").await;
    put(&bench.link, b"two").await;
    let other = BlobKey::new("other").unwrap();
    bench.link.put(&other, "three".into(), Precondition::IfAbsent).await.unwrap();
    let refused = Precondition::IfAbsent;
    let write = WriteId::random(bench.link.env());
    bench.link.attempt_put(&head(), "four".into(), &refused, write).await;
    assert_eq!((bench.tap.newest(), bench.tap.arrived()), (2, 3));
    assert_eq!(bench.tap.body(2).unwrap(), "two");
    assert!(bench.tap.body(3).is_none() && bench.tap.writes().is_sorted());
}
