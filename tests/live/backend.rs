//! The servers behind the proxy: one loopback socket each, on threads, with one way to behave.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::case::BackendSpec;
use crate::proxy::{Process, Scratch, find_program};
use crate::tls::{self, Channel};
use crate::{dns, wire};

/// How a backend behaves: a word, some with an argument after a colon.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub enum Behave {
    /// Answers 200.
    Ok,
    /// Nothing listens.
    Refuse,
    /// Reads the request and closes.
    Close,
    /// Reads the request and resets.
    Rst,
    /// Answers after so many seconds.
    Slow(f64),
    /// Adds a response header of so many bytes.
    BigHeader(usize),
    /// Adds so many response headers.
    ManyHeaders(usize),
    /// Answers something that is not HTTP.
    Garbage,
    /// Answers these bytes and closes.
    Raw(Vec<u8>),
    /// Promises more than it sends.
    ShortBody,
    /// Answers with this status line.
    Status(String),
    /// 421 unless the Host header is this one.
    NeedHost(String),
    /// Closes on HTTP/1.0.
    NeedHttp11,
    /// 500 on this path.
    FailPath(String),
    /// 400 unless the first line is HTTP.
    Strict,
    /// Closes unless a PROXY header comes first.
    NeedProxy,
    /// A kept connection dies on request N+1.
    Stale(usize),
    /// The accept queue is full, so connections hang: for ever, or for so many seconds after the first request.
    Full(Option<f64>),
    /// 101 and an echo, where an upgrade is asked for.
    Upgrade,
    /// The same, and 426 where none is.
    NeedUpgrade,
    /// Refuses for so many seconds, then answers 200.
    Late(f64),
    /// A FastCGI responder that answers after so many seconds.
    Fcgi(f64),
    /// A uwsgi server that answers after so many seconds.
    Uwsgi(f64),
    /// An HTTP/2 server (prior knowledge) that answers 200 after so many seconds.
    H2(f64),
    /// 400 and close, as soon as the first byte is not a letter.
    Picky,
    /// A name server.
    Dns,
    /// A real server, started as a process.
    Command,
}

impl TryFrom<String> for Behave {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (word, arg) = text.split_once(':').unwrap_or((&text, ""));
        let seconds = || if arg.is_empty() { Ok(0.0) } else { arg.parse::<f64>().map_err(|e| format!("{text}: {e}")) };
        let number = || arg.parse::<usize>().map_err(|e| format!("{text}: {e}"));
        Ok(match word {
            "ok" => Self::Ok,
            "refuse" => Self::Refuse,
            "close" => Self::Close,
            "rst" => Self::Rst,
            "slow" => Self::Slow(seconds()?),
            "big-header" => Self::BigHeader(number()?),
            "many-headers" => Self::ManyHeaders(number()?),
            "garbage" => Self::Garbage,
            "raw" => Self::Raw(unescape(arg)?),
            "short-body" => Self::ShortBody,
            "status" => Self::Status(arg.to_owned()),
            "need-host" => Self::NeedHost(arg.to_owned()),
            "need-http11" => Self::NeedHttp11,
            "fail-path" => Self::FailPath(arg.to_owned()),
            "strict" => Self::Strict,
            "need-proxy" => Self::NeedProxy,
            "stale" => Self::Stale(number()?),
            "full" if arg.is_empty() => Self::Full(None),
            "full" => Self::Full(Some(seconds()?)),
            "upgrade" => Self::Upgrade,
            "need-upgrade" => Self::NeedUpgrade,
            "late" => Self::Late(seconds()?),
            "fcgi" => Self::Fcgi(seconds()?),
            "uwsgi" => Self::Uwsgi(seconds()?),
            "h2" => Self::H2(seconds()?),
            "picky" => Self::Picky,
            "dns" => Self::Dns,
            "command" => Self::Command,
            _ => return Err(format!("unknown behaviour {text}")),
        })
    }
}

/// `\r`, `\n`, `\t`, `\\` and `\xNN`.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).map_err(|e| format!("\\x{digits}: {e}"))?
            }
            other => return Err(format!("unknown escape {other:?}")),
        });
    }
    Ok(out)
}

/// What the run tells its backends.
#[derive(Default)]
pub struct Phase {
    /// The requests begin.
    requested: AtomicBool,
    /// The run is over.
    over: AtomicBool,
}

impl Phase {
    pub fn over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// A running backend; it ends when this is dropped.
pub struct Backend {
    phase: Arc<Phase>,
    _process: Option<Process>,
    /// The connections that fill the queue of a `full` backend.
    _fillers: Vec<Socket>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.phase.over.store(true, Ordering::Relaxed);
    }
}

impl Backend {
    /// # Errors
    /// When the address cannot be bound, or a command does not come up.
    pub fn start(spec: &BackendSpec, scratch: &Scratch) -> Result<Self, String> {
        let phase = Arc::new(Phase::default());
        let mut backend = Self { phase: Arc::clone(&phase), _process: None, _fillers: Vec::new() };
        match spec.behave {
            Behave::Refuse => return Ok(backend),
            Behave::Command => {
                backend._process = Some(start_command(spec, scratch)?);
                return Ok(backend);
            }
            Behave::Dns => {
                dns::start(spec, phase)?;
                return Ok(backend);
            }
            _ => {}
        }
        let address = address(spec, scratch)?;
        let named = |e: io::Error| format!("backend {}: {e}", spec.port.unwrap_or_default());
        let socket = Socket::new(address.domain(), Type::STREAM, None).map_err(named)?;
        if address.domain() != Domain::UNIX {
            socket.set_reuse_address(true).map_err(named)?;
        }
        socket.bind(&address).map_err(named)?;
        if let Some(path) = address.as_pathname() {
            let mode = u32::from_str_radix(spec.mode.as_deref().unwrap_or("666"), 8).map_err(|e| e.to_string())?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(named)?;
        }
        let server = Arc::new(Server::new(spec, scratch));
        match spec.behave {
            Behave::Full(seconds) => {
                socket.listen(0).map_err(named)?;
                for _ in 0..4 {
                    let filler = Socket::new(address.domain(), Type::STREAM, None).map_err(named)?;
                    filler.set_nonblocking(true).map_err(named)?;
                    // "In progress" is the aim here, not an error.
                    let _ = filler.connect(&address);
                    backend._fillers.push(filler);
                }
                thread::spawn(move || {
                    while seconds.is_none() || !phase.requested.load(Ordering::Relaxed) {
                        if phase.over() {
                            return;
                        }
                        thread::sleep(Duration::from_millis(20));
                    }
                    server.listen_after(seconds.unwrap_or(0.0), &socket, &phase);
                });
            }
            Behave::Late(seconds) => {
                thread::spawn(move || server.listen_after(seconds, &socket, &phase));
            }
            _ => {
                socket.listen(128).map_err(named)?;
                thread::spawn(move || server.accept(&socket, &phase));
            }
        }
        Ok(backend)
    }

    /// The requests begin now.
    pub fn requests_begin(&self) {
        self.phase.requested.store(true, Ordering::Relaxed);
    }
}

fn address(spec: &BackendSpec, scratch: &Scratch) -> Result<SockAddr, String> {
    if let Some(path) = &spec.unix {
        return SockAddr::unix(scratch.fill(path)).map_err(|e| format!("{path}: {e}"));
    }
    let host: IpAddr = spec.host.parse().map_err(|e| format!("backend host {}: {e}", spec.host))?;
    Ok(SocketAddr::new(host, spec.port.ok_or("a backend needs `port` or `unix`")?).into())
}

/// Starts `command` and waits until its port or socket answers.
fn start_command(spec: &BackendSpec, scratch: &Scratch) -> Result<Process, String> {
    let words: Vec<String> = spec.command.iter().flatten().map(|word| scratch.fill(word)).collect();
    let program = words.first().and_then(|word| find_program(word)).ok_or("backend command not installed")?;
    let log = scratch.path().join(format!("backend-{}.log", spec.port.unwrap_or_default()));
    let out = File::create(&log).map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    // Its own process group: some servers leave workers behind when only the first process ends.
    command.args(&words[1..]).current_dir(scratch.path()).process_group(0).stdin(Stdio::null());
    command.stdout(out.try_clone().map_err(|e| e.to_string())?).stderr(out);
    let mut process = Process::start(command, true)?;
    let address = address(spec, scratch)?;
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end && process.running() {
        let probe = Socket::new(address.domain(), Type::STREAM, None).map_err(|e| e.to_string())?;
        if probe.connect(&address).is_ok() {
            return Ok(process);
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("backend {} did not come up: {}", words[0], read(&log)))
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

struct Server {
    behave: Behave,
    idle: Duration,
    tls: Option<tls::Acceptor>,
}

/// What to do with the connection after an answer.
#[derive(PartialEq, Eq)]
enum After {
    Keep,
    Close,
}

struct Request {
    line: String,
    fields: HashMap<String, String>,
}

impl Server {
    fn new(spec: &BackendSpec, scratch: &Scratch) -> Self {
        Self {
            behave: spec.behave.clone(),
            idle: Duration::from_secs_f64(spec.idle.unwrap_or(60.0)),
            tls: spec.tls.then(|| tls::Acceptor::new(scratch.certificate(), spec.sni.clone())),
        }
    }

    fn listen_after(self: &Arc<Self>, seconds: f64, listener: &Socket, phase: &Phase) {
        thread::sleep(Duration::from_secs_f64(seconds));
        if listener.listen(128).is_ok() {
            self.accept(listener, phase);
        }
    }

    fn accept(self: &Arc<Self>, listener: &Socket, phase: &Phase) {
        if listener.set_nonblocking(true).is_err() {
            return;
        }
        while !phase.over() {
            match listener.accept() {
                Ok((socket, _)) => {
                    let server = Arc::clone(self);
                    thread::spawn(move || {
                        // An error here is the proxy's hanging up; what the client sees is checked elsewhere.
                        let _ = server.serve(socket);
                    });
                }
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    fn serve(&self, socket: Socket) -> io::Result<()> {
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut channel = match &self.tls {
            Some(tls) => tls.accept(socket)?,
            None => Channel::Plain(socket),
        };
        match self.behave {
            Behave::Fcgi(seconds) => wire::fastcgi(&mut channel, seconds)?,
            Behave::Uwsgi(seconds) => wire::uwsgi(&mut channel, seconds)?,
            Behave::H2(seconds) => wire::http2(&mut channel, seconds)?,
            _ => {
                let mut served = 0;
                while let Some(request) = self.request(&mut channel, served == 0)? {
                    if matches!(self.behave, Behave::Stale(limit) if served >= limit) {
                        break; // dies as it is used again
                    }
                    served += 1;
                    if self.answer(&mut channel, &request)? == After::Close {
                        break;
                    }
                    channel.socket().set_read_timeout(Some(self.idle))?;
                }
            }
        }
        channel.finish()
    }

    /// The next request with its body read, or nothing where the connection shall end.
    fn request(&self, channel: &mut Channel, first: bool) -> io::Result<Option<Request>> {
        let mut data = Vec::new();
        let end = loop {
            if let Some(at) = data.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if fill(channel, &mut data)? == 0 {
                return Ok(None);
            }
            if matches!(self.behave, Behave::Picky) && !data[0].is_ascii_alphabetic() {
                refuse(channel)?;
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&data[..end]).into_owned();
        let mut lines = head.lines();
        let mut line = lines.next().unwrap_or_default();
        if matches!(self.behave, Behave::NeedProxy) && first {
            if !line.starts_with("PROXY ") {
                return Ok(None);
            }
            line = lines.next().unwrap_or_default();
        }
        let version = line.ends_with("HTTP/1.1") || line.ends_with("HTTP/1.0");
        // A path, `*` or a whole URL.
        let whole = |target: &str| target.starts_with(['/', '*']) || target.contains("://");
        let target = line.split(' ').nth(1).is_some_and(whole);
        if matches!(self.behave, Behave::Strict) && !(version && target) {
            refuse(channel)?;
            return Ok(None);
        }
        let fields = lines.filter_map(|l| l.split_once(':'));
        let fields: HashMap<_, _> = fields.map(|(k, v)| (k.to_ascii_lowercase(), v.trim().to_owned())).collect();
        if fields.contains_key("transfer-encoding") {
            while !data.ends_with(b"0\r\n\r\n") && fill(channel, &mut data)? > 0 {}
        }
        let length = fields.get("content-length").and_then(|v| v.parse::<usize>().ok()).unwrap_or(0);
        while data.len() < end + length && fill(channel, &mut data)? > 0 {}
        Ok(Some(Request { line: line.to_owned(), fields }))
    }

    fn answer(&self, channel: &mut Channel, request: &Request) -> io::Result<After> {
        let field = |name: &str| request.fields.get(name).map(String::as_str);
        let (mut status, mut body, mut extra) = ("200 OK", "ok\n", String::new());
        match &self.behave {
            Behave::Close => return Ok(After::Close),
            Behave::Rst => {
                channel.socket().set_linger(Some(Duration::ZERO))?;
                return Ok(After::Close);
            }
            Behave::Slow(seconds) => thread::sleep(Duration::from_secs_f64(*seconds)),
            Behave::BigHeader(bytes) => extra = format!("X-Big: {}\r\n", "a".repeat(*bytes)),
            Behave::ManyHeaders(count) => extra = (0..*count).map(|i| format!("X-H{i}: v\r\n")).collect(),
            Behave::Garbage => {
                channel.write_all(b"\x15\x03\x03\x00\x02\x02\x46not http at all\r\n")?;
                return Ok(After::Close);
            }
            Behave::Raw(bytes) => {
                channel.write_all(bytes)?;
                return Ok(After::Close);
            }
            Behave::ShortBody => {
                channel.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")?;
                return Ok(After::Close);
            }
            Behave::Upgrade | Behave::NeedUpgrade => {
                // `Upgrade` is for one connection only: `Connection` must name it (RFC 6455, 4.2.1).
                let asked = field("connection").is_some_and(|value| value.to_ascii_lowercase().contains("upgrade"));
                // A server of websockets takes no other protocol (RFC 6455, 4.2.1).
                let strict = matches!(self.behave, Behave::NeedUpgrade);
                let meant = |protocol: &&str| asked && (!strict || protocol.eq_ignore_ascii_case("websocket"));
                if let Some(protocol) = field("upgrade").filter(meant) {
                    wire::switch_protocols(channel, protocol, field("sec-websocket-key").unwrap_or_default())?;
                    return Ok(After::Close);
                }
                if matches!(self.behave, Behave::NeedUpgrade) {
                    (status, body) = ("426 Upgrade Required", "upgrade\n");
                }
            }
            Behave::Status(line) => status = line,
            Behave::NeedHost(host) if field("host") != Some(host) => {
                (status, body) = ("421 Misdirected Request", "wrong host\n");
            }
            Behave::NeedHttp11 if !request.line.ends_with("HTTP/1.1") => return Ok(After::Close),
            Behave::FailPath(path) if request.line.split(' ').nth(1) == Some(path) => {
                (status, body) = ("500 Internal Server Error", "no\n");
            }
            _ => {}
        }
        let close = field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let keep = request.line.ends_with("HTTP/1.1") && !close;
        let connection = if keep { "keep-alive" } else { "close" };
        let length = body.len();
        let text =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{extra}Connection: {connection}\r\n\r\n{body}");
        channel.write_all(text.as_bytes())?;
        channel.flush()?;
        Ok(if keep { After::Keep } else { After::Close })
    }
}

fn refuse(channel: &mut Channel) -> io::Result<()> {
    channel.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    channel.flush()?;
    channel.socket().shutdown(Shutdown::Write)
}

fn fill(channel: &mut Channel, data: &mut Vec<u8>) -> io::Result<usize> {
    let mut part = [0; 16384];
    let n = channel.read(&mut part)?;
    data.extend_from_slice(&part[..n]);
    Ok(n)
}
