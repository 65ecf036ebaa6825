//! Commits per second where one round trip takes 50 ms.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ifmatch_journal::kv::Command;
use ifmatch_journal::{Freshness, Options};

use super::Place;

const ROUND_TRIP: Duration = Duration::from_millis(50);

#[tokio::test(start_paused = true)]
async fn a_hundred_clients_of_one_process_commit_1900_times_a_second_in_20_puts() {
    const SECONDS: u32 = 60;
    let place = Place::new(1, ROUND_TRIP);
    let journal = place.open(Options::create()).await;
    place.store.log().take();
    let ends = place.env.now() + Duration::from_secs(SECONDS.into());
    let done = Rc::new(Cell::new(0_u32));
    let clients = (0..100_u32).map(|client| {
        let (journal, env, done) = (journal.clone(), place.env.clone(), Rc::clone(&done));
        async move {
            let key = format!("{client:02}");
            while env.now() < ends {
                journal.commit(Command::add(key.clone(), 1)).await.unwrap();
                if env.now() < ends {
                    done.set(done.get() + 1);
                }
            }
        }
    });
    futures::future::join_all(clients).await;
    let puts = place.store.log().take().iter().filter(|at| at.operation.as_str() == "put").count();
    let (commits, puts) = (f64::from(done.get()), u32::try_from(puts).unwrap());
    let (commits, puts) = (commits / f64::from(SECONDS), f64::from(puts) / f64::from(SECONDS));
    println!("{commits:.0} commits/s, {puts:.2} PUT/s: {:?}", journal.totals());
    assert!(commits >= 1_900.0, "{commits} commits/s");
    assert!(puts <= 20.5, "{puts} PUT/s");
}

#[tokio::test(start_paused = true)]
async fn eight_processes_on_one_head_lose_nothing_and_nobody_starves() {
    const SECONDS: u64 = 300;
    let place = Place::new(2, ROUND_TRIP);
    place.open(Options::create()).await;
    place.store.log().take();
    let ends = place.env.now() + Duration::from_secs(SECONDS);
    let processes = (0..8_u64).map(|process| {
        let place = &place;
        async move {
            let journal = place.open(Options::open()).await;
            place.env.sleep(Duration::from_millis(7 * process)).await;
            let (mut acknowledged, mut slowest) = (0_u32, Duration::ZERO);
            while place.env.now() < ends {
                let began = place.env.now();
                journal.commit(Command::add("n", 1)).await.unwrap();
                acknowledged += 1;
                slowest = slowest.max(place.env.now().saturating_sub(began));
            }
            (acknowledged, slowest, journal.totals().lost)
        }
    });
    let told = futures::future::join_all(processes).await;
    let mut commits: Vec<_> = told.iter().map(|(acknowledged, ..)| *acknowledged).collect();
    let slowest = told.iter().map(|(_, slowest, _)| *slowest).max().unwrap();
    commits.sort_unstable();
    let total: u32 = commits.iter().sum();
    let requests = place.store.log().take().len();
    println!(
        "commits per process {commits:?}, {:.2} requests per commit, {:.1} commits/s, slowest \
         {slowest:?}",
        f64::from(u32::try_from(requests).unwrap()) / f64::from(total),
        f64::from(total) / f64::from(u32::try_from(SECONDS).unwrap()),
    );
    let reader = place.open(Options::open()).await;
    let now = reader.read(Freshness::Strong).await.unwrap();
    assert_eq!(now.state().number("n"), Some(total.into()));
    assert!(commits[0] * 10 >= commits[4], "{commits:?}");
}
