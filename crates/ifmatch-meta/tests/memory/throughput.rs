//! How fast it is. Run it alone, in release: `cargo test --release -p
//! ifmatch-meta --test memory throughput -- --ignored --nocapture`.

use ifmatch_core::Env;
use ifmatch_meta::DocPrecondition::{IfAbsent, IfMatch};
use ifmatch_meta::{DocKey, MemoryMetaStore, MetaStore};

use super::{json, key};

/// Conditional puts by one task, one after the other, on so many documents.
async fn puts(documents: usize, count: usize) {
    let store = MemoryMetaStore::new(Env::real());
    let body = json(r#"{"name":"a document","size":4096,"tags":["x","y"]}"#);
    let mut there: Vec<(DocKey, _)> = Vec::with_capacity(documents);
    for n in 0..documents {
        let key = key("p", &format!("{:06}", (n * 7_919) % documents));
        let written = store.put(&key, body.clone(), IfAbsent).await.unwrap();
        there.push((key, written.etag));
    }
    let began = store.env().now();
    for n in 0..count {
        let (key, etag) = &mut there[n % documents];
        *etag = store.put(key, body.clone(), IfMatch(*etag)).await.unwrap().etag;
    }
    let took = store.env().now().saturating_sub(began).as_secs_f64();
    #[allow(clippy::cast_precision_loss)]
    let rate = count as f64 / took / 1e6;
    println!("{documents} documents: {rate:.2} M conditional puts/s");
}

#[tokio::test]
#[ignore = "a measurement: no verdict"]
async fn on_1_document() {
    puts(1, 1_000_000).await;
}

#[tokio::test]
#[ignore = "a measurement: no verdict"]
async fn on_1_000_documents() {
    puts(1_000, 1_000_000).await;
}

#[tokio::test]
#[ignore = "a measurement: no verdict"]
async fn on_100_000_documents() {
    puts(100_000, 1_000_000).await;
}
