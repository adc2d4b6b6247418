//! Bytes between the socket and actix: what its HTTP parser would refuse without a word, made acceptable or answered.
//!
//! Two things only. Entra leaves non-ASCII characters and quotation marks in a query as they are, which is no valid URI;
//! they are percent-encoded before the parser sees them. And where the parser answers by itself, with an empty 400,
//! 408 or 431, the answer is given a SCIM body.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::web::{Buf as _, BytesMut};
use scim_protocol::error::ScimError;
use service_runtime::http::REQUEST_ID;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use typed_ids::RequestId;

/// How much of a request line is read at once.
const CHUNK: usize = 8 * 1024;

/// The only requests whose query matters are reads. Anything else passes untouched, so that no part of a body is ever
/// mistaken for a request line.
const READS: &[u8] = b"GET /";

/// What actix writes when a caller waits to be asked for the body, possibly with the answer right behind it.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Gives a connection's bytes the treatment described in this module.
pub(crate) fn forgiving<T>(stream: T) -> Forgiving<T> {
    Forgiving { stream, line: Line::Begins, incoming: BytesMut::new(), outgoing: BytesMut::new() }
}

/// A connection whose bytes are looked at on their way.
pub(crate) struct Forgiving<T> {
    stream: T,
    line: Line,
    /// Read, treated, and not yet taken by the parser.
    incoming: BytesMut,
    /// An answer in the place of another, not yet written.
    outgoing: BytesMut,
}

/// Where in a request the next byte to be read stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// At its beginning: nothing was read since an answer that leaves the connection open was begun.
    Begins,
    /// In the request line of a read.
    Continues,
    /// Behind it, or on a connection that is about to be closed.
    Over,
}

impl<T: AsyncRead + Unpin> AsyncRead for Forgiving<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.incoming.is_empty() {
            if this.line == Line::Over {
                return Pin::new(&mut this.stream).poll_read(context, buf);
            }
            let mut chunk = [0; CHUNK];
            let mut read = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut read))?;
            this.line = escape(this.line, read.filled(), &mut this.incoming);
        }
        let length = this.incoming.len().min(buf.remaining());
        buf.put_slice(&this.incoming.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Forgiving<T> {
    fn poll_outgoing(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.outgoing))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Forgiving<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_outgoing(context))?;
        if lets_another_request_begin(bytes) {
            this.line = Line::Begins;
        }
        match instead_of(bytes) {
            Some(answer) => {
                this.outgoing.extend_from_slice(&answer);
                Poll::Ready(Ok(bytes.len()))
            }
            None => Pin::new(&mut this.stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_outgoing(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_outgoing(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Appends `bytes` to `out`, with what a URI may not hold percent-encoded up to the end of the request line.
fn escape(line: Line, bytes: &[u8], out: &mut BytesMut) -> Line {
    if bytes.is_empty() {
        return line;
    }
    let shared = bytes.len().min(READS.len());
    let is_read = line == Line::Continues || bytes.get(..shared) == READS.get(..shared);
    let end = bytes.iter().position(|&byte| byte == b'\n');
    let (request_line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    if !is_read || request_line.iter().all(|&byte| is_legal(byte)) {
        out.extend_from_slice(bytes);
    } else {
        for &byte in request_line {
            if is_legal(byte) {
                out.extend_from_slice(&[byte]);
            } else {
                out.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
        out.extend_from_slice(rest);
    }
    if !is_read {
        return Line::Over;
    }
    if end.is_some() { Line::Over } else { Line::Continues }
}

/// Whether the parser takes this byte in a request line, or refuses it for a good reason.
const fn is_legal(byte: u8) -> bool {
    byte < 0x7f && !matches!(byte, b'"' | b'<' | b'>' | b'`')
}

/// Whether what is read after `written` is the beginning of a request.
///
/// Not after an interim answer, which asks for a body (RFC 9110 §15.2), nor after one that closes the connection, as
/// [`super::entry`] and actix do with every answer that leaves a part of a body unread: a body that is taken for a request
/// line grows, and what it pushes out of its frame would be read as a request of its own.
/// HTTP/1.0 closes without saying so.
fn lets_another_request_begin(written: &[u8]) -> bool {
    let answer = written.strip_prefix(CONTINUE).unwrap_or(written);
    if !answer.starts_with(b"HTTP/1.1 ") || answer.starts_with(b"HTTP/1.1 1") {
        return false;
    }
    let lines = answer.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    let mut head = lines.take_while(|line| !line.is_empty());
    !head.any(|line| line.eq_ignore_ascii_case(b"connection: close"))
}

/// The answer to send when `answer` is one of the parser's own: an error, and nothing that says why.
fn instead_of(answer: &[u8]) -> Option<Vec<u8>> {
    let rest = answer.strip_prefix(b"HTTP/1.1 ").or_else(|| answer.strip_prefix(b"HTTP/1.0 "))?;
    let status = rest.get(..3)?;
    if !matches!(status, b"400" | b"408" | b"431") {
        return None;
    }
    let head = std::str::from_utf8(answer).ok()?.to_ascii_lowercase();
    if !head.contains("\r\ncontent-length: 0\r\n") || head.contains("\r\ncontent-type:") {
        return None;
    }
    let (error, line) = match status {
        b"408" => (ScimError::new(408, None, "The request did not arrive in time."), "408 Request Timeout"),
        b"431" => (
            ScimError::new(431, None, "The request line and headers are too long or too many."),
            "431 Request Header Fields Too Large",
        ),
        _ => (ScimError::invalid_syntax("This is not a valid HTTP request."), "400 Bad Request"),
    };
    let body = error.to_json().to_string();
    let length = body.len();
    let head =
        format!("HTTP/1.1 {line}\r\ncontent-length: {length}\r\ncontent-type: application/scim+json\r\n");
    let id = RequestId::mint();
    Some(format!("{head}{REQUEST_ID}: {id}\r\nconnection: close\r\n\r\n{body}").into_bytes())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// What the parser reads of these pieces.
    async fn passed(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut client, server) = duplex(64 * 1024);
        let mut server = forgiving(server);
        let mut seen = Vec::new();
        for piece in pieces {
            client.write_all(piece).await.unwrap();
            let mut buffer = vec![0; 16 * 1024];
            let length = server.read(&mut buffer).await.unwrap();
            seen.extend_from_slice(&buffer[..length]);
        }
        seen
    }

    #[tokio::test]
    async fn what_a_uri_may_not_hold_is_encoded_in_the_request_line_alone() {
        let seen = passed(&[
            "GET /scim/Users?filter=a+eq+\"\u{fc}\" HTTP/1.1\r\nX-Name: \"\u{fc}\"\r\n\r\n".as_bytes()
        ])
        .await;
        let expected = "GET /scim/Users?filter=a+eq+%22%C3%BC%22 HTTP/1.1\r\nX-Name: \"\u{fc}\"\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&seen), expected);
    }

    #[tokio::test]
    async fn a_request_line_may_arrive_in_pieces() {
        let seen = passed(&[b"G", b"ET /a?b=\"", b"\" HTTP/1.1\r\n", b"x: \"\r\n"]).await;
        assert_eq!(String::from_utf8_lossy(&seen), "GET /a?b=%22%22 HTTP/1.1\r\nx: \"\r\n");
    }

    #[tokio::test]
    async fn a_body_is_never_touched() {
        let pieces: [&[u8]; 3] = [b"POST /scim/Users HTTP/1.1\r\n\r\n", b"{\"a\":\"b\"}", b"GET /\"\n"];
        assert_eq!(passed(&pieces).await, pieces.concat());
    }

    #[tokio::test]
    async fn every_request_of_a_connection_is_looked_at() {
        let (mut client, server) = duplex(64 * 1024);
        let mut server = forgiving(server);
        for _ in 0..3 {
            client.write_all(b"GET /\" HTTP/1.1\r\n\r\n").await.unwrap();
            let mut buffer = vec![0; 1024];
            let length = server.read(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], b"GET /%22 HTTP/1.1\r\n\r\n");
            server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    }

    #[test]
    fn a_request_begins_only_behind_a_final_answer_that_keeps_the_connection() {
        for (written, begins) in [
            ("HTTP/1.1 204 No Content\r\n\r\n", true),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\nconnection: close\r\n", true),
            ("HTTP/1.1 100 Continue\r\n\r\n", false),
            ("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n", false),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\n\r\n", false),
            ("the rest of a long answer", false),
        ] {
            assert_eq!(lets_another_request_begin(written.as_bytes()), begins, "{written}");
        }
    }

    #[test]
    fn only_empty_errors_are_given_a_body() {
        let empty = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let answer = String::from_utf8(instead_of(empty).unwrap()).unwrap();
        assert!(answer.contains("\"status\":\"400\""), "{answer}");
        assert_eq!(instead_of(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"), None);
        assert_eq!(instead_of(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 7\r\n\r\n"), None);
    }
}
