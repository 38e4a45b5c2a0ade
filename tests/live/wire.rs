//! Just enough of other protocols for a backend to be recognised as one that speaks them.

use std::io::{self, Read, Write};
use std::thread;
use std::time::Duration;

use crate::tls::Channel;

const PAGE: &str = "Content-Type: text/plain\r\n\r\nok\n";

/// Answers one FastCGI request; ends on anything that is not FastCGI.
pub fn fastcgi(channel: &mut Channel, seconds: f64) -> io::Result<()> {
    loop {
        let mut head = [0; 8];
        channel.read_exact(&mut head)?;
        let [version, kind, id_high, id_low, size_high, size_low, padding, _] = head;
        if version != 1 {
            return Ok(());
        }
        let size = u16::from_be_bytes([size_high, size_low]);
        skip(channel, u64::from(size) + u64::from(padding))?;
        if kind != 5 || size != 0 {
            continue; // until the end of stdin
        }
        thread::sleep(Duration::from_secs_f64(seconds));
        let page = format!("Status: 200 OK\r\n{PAGE}");
        for (kind, data) in [(6, page.as_bytes()), (6, &[]), (3, &[0; 8])] {
            let length = u8::try_from(data.len()).map_err(io::Error::other)?;
            channel.write_all(&[1, kind, id_high, id_low, 0, length, 0, 0])?;
            channel.write_all(data)?;
        }
        return channel.flush();
    }
}

/// Answers one uwsgi request: a header of four bytes, the variables, then an HTTP answer.
pub fn uwsgi(channel: &mut Channel, seconds: f64) -> io::Result<()> {
    let mut head = [0; 4];
    channel.read_exact(&mut head)?;
    let [modifier, size_low, size_high, _] = head;
    if modifier != 0 {
        return Ok(());
    }
    skip(channel, u64::from(u16::from_le_bytes([size_low, size_high])))?;
    thread::sleep(Duration::from_secs_f64(seconds));
    channel.write_all(format!("HTTP/1.1 200 OK\r\n{PAGE}").as_bytes())?;
    channel.flush()
}

/// Answers each request of one HTTP/2 connection with 200 and no body.
pub fn http2(channel: &mut Channel, seconds: f64) -> io::Result<()> {
    let mut preface = [0; 24];
    channel.read_exact(&mut preface)?;
    if preface != *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        return Ok(());
    }
    channel.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])?; // our settings: the defaults
    channel.flush()?;
    loop {
        let mut head = [0; 9];
        channel.read_exact(&mut head)?;
        let [size @ .., kind, flags, s1, s2, s3, s4] = head;
        let [high, middle, low] = size;
        skip(channel, u64::from(u32::from_be_bytes([0, high, middle, low])))?;
        match kind {
            1 | 0 if flags & 1 == 1 => {
                thread::sleep(Duration::from_secs_f64(seconds));
                // HEADERS, end of stream and of headers; the one field is `:status: 200` (static table, 8).
                channel.write_all(&[0, 0, 1, 1, 5, s1, s2, s3, s4, 0x88])?;
            }
            4 if flags & 1 == 0 => channel.write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0])?,
            _ => {}
        }
        channel.flush()?;
    }
}

/// 101, then an echo of whatever comes. The key is the one that the client always sends (RFC 6455's own example).
pub fn switch_protocols(channel: &mut Channel, protocol: &str, key: &str) -> io::Result<()> {
    let accept = if key == "dGhlIHNhbXBsZSBub25jZQ==" { "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" } else { "" };
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    channel.write_all(head.as_bytes())?;
    channel.flush()?;
    let mut part = [0; 4096];
    loop {
        let n = channel.read(&mut part)?;
        if n == 0 {
            return Ok(());
        }
        channel.write_all(&part[..n])?;
        channel.flush()?;
    }
}

fn skip(channel: &mut Channel, bytes: u64) -> io::Result<()> {
    io::copy(&mut Read::by_ref(channel).take(bytes), &mut io::sink()).map(|_| ())
}
