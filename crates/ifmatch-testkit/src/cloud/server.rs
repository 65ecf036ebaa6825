//! The server: start, script, evidence, end.

use super::{
    config::{CloudConfig, Dialect, Switches},
    connection::serve,
    engine::Engine,
    fault::Fault,
    log::{AppliedWrite, CountKey, LogEntry},
    object::StoredObject,
    plan::Matcher,
    view::RequestView,
};
use std::{collections::BTreeMap, io, net::Ipv4Addr, sync::Arc};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

/// A cloud object store on a free port of 127.0.0.1. Dropping it stops it.
#[derive(Debug)]
pub struct CloudServer {
    dialect: Dialect,
    config: CloudConfig,
    port: u16,
    engine: Arc<Engine>,
    acceptor: JoinHandle<()>,
}

impl CloudServer {
    /// Starts a server inside the current tokio runtime, whose clock must not
    /// be paused.
    ///
    /// # Errors
    ///
    /// Whatever the system says to opening a socket on loopback.
    pub async fn start(dialect: Dialect, config: CloudConfig) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let engine = Arc::new(Engine::new(dialect, config.clone()));
        let acceptor = tokio::spawn(accept(listener, engine.clone()));
        Ok(Self { dialect, config, port, engine, acceptor })
    }

    /// The dialect it speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of its bucket or container.
    pub fn bucket(&self) -> &str {
        &self.config.bucket
    }

    /// The name of its account (Azure).
    pub fn account(&self) -> &str {
        &self.config.account
    }

    /// What a client takes as its endpoint: for Azure with the account.
    pub fn url_base(&self) -> String {
        let root = format!("http://127.0.0.1:{}", self.port);
        match self.dialect {
            Dialect::Azure => format!("{root}/{}", self.config.account),
            Dialect::S3 | Dialect::Gcs => root,
        }
    }

    /// Gives `fault` to the next request that `matcher` chooses.
    pub fn inject(&self, matcher: Matcher, fault: Fault) {
        self.inject_times(matcher, fault, 1);
    }

    /// Gives `fault` to the next `times` requests that `matcher` chooses. Of
    /// several scripted faults for a request the one scripted first is taken.
    pub fn inject_times(&self, matcher: Matcher, fault: Fault, times: usize) {
        self.engine.state().script.push(matcher, fault, times);
    }

    /// Asks `plan` about every request that no scripted fault is meant for.
    /// [`seeded`](super::seeded) makes a random one.
    pub fn plan(&self, plan: impl Fn(&RequestView) -> Option<Fault> + Send + Sync + 'static) {
        self.engine.state().script.plan = Some(Arc::new(plan));
    }

    /// How many scripted faults have not met their request yet.
    pub fn pending_faults(&self) -> usize {
        self.engine.state().script.pending()
    }

    /// Forgets script and plan. Delayed requests stay under way.
    pub fn clear_faults(&self) {
        self.engine.state().script.clear();
    }

    /// The misbehaviour of the whole server.
    pub fn switches(&self) -> Switches {
        self.engine.state().switches
    }

    /// Sets the misbehaviour of the whole server.
    pub fn set_switches(&self, switches: Switches) {
        self.engine.state().switches = switches;
    }

    /// Lets all delayed requests arrive, in the order in which they were sent;
    /// how many there were.
    pub fn deliver_delayed(&self) -> usize {
        self.engine.deliver_delayed()
    }

    /// How many requests are still under way.
    pub fn delayed(&self) -> usize {
        self.engine.delayed()
    }

    /// Every request since the start or the last [`clear_log`](Self::clear_log),
    /// in order of arrival. A request is in it before its answer is sent.
    pub fn log(&self) -> Vec<LogEntry> {
        self.engine.state().log.entries()
    }

    /// Forgets the requests and the histories, not the objects.
    pub fn clear_log(&self) {
        self.engine.state().log.clear();
    }

    /// The number of requests by fault, kind and outcome.
    pub fn counts(&self) -> BTreeMap<CountKey, usize> {
        self.engine.state().log.counts()
    }

    /// The changes of a key in the order in which they took effect: writes with
    /// their write ids, and deletions. Only what is in here was applied.
    pub fn applied_history(&self, key: &str) -> Vec<AppliedWrite> {
        self.engine.state().log.history(key)
    }

    /// All objects in byte order of their keys.
    pub fn objects(&self) -> Vec<StoredObject> {
        self.engine.state().store.objects().cloned().collect()
    }

    /// One object.
    pub fn object(&self, key: &str) -> Option<StoredObject> {
        self.engine.state().store.object(key).cloned()
    }

    /// Stops the server: closes its port and its connections and forgets what
    /// is under way.
    pub async fn shutdown(mut self) {
        self.acceptor.abort();
        let _ = (&mut self.acceptor).await;
    }
}

impl Drop for CloudServer {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

/// Accepts connections for ever; dropped, it takes them along.
async fn accept(listener: TcpListener, engine: Arc<Engine>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, engine.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
