//! The few bytes of HTTP that ask a local server whether it answers.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends a request without a body to a loopback port and returns the status.
pub(super) fn status(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Result<u16> {
    let mut request = format!(
        "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: 0\r\n"
    );
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n")?;
    }
    request.push_str("\r\n");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).context("the server closed without an answer")?;
    parse(&head).context("the server does not speak HTTP")
}

/// The status of an answer that begins like `HTTP/1.1 200`.
fn parse(head: &[u8; 12]) -> Option<u16> {
    let text = std::str::from_utf8(head).ok()?;
    text.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read_and_noise_is_refused() {
        assert_eq!(parse(b"HTTP/1.1 409"), Some(409));
        assert_eq!(parse(b"HTTP/1.0 200"), Some(200));
        assert_eq!(parse(b"SSH-2.0-Open"), None);
    }
}
