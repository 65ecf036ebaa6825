//! The document stores that are tested, and how a place of each is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ifmatch::meta::{
    BlobMetaOptions, BlobMetaStore, Features, MemoryMetaStore, MemoryOptions, MetaStore,
};
use ifmatch::sql::{SqliteMetaStore, SqliteOptions};
use ifmatch::testkit::suite::Failure;
use ifmatch::testkit::suite::meta::{MetaSubject, Opened, Wanted};
use ifmatch::testkit::{FaultPlan, FaultStore};
use ifmatch::{
    BlobKey, ConditionalBlobStore, Env, MemoryBlobStore, OpenMetaOptions, OpenOptions, Prefixed,
    RetryPolicy,
};

use crate::harness::RUNTIME;

pub(crate) const POSTGRES: &str = "IFMATCH_TEST_POSTGRES_URL";

/// How long a real server is waited for: azurite stands still for a minute when
/// it collects its garbage.
const PATIENCE: Duration = Duration::from_mins(3);

/// A store that is tested.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    /// Missing where its server is.
    pub(crate) subject: Result<MetaSubject, &'static str>,
    /// How another process opens a place, where it can.
    pub(crate) url: Option<fn(&Roots, &str) -> Option<String>>,
}

/// Where places lie.
pub(crate) struct Roots {
    pub(crate) folder: PathBuf,
}

pub(crate) fn all(roots: &Arc<Roots>) -> Vec<Backend> {
    vec![
        here("memory", memory().persistent()),
        by_url("sqlite", roots, |roots, place| {
            Some(format!("sqlite:{}/{place}.db", roots.folder.display()))
        }),
        here("sqlite-memory", MetaSubject::new(sqlite_in_memory)),
        by_url("postgres", roots, |_, place| {
            let url = std::env::var(POSTGRES).ok()?;
            let separator = if url.contains('?') { '&' } else { '?' };
            Some(format!("{url}{separator}schema={place}&connections=6"))
        }),
        here("blob-memory", over_blobs(Arc::new(MemoryBlobStore::new(Env::real())))),
        by_url("blob-fs", roots, |roots, place| {
            Some(format!("file://{}/{place}", roots.folder.display()))
        }),
        served("blob-s3", "IFMATCH_TEST_S3_URL"),
        served("blob-azure", "IFMATCH_TEST_AZURE_URL"),
        here("blob-faults", over_blobs(faulty())),
    ]
}

fn here(name: &'static str, subject: MetaSubject) -> Backend {
    Backend { name, subject: Ok(subject), url: None }
}

/// Memory keeps what it holds as long as somebody holds it.
fn memory() -> MetaSubject {
    let holders = Arc::new(Mutex::new(BTreeMap::new()));
    MetaSubject::new(move |wanted: Wanted| {
        let holders = holders.clone();
        async move {
            let features = Features::none().transactions(wanted.transactions).audit(wanted.audit);
            let mut options = MemoryOptions::default().features(features);
            if let Some(author) = wanted.author.as_deref() {
                options = options.author(author);
            }
            let place = wanted.place();
            let holder = || MemoryMetaStore::shared(place, MemoryOptions::default());
            let mut holders = holders.lock().unwrap_or_else(PoisonError::into_inner);
            holders.entry(place.to_owned()).or_insert_with(holder);
            Ok(Arc::new(MemoryMetaStore::shared(place, options)))
        }
    })
}

async fn sqlite_in_memory(wanted: Wanted) -> Result<Arc<SqliteMetaStore>, Failure> {
    let mut options =
        SqliteOptions::default().transactions(wanted.transactions).audit(wanted.audit);
    if let Some(author) = wanted.author.as_deref() {
        options = options.author(author);
    }
    Ok(Arc::new(SqliteMetaStore::open_in_memory(options, Env::real())?))
}

fn over_blobs(blobs: Arc<dyn ConditionalBlobStore>) -> MetaSubject {
    MetaSubject::new(move |wanted: Wanted| {
        let blobs = blobs.clone();
        async move {
            let mut options =
                BlobMetaOptions::create().transactions(wanted.transactions).audit(wanted.audit);
            if let Some(author) = wanted.author.as_deref() {
                options = options.author(author);
            }
            let place = BlobKey::new(wanted.place())?;
            let store = Arc::new(Prefixed::new(blobs, place));
            Ok(Arc::new(BlobMetaStore::open(store, options).await?))
        }
    })
    .persistent()
}

/// Blobs behind a network that loses, delays and doubles requests.
fn faulty() -> Arc<dyn ConditionalBlobStore> {
    let quick = RetryPolicy::new()
        .with_pauses(Duration::from_millis(1), Duration::from_millis(4))
        .with_deadline(Duration::from_mins(1));
    let plan = FaultPlan::mild(0x1f_aa17, 0.05)
        .delays(Duration::ZERO..Duration::from_millis(5))
        .latencies(Duration::ZERO..Duration::from_millis(2))
        .without_log();
    let memory = Arc::new(MemoryBlobStore::new(Env::real()));
    Arc::new(FaultStore::new(memory, plan).with_retry_policy(quick))
}

/// A place as users open it: by URL.
fn by_url(
    name: &'static str,
    roots: &Arc<Roots>,
    url: fn(&Roots, &str) -> Option<String>,
) -> Backend {
    let missing = url(roots, "x").is_none();
    let roots = roots.clone();
    let subject = MetaSubject::new(move |wanted: Wanted| {
        let url = url(&roots, wanted.place()).unwrap_or_default();
        async move { open(&url, wanted).await }
    });
    let subject = if missing { Err(POSTGRES) } else { Ok(subject.persistent()) };
    Backend { name, subject, url: Some(url) }
}

/// The places that this process opened on the server, and its children.
static PLACES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A place that is swept at the end.
pub(crate) fn note(place: &str) {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_owned());
}

async fn open(url: &str, wanted: Wanted) -> Result<Opened, Failure> {
    note(wanted.place());
    let switch = |on: bool| if on { "on" } else { "off" };
    let separator = if url.contains('?') { '&' } else { '?' };
    let (transactions, audit) = (switch(wanted.transactions), switch(wanted.audit));
    let url = format!("{url}{separator}transactions={transactions}&audit={audit}");
    let options = OpenMetaOptions::new().author(wanted.author);
    Ok(Opened::from(options.open(&url).await?))
}

/// A folder of a bucket on a real server.
fn served(name: &'static str, variable: &'static str) -> Backend {
    let subject = match std::env::var(variable) {
        Ok(url) => {
            let patient = OpenOptions::new().deadline(PATIENCE);
            let blobs = patient.open(&format!("{url}&probe=never&timeout=120s"));
            Ok(over_blobs(blobs.unwrap_or_else(|error| panic!("{url}: {error}"))))
        }
        Err(_) => Err(variable),
    };
    Backend { name, subject, url: None }
}

impl Backend {
    /// A store in a place of its own.
    pub(crate) async fn fresh(&self, change: fn(Wanted) -> Wanted) -> Arc<dyn MetaStore> {
        let subject = self.subject.as_ref().unwrap_or_else(|missing| panic!("no {missing}"));
        let wanted = change(Wanted::fresh(&Env::real()));
        subject.open(wanted).await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.name, "blob-s3" | "blob-azure")
    }
}

/// Drops the schemas that the cases left behind.
pub(crate) fn sweep() {
    let Ok(url) = std::env::var(POSTGRES) else { return };
    let places = std::mem::take(&mut *PLACES.lock().unwrap_or_else(PoisonError::into_inner));
    RUNTIME.block_on(async {
        use ifmatch::sql::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
        let Ok(mut raw) = PgConnection::connect(&url).await else { return };
        for place in places {
            let sql = format!("DROP SCHEMA IF EXISTS \"{place}\" CASCADE");
            let _ = raw.execute(AssertSqlSafe(sql)).await;
        }
    });
}
