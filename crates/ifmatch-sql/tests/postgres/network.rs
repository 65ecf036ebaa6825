//! A network between a store and its server that loses what it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ifmatch_sql::sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::harness::{Place, pause};

/// What happens to the request that holds the word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It does not arrive.
    Lost,
    /// It is done, and the connection is gone before the answer.
    AnswerLost,
}

/// What becomes of new connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Door {
    Open,
    /// They stand still until it is open.
    Stuck,
    /// They are closed.
    Shut,
}

struct Plan {
    word: Option<(String, Fate)>,
    /// The door after the word came.
    then: Door,
    door: Door,
    /// How often everything that there was froze.
    frozen: u32,
}

#[derive(Clone)]
pub(crate) struct Network {
    plan: Arc<Mutex<Plan>>,
    lost: Arc<Notify>,
    pub(crate) url: String,
}

impl Network {
    /// A way to the server of a place.
    pub(crate) async fn to(place: &Place) -> Self {
        let options: PgConnectOptions = place.url.parse().expect("a URL");
        let server = format!("{}:{}", options.get_host(), options.get_port());
        let server = tokio::net::lookup_host(server).await.expect("a server").next();
        let server = server.expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let user = options.get_username();
        let database = options.get_database().unwrap_or(user);
        let url = format!("postgres://{user}@127.0.0.1:{port}/{database}?sslmode=disable");
        let plan = Plan { word: None, then: Door::Open, door: Door::Open, frozen: 0 };
        let network = Self { plan: Arc::new(Mutex::new(plan)), lost: Arc::default(), url };
        let own = network.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.serve(client, server).await });
            }
        });
        network
    }

    /// What happens to the next request that holds the word, and to connections
    /// after it.
    pub(crate) fn next(&self, word: &str, fate: Fate, then: Door) {
        let mut plan = self.plan.lock().unwrap();
        (plan.word, plan.then) = (Some((word.into(), fate)), then);
    }

    pub(crate) fn door(&self, door: Door) {
        self.plan.lock().unwrap().door = door;
    }

    /// From now on nothing passes on the connections that there are; new ones work.
    pub(crate) fn freeze(&self) {
        self.plan.lock().unwrap().frozen += 1;
    }

    fn frozen(&self) -> u32 {
        self.plan.lock().unwrap().frozen
    }

    /// Until what was to be lost is lost.
    pub(crate) async fn lost(&self) {
        self.lost.notified().await;
    }

    fn fate(&self, request: &[u8]) -> Option<Fate> {
        let mut plan = self.plan.lock().unwrap();
        let is_it = |(word, _): &mut (String, Fate)| {
            request.windows(word.len()).any(|part| part == word.as_bytes())
        };
        plan.word.take_if(is_it).map(|(_, fate)| fate)
    }

    fn lose(&self) {
        let mut plan = self.plan.lock().unwrap();
        plan.door = plan.then;
        drop(plan);
        self.lost.notify_one();
    }

    async fn serve(&self, mut client: TcpStream, server: SocketAddr) {
        loop {
            let door = self.plan.lock().unwrap().door;
            match door {
                Door::Open => break,
                Door::Stuck => pause(Duration::from_millis(5)).await,
                Door::Shut => return,
            }
        }
        let Ok(mut server) = TcpStream::connect(server).await else { return };
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let (mut doomed, born) = (false, self.frozen());
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let Ok(length @ 1..) = read else { return };
                    if self.frozen() > born {
                        return std::future::pending().await;
                    }
                    match self.fate(&up[..length]) {
                        Some(Fate::Lost) => return self.lose(),
                        fate => doomed |= fate.is_some(),
                    }
                    if server.write_all(&up[..length]).await.is_err() {
                        return;
                    }
                }
                read = server.read(&mut down) => {
                    let Ok(length @ 1..) = read else { return };
                    if !doomed {
                        if client.write_all(&down[..length]).await.is_err() {
                            return;
                        }
                    } else if down[..length].ends_with(b"Z\0\0\0\x05I") {
                        return self.lose(); // Ready for the next one: it is committed.
                    }
                }
            }
        }
    }
}
