//! Documents on PostgreSQL beside one hand-written statement, through the same
//! driver.

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition, ETag, MetaStore};
use ifmatch_sql::sqlx::postgres::{PgPool, PgPoolOptions};
use ifmatch_sql::sqlx::{self};
use ifmatch_sql::{PostgresMetaStore, PostgresOptions};

use crate::corpus::{Sample, samples};
use crate::harness::Bench;

const URL: &str = "IFMATCH_TEST_POSTGRES_URL";

/// What somebody writes by hand.
struct ByHand {
    name: &'static str,
    table: &'static [&'static str],
    insert: &'static str,
    put_if: &'static str,
}

/// A body beside its version.
const PLAIN: ByHand = ByHand {
    name: "",
    table: &["CREATE TABLE ifmatch_bench_raw.documents (
        partition text COLLATE \"C\" NOT NULL, id text COLLATE \"C\" NOT NULL,
        etag text NOT NULL, created_at bigint NOT NULL, updated_at bigint NOT NULL,
        updated_by text, body text NOT NULL, PRIMARY KEY (partition, id))"],
    insert: "
INSERT INTO ifmatch_bench_raw.documents (partition, id, etag, created_at, updated_at, body)
VALUES ($1, $2, $3, $4, $4, $5)",
    put_if: "
UPDATE ifmatch_bench_raw.documents SET etag = $1, updated_at = $2, body = $3
WHERE partition = $4 AND id = $5 AND etag = $6 RETURNING created_at",
};

/// The same with what makes a body queryable and a change known: the columns and
/// indexes of a store. Its updates are in every index, while those of the plain
/// table are in none (HOT).
const EQUAL: ByHand = ByHand {
    name: ", equal columns",
    table: &[
        "CREATE TABLE ifmatch_bench_raw.documents (
        partition text COLLATE \"C\" NOT NULL, id text COLLATE \"C\" NOT NULL,
        etag text NOT NULL, position bigint NOT NULL, ordinal integer NOT NULL,
        created_at bigint NOT NULL, updated_at bigint NOT NULL, updated_by text,
        body text NOT NULL, doc jsonb NOT NULL, PRIMARY KEY (partition, id))",
        "CREATE INDEX ON ifmatch_bench_raw.documents (position, ordinal)",
        "CREATE INDEX ON ifmatch_bench_raw.documents (partition, position, ordinal)",
    ],
    insert: "
INSERT INTO ifmatch_bench_raw.documents
    (partition, id, etag, position, ordinal, created_at, updated_at, body, doc)
VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, 0, $4, $4, $5, $5::text::jsonb)",
    put_if: "
UPDATE ifmatch_bench_raw.documents SET etag = $1, updated_at = $2, body = $3,
    doc = $3::text::jsonb, position = pg_current_xact_id()::text::bigint, ordinal = 0
WHERE partition = $4 AND id = $5 AND etag = $6 RETURNING created_at",
};

pub(crate) async fn run(bench: &mut Bench) -> Result<()> {
    let Ok(url) = std::env::var(URL) else {
        println!("\npostgres: skipped, {URL} is not set (cargo xtask bench sets it)");
        return Ok(());
    };
    bench.group("postgres", "the server's own durability; raw is one UPDATE ... RETURNING, sqlx");
    for by_hand in [&PLAIN, &EQUAL] {
        for clients in [1, 16] {
            contest(bench, &url, clients, by_hand).await?;
        }
    }
    Ok(())
}

async fn contest(bench: &Bench, url: &str, clients: u32, by_hand: &ByHand) -> Result<()> {
    let pool = PgPoolOptions::new().max_connections(clients).connect(url).await.context(URL)?;
    clear(&pool).await?;
    let mut options = PostgresOptions::default().schema("ifmatch_bench");
    options.connections = clients;
    let store = PostgresMetaStore::open(url, options).await?;
    raw_table(&pool, by_hand).await?;
    let env = Env::real();
    let each = bench.size(400);
    let documents = samples(each * clients as usize, Some("packages"))?;
    // Every client has documents of its own.
    let (mut tags, mut raw_tags) = (Vec::new(), Vec::new());
    for sample in &documents {
        tags.push(put(&store, sample, None).await?);
        raw_tags.push(raw_insert(&pool, &env, by_hand, sample).await?);
    }
    let ours = async |_: usize| {
        let clients = documents.chunks(each).zip(tags.chunks_mut(each));
        try_join_all(clients.map(async |(documents, tags)| {
            for (sample, tag) in documents.iter().zip(tags) {
                *tag = put(&store, sample, Some(*tag)).await?;
            }
            anyhow::Ok(())
        }))
        .await?;
        Ok(())
    };
    let theirs = async |_: usize| {
        let clients = documents.chunks(each).zip(raw_tags.chunks_mut(each));
        try_join_all(clients.map(async |(documents, tags)| {
            for (sample, tag) in documents.iter().zip(tags) {
                *tag = raw_put(&pool, &env, (by_hand, sample), tag).await?;
            }
            anyhow::Ok(())
        }))
        .await?;
        Ok(())
    };
    let plural = if clients == 1 { "" } else { "s" };
    let title = format!("put if match, {clients} client{plural}{}", by_hand.name);
    bench.contest(&title, documents.len(), 9, ours, theirs).await?;
    store.close().await?;
    clear(&pool).await?;
    pool.close().await;
    Ok(())
}

async fn put(store: &PostgresMetaStore, sample: &Sample, tag: Option<ETag>) -> Result<ETag> {
    let expected = tag.map_or(DocPrecondition::IfAbsent, DocPrecondition::IfMatch);
    Ok(store.put(&sample.key, sample.body.clone(), expected).await?.etag)
}

async fn clear(pool: &PgPool) -> Result<()> {
    sqlx::query("DROP SCHEMA IF EXISTS ifmatch_bench CASCADE").execute(pool).await?;
    sqlx::query("DROP SCHEMA IF EXISTS ifmatch_bench_raw CASCADE").execute(pool).await?;
    Ok(())
}

async fn raw_table(pool: &PgPool, by_hand: &ByHand) -> Result<()> {
    sqlx::query("CREATE SCHEMA ifmatch_bench_raw").execute(pool).await?;
    for statement in by_hand.table {
        sqlx::query(*statement).execute(pool).await?;
    }
    Ok(())
}

async fn raw_insert(pool: &PgPool, env: &Env, by_hand: &ByHand, sample: &Sample) -> Result<String> {
    let tag = ETag::mint(1, env).bare();
    sqlx::query(by_hand.insert)
        .bind(sample.key.partition.as_str())
        .bind(sample.key.id.as_str())
        .bind(&tag)
        .bind(env.wall_clock().as_micros())
        .bind(sample.body.as_str())
        .execute(pool)
        .await?;
    Ok(tag)
}

async fn raw_put(
    pool: &PgPool,
    env: &Env,
    (by_hand, sample): (&ByHand, &Sample),
    tag: &str,
) -> Result<String> {
    let new = ETag::mint(1, env).bare();
    let row = sqlx::query(by_hand.put_if)
        .bind(&new)
        .bind(env.wall_clock().as_micros())
        .bind(sample.body.as_str())
        .bind(sample.key.partition.as_str())
        .bind(sample.key.id.as_str())
        .bind(tag)
        .fetch_optional(pool)
        .await?;
    ensure!(row.is_some(), "somebody else wrote {}", sample.key);
    Ok(new)
}
