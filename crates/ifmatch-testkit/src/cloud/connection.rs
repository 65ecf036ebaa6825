//! One connection: requests in, transmissions out.

use super::{
    engine::{Engine, Transmission},
    http::{Incoming, read_request},
};
use bytes::BytesMut;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Serves a connection to its end. An error is the client's going away.
pub(super) async fn serve(mut stream: TcpStream, engine: Arc<Engine>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::new();
    loop {
        let request = match read_request(&mut stream, &mut buffer).await? {
            Incoming::Request(request) => request,
            Incoming::Closed => return Ok(()),
            Incoming::Malformed => {
                return stream
                    .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    .await;
            }
        };
        let (seq, transmission) = engine.handle(&request);
        let sent = match transmission {
            Transmission::Answer(bytes) if request.keep_alive => {
                match stream.write_all(&bytes).await {
                    Ok(()) => continue,
                    Err(gone) => Err(gone),
                }
            }
            Transmission::Answer(bytes) | Transmission::AnswerThenClose(bytes) => {
                stream.write_all(&bytes).await
            }
            Transmission::Close => return Ok(()),
            Transmission::Reset => return stream.set_zero_linger(),
            Transmission::Stall(time) => {
                stall(&mut stream, time).await;
                return Ok(());
            }
        };
        if sent.is_err() {
            engine.state().log.client_gone(seq);
        }
        return sent;
    }
}

/// Says nothing for this long or until the client gives up.
async fn stall(stream: &mut TcpStream, time: Duration) {
    let patience = pause(time);
    tokio::pin!(patience);
    let mut ignored = [0; 1024];
    loop {
        tokio::select! {
            biased;
            () = &mut patience => return,
            read = stream.read(&mut ignored) => {
                if matches!(read, Ok(0) | Err(_)) {
                    return;
                }
            }
        }
    }
}

/// Sleeps in real time.
#[allow(clippy::disallowed_methods, reason = "a server on a real socket lives in real time")]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
