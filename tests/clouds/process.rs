//! Cases that need a process of their own: what a program finds that opens a
//! store as its first act, and what it may show of its environment.

use std::process::{Command, ExitCode};

use ifmatch::testkit::cloud::Switches;
use ifmatch::{Error, GetOptions, Precondition};

use crate::fixture::{CLOUDS, Cloud, World, key};
use crate::harness::{Cases, RUNTIME};

/// What a child is to do; its arguments are URLs.
const ROLE: &str = "IFMATCH_TEST_ROLE";

/// Says that a child did its part to the end.
const DONE: &str = "done";

/// A secret in every variable that a client reads one from; as base64 it is a
/// key.
const CANARY: &str = "Q0FOQVJZY2FuYXJ5Q0FOQVJZ";

/// Credentials that the fault server does not look at.
const KEYS: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "id"),
    ("AWS_SECRET_ACCESS_KEY", CANARY),
    ("AWS_SESSION_TOKEN", CANARY),
    ("AZURE_STORAGE_ACCOUNT_KEY", CANARY),
];

/// Credentials that are a part of every URL.
const SAS: &[(&str, &str)] = &[("AZURE_STORAGE_SAS_TOKEN", "sv=1&sp=rwd&sig=CANARY")];

pub(crate) fn cases(cases: &mut Cases) {
    cases.add("a_fresh_process_opens_every_cloud_without_setting_tls_up", || async {
        let worlds = worlds().await;
        let said = run("write", KEYS, &worlds).await;
        assert!(said.ends_with(DONE), "{said}");
        for world in &worlds {
            assert_eq!(world.server.objects().len(), 1, "{}", world.cloud);
        }
    });
    cases.add("s14_no_secret_of_the_environment_is_shown_by_a_store_or_its_errors", || async {
        let worlds = worlds().await;
        for world in &worlds {
            world.server.set_switches(Switches { deny: true, ..Switches::default() });
        }
        let said = run("show", KEYS, &worlds).await;
        assert!(said.ends_with(DONE) && said.contains("denied"), "{said}");
        assert!(!said.contains(CANARY) && !said.contains("CANARY"), "{said}");
    });
    cases.add("azure::s14_a_shared_access_signature_will_do_and_is_not_shown", || async {
        let worlds = [World::start(Cloud::Azure).await];
        let said = run("delete", SAS, &worlds).await;
        assert!(said.ends_with(DONE), "{said}");
        let history = worlds[0].server.applied_history("k");
        let deleted: Vec<_> = history.iter().map(|write| write.version.is_none()).collect();
        assert_eq!(deleted, [false, true, false, true]);
        worlds[0].server.set_switches(Switches { deny: true, ..Switches::default() });
        let said = run("show", SAS, &worlds).await;
        assert!(said.contains("denied") && !said.contains("CANARY"), "{said}");
    });
}

async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for cloud in CLOUDS {
        worlds.push(World::start(cloud).await);
    }
    worlds
}

/// Runs this program as a child; what it said.
async fn run(
    role: &'static str,
    variables: &'static [(&'static str, &'static str)],
    worlds: &[World],
) -> String {
    let urls: Vec<_> = worlds.iter().map(|world| world.url("&timeout=60s")).collect();
    let child = move || {
        let program = std::env::current_exe().unwrap();
        let variables = variables.iter().copied();
        Command::new(program)
            .args(urls)
            .env_clear()
            .env(ROLE, role)
            .envs(variables)
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(child).await.unwrap();
    let (said, wrong) = (output.stdout, output.stderr);
    let said = String::from_utf8_lossy(&said).trim_end().to_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&wrong));
    format!("{}{said}", String::from_utf8_lossy(&wrong))
}

/// The part of a child; `None` where this process is none.
pub(crate) fn child() -> Option<ExitCode> {
    let role = std::env::var(ROLE).ok()?;
    for url in std::env::args().skip(1) {
        match role.as_str() {
            "write" => RUNTIME.block_on(store_one(&url)).unwrap(),
            "delete" => RUNTIME.block_on(delete_both_ways(&url)).unwrap(),
            _ => RUNTIME.block_on(show(&url)),
        }
    }
    println!("{DONE}");
    Some(ExitCode::SUCCESS)
}

async fn store_one(url: &str) -> Result<(), Error> {
    let store = ifmatch::open(url)?;
    store.put(&key("k"), "x".into(), Precondition::IfAbsent).await.map(|_| ())
}

async fn delete_both_ways(url: &str) -> Result<(), Error> {
    let store = ifmatch::open(url)?;
    let stored = store.put(&key("k"), "x".into(), Precondition::Overwrite).await?;
    store.delete(&key("k"), Precondition::IfMatch(stored.version)).await?;
    store.put(&key("k"), "y".into(), Precondition::Overwrite).await?;
    store.delete(&key("k"), Precondition::Overwrite).await
}

/// Prints everything that can be seen of a store that denies every request.
async fn show(url: &str) {
    let store = ifmatch::open(url).unwrap();
    println!("{store} {store:?} {}", store.endpoint());
    let key = key("k");
    let errors = [
        store.get(&key, GetOptions::new()).await.map(|_| ()),
        store.head(&key).await.map(|_| ()),
        store.put(&key, "x".into(), Precondition::Overwrite).await.map(|_| ()),
        store.put(&key, "x".into(), Precondition::IfAbsent).await.map(|_| ()),
        store.delete(&key, Precondition::Overwrite).await,
    ];
    for error in errors.into_iter().filter_map(Result::err) {
        println!("{} {error} {error:?}", error.kind());
        if let Some(cause) = error.cause() {
            println!("{cause} {cause:?}");
        }
    }
}
