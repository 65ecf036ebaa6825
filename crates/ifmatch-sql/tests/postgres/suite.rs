//! The conformance suite.

use std::sync::Arc;

use ifmatch_sql::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use ifmatch_sql::{PostgresMetaStore, PostgresOptions};
use ifmatch_testkit::suite::Failure;
use ifmatch_testkit::suite::meta::{MetaSubject, Wanted, meta_cases};
use tokio::sync::Mutex;

use crate::harness::{Cases, VARIABLE, url};

/// One test for each case, named `suite::case`.
pub(crate) fn add(cases: &mut Cases) {
    let Some(url) = url() else {
        for case in meta_cases() {
            cases.ignore(&format!("suite::{}", case.name()), VARIABLE);
        }
        return;
    };
    for case in meta_cases() {
        let url = url.clone();
        cases.add(format!("suite::{}", case.name()), move |_| async move {
            let places = Arc::new(Mutex::new(Vec::new()));
            let opened = (url.clone(), places.clone());
            let subject = MetaSubject::new(move |wanted: Wanted| {
                let (url, places) = opened.clone();
                async move { open(&url, &wanted, &places).await }
            });
            let ended = case.run(&subject.persistent()).await;
            clear(&url, &places).await;
            ended.unwrap_or_else(|failure| panic!("{failure}"));
        });
    }
}

async fn open(
    url: &str,
    wanted: &Wanted,
    places: &Mutex<Vec<String>>,
) -> Result<Arc<PostgresMetaStore>, Failure> {
    places.lock().await.push(wanted.place().to_owned());
    let mut options = PostgresOptions::default()
        .schema(wanted.place())
        .connections(8)
        .transactions(wanted.transactions)
        .audit(wanted.audit);
    if let Some(author) = &wanted.author {
        options = options.author(author.as_str());
    }
    Ok(Arc::new(PostgresMetaStore::open(url, options).await?))
}

async fn clear(url: &str, places: &Mutex<Vec<String>>) {
    let mut raw = PgConnection::connect(url).await.unwrap();
    for place in places.lock().await.drain(..) {
        let sql = format!("DROP SCHEMA IF EXISTS \"{place}\" CASCADE");
        raw.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}
