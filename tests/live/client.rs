//! The client: sends what `request` says and names what came back.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::case::RequestSpec;

/// What the client saw: a status, or `broken (…)`.
pub type Seen = String;

/// All the requests of a case, in order (or at once, or over one connection).
pub fn send_all(port: u16, spec: &RequestSpec) -> Vec<Seen> {
    if spec.keep {
        return kept(port, spec);
    }
    if spec.parallel {
        return thread::scope(|scope| {
            let all: Vec<_> = (0..spec.count).map(|_| scope.spawn(|| send(port, spec))).collect();
            all.into_iter().map(|t| t.join().unwrap_or_else(|_| "broken (client)".to_owned())).collect()
        });
    }
    let mut seen = Vec::new();
    for turn in 0..spec.count {
        if turn > 0 {
            thread::sleep(Duration::from_secs_f64(spec.pause));
        }
        seen.push(send(port, spec));
    }
    seen
}

fn send(port: u16, spec: &RequestSpec) -> Seen {
    let answer = connect(port, spec).and_then(|mut stream| {
        if spec.raw.is_some() || spec.upgrade.is_some() {
            return bare(&mut stream, spec);
        }
        stream.write_all(&text(port, spec))?;
        let (status, _) = answer(&mut stream, spec.read)?;
        Ok(status)
    });
    answer.unwrap_or_else(|error| broken(&error))
}

fn kept(port: u16, spec: &RequestSpec) -> Vec<Seen> {
    let mut stream = None;
    let mut seen = Vec::new();
    for turn in 0..spec.count {
        if turn > 0 {
            thread::sleep(Duration::from_secs_f64(spec.pause));
        }
        let open = stream.take().map_or_else(|| connect(port, spec), Ok);
        let answered = open.and_then(|mut open| {
            open.write_all(&text(port, spec))?;
            let (status, keep) = answer(&mut open, true)?;
            Ok((status, keep.then_some(open)))
        });
        match answered {
            Ok((status, open)) => {
                stream = open;
                seen.push(status);
            }
            Err(error) => seen.push(broken(&error)),
        }
    }
    seen
}

fn connect(port: u16, spec: &RequestSpec) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let limit = Some(Duration::from_secs_f64(spec.timeout));
    stream.set_read_timeout(limit)?;
    stream.set_write_timeout(limit)?;
    Ok(stream)
}

fn text(port: u16, spec: &RequestSpec) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", spec.method, spec.path);
    if !spec.headers.keys().any(|name| name.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("Host: 127.0.0.1:{port}\r\n"));
    }
    for (name, value) in &spec.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = spec.body_bytes.map(|bytes| "a".repeat(bytes)).or_else(|| spec.body.clone());
    if let Some(body) = &body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    head.push_str(body.as_deref().unwrap_or_default());
    head.into_bytes()
}

/// Bytes as written, or a protocol upgrade that is quiet for a while.
fn bare(stream: &mut TcpStream, spec: &RequestSpec) -> io::Result<Seen> {
    let upgrade = format!(
        "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        spec.path
    );
    stream.write_all(spec.raw.as_ref().unwrap_or(&upgrade).as_bytes())?;
    let (status, _) = answer(stream, false)?;
    if let (Some(quiet), "101") = (spec.upgrade, status.as_str()) {
        thread::sleep(Duration::from_secs_f64(quiet));
        let echoed = stream.write_all(b"ping").and_then(|()| stream.read(&mut [0; 4]));
        if !matches!(echoed, Ok(1..)) {
            return Ok("broken (tunnel closed)".to_owned());
        }
    }
    Ok(status)
}

/// The status of the next answer, and whether the connection may be used again. Reads the body if asked to.
fn answer(stream: &mut TcpStream, read: bool) -> io::Result<(Seen, bool)> {
    let mut data = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = data.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            fill(stream, &mut data)?;
        };
        let head = String::from_utf8_lossy(&data[..head_end]).into_owned();
        let mut words = head.split(' ');
        let status = match (words.next(), words.next().map(|w| w.get(..3).unwrap_or(w))) {
            (Some(version), Some(status)) if version.starts_with("HTTP/") => status.trim().to_owned(),
            _ => return Err(io::Error::new(ErrorKind::InvalidData, "not HTTP")),
        };
        data.drain(..head_end);
        if status == "100" {
            continue;
        }
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        let keep = field("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
        if read {
            body(stream, data, field("content-length"), field("transfer-encoding"))?;
        }
        return Ok((status, keep));
    }
}

/// Reads to the end of the body. One that ends before is "cut short".
fn body(stream: &mut TcpStream, mut data: Vec<u8>, length: Option<String>, coding: Option<String>) -> io::Result<()> {
    let cut = |error: io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => io::Error::new(ErrorKind::WriteZero, "cut short"),
        _ => error,
    };
    if coding.is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        while !data.ends_with(b"0\r\n\r\n") {
            fill(stream, &mut data).map_err(cut)?;
        }
        return Ok(());
    }
    match length.and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => {
            while data.len() < length {
                fill(stream, &mut data).map_err(cut)?;
            }
        }
        None => while fill(stream, &mut data).is_ok() {},
    }
    Ok(())
}

fn fill(stream: &mut TcpStream, data: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16384];
    match stream.read(&mut part)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        n => {
            data.extend_from_slice(&part[..n]);
            Ok(())
        }
    }
}

fn broken(error: &io::Error) -> Seen {
    let what = match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "timed out",
        ErrorKind::UnexpectedEof => "closed",
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "reset",
        ErrorKind::WriteZero => "cut short",
        ErrorKind::ConnectionRefused => "refused",
        _ => "not an answer",
    };
    format!("broken ({what})")
}
