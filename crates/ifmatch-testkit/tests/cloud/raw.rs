//! Raw exchanges over a socket, without any HTTP client in between.

use ifmatch_testkit::cloud::CloudServer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An answer read to the end of the connection.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }

    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        Self {
            status: status.parse().expect("a numeric status"),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn send_bytes(server: &CloudServer, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await?;
    stream.write_all(bytes).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// One exchange of a golden set: a request and what must come back.
pub(crate) struct Golden {
    /// Method and target, headers and after an empty line the body. `Host`,
    /// `Content-Length` and `Connection: close` are added; `{name}` is a value
    /// captured before.
    pub(crate) request: &'static str,
    pub(crate) status: u16,
    /// Headers of the answer: a value, `*` for any, or `=name` to capture it.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// Texts that the body contains.
    pub(crate) body: &'static [&'static str],
}

/// Sends the exchanges in order, each over its own connection.
pub(crate) async fn play(server: &CloudServer, set: &[Golden]) {
    let mut captured: Vec<(&str, String)> = Vec::new();
    for Golden { request, status, headers, body } in set {
        let mut text = (*request).to_owned();
        for (name, value) in &captured {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        let reply = exchange(server, &text).await;
        assert_eq!(reply.status, *status, "{request}\n{reply:?}");
        assert!(
            reply.header("date").is_some_and(|date| date.ends_with(" GMT")),
            "{request}\n{reply:?}"
        );
        for (name, wanted) in *headers {
            let value =
                reply.header(name).unwrap_or_else(|| panic!("no {name}: {request}\n{reply:?}"));
            if let Some(name) = wanted.strip_prefix('=') {
                captured.retain(|(known, _)| *known != name);
                captured.push((name, value.to_owned()));
            } else if *wanted != "*" {
                let wanted = captured.iter().fold((*wanted).to_owned(), |wanted, (name, value)| {
                    wanted.replace(&format!("{{{name}}}"), value)
                });
                assert_eq!(value, wanted, "{name} of {request}\n{reply:?}");
            }
        }
        for wanted in *body {
            assert!(reply.body.contains(wanted), "{request}\n{reply:?}");
        }
    }
}

/// Sends a request written as text and reads its answer.
pub(crate) async fn exchange(server: &CloudServer, text: &str) -> Reply {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let headers = headers.lines().fold(String::new(), |all, header| all + header + "\r\n");
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\n{headers}Host: 127.0.0.1\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    let answer = send_bytes(server, request.as_bytes()).await.expect("an answer");
    Reply::parse(&String::from_utf8_lossy(&answer))
}
