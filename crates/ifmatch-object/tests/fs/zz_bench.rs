use ifmatch_core::*;
use crate::support::*;
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bench() {
    let Ok(dir) = std::env::var("BENCH") else { return };
    let f = tempfile::tempdir_in(dir).unwrap();
    let store = quick(f.path());
    for n in 0..300 { put(&store, &format!("k{n}"), "x").await.unwrap(); }
    let n = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    for t in 0..32 { let store = store.clone(); let n = n.clone(); tokio::spawn(async move { for i in 0.. { put(&store, &format!("k{}", (t*9+i*7)%300), "x").await.unwrap(); n.fetch_add(1, std::sync::atomic::Ordering::Relaxed); } }); }
    for _ in 0..10 {
        #[allow(clippy::disallowed_methods)]
        let t = std::time::Instant::now();
        let b = n.load(std::sync::atomic::Ordering::Relaxed);
        let l = keys(&store, "", None).await.len();
        println!("list {l} {:?} puts {}", t.elapsed(), n.load(std::sync::atomic::Ordering::Relaxed)-b);
    }
}
