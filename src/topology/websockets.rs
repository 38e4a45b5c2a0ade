//! Websockets: connections that begin as a request and then change their protocol.

use super::Known;
use crate::source::Site;

/// What is known of websockets on a hop on which something shows that they are meant to pass.
#[derive(Clone, Copy, Debug)]
pub struct Websockets {
    /// What shows it.
    pub shown_by: Site,
    /// Whether that can hardly mean anything else.
    pub sure: bool,
    /// What becomes of the request that opens one.
    pub opening: Known<Opening>,
}

/// What becomes of the request that opens a websocket: `Upgrade: websocket` with `Connection: upgrade`, in HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It is passed on as it came.
    Passed,
    /// Neither header is passed on.
    Dropped,
    /// `Connection` asks for a change of protocol here, and no `Upgrade` says to which.
    WithoutUpgrade(Site),
    /// `Upgrade` is passed on, and `Connection` does not ask for it.
    WithoutConnection {
        /// Where `Upgrade` is.
        upgrade: Site,
        /// The line that sends another `Connection`, if one does.
        instead: Option<Site>,
    },
    /// `Upgrade` names something that is no protocol: what is meant for `Connection`.
    WrongUpgrade(Site),
    /// Both are passed on, in HTTP/1.0: where that is written, if it is.
    OldVersion(Option<Site>),
}

/// Whether a path, a condition or a name speaks of websockets: `Some(true)` where the word can hardly mean anything
/// else, `Some(false)` where it can (`/ws` is also a web service).
#[must_use]
pub fn speaks_of_websockets(text: &str) -> Option<bool> {
    const SURE: [&str; 9] =
        ["websocket", "websockets", "websockify", "wss", "sockjs", "socketio", "signalr", "actioncable", "hmr"];
    const PERHAPS: [&str; 2] = ["ws", "cable"];
    // Each of the words below has one of these pairs of letters; most texts have none, and they are many.
    let pair = |pair: &[u8]| {
        let pair = [pair[0].to_ascii_lowercase(), pair[1].to_ascii_lowercase()];
        matches!(&pair, b"ws" | b"so" | b"gn" | b"bl" | b"hm" | b"e.")
    };
    if !text.as_bytes().windows(2).any(pair) {
        return None;
    }
    // The library's own files are plain ones.
    let file = text.rsplit('/').next().unwrap_or(text);
    if [".js", ".css", ".map"].iter().any(|ending| file.ends_with(ending)) {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    if ["socket.io", "engine.io", "socket\\.io", "web-socket", "web_socket"].iter().any(|name| text.contains(name))
        || words.clone().any(|word| SURE.contains(&word))
    {
        return Some(true);
    }
    words.any(|word| PERHAPS.contains(&word)).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for sure in ["/socket.io/", "^/socket\\.io/", "/app/websocket", "/sockjs-node", "if is_websocket", "wss_pool"] {
            assert_eq!(speaks_of_websockets(sure), Some(true), "{sure}");
        }
        for perhaps in ["/ws", "/api/ws/", "bk_ws", "/cable"] {
            assert_eq!(speaks_of_websockets(perhaps), Some(false), "{perhaps}");
        }
        for other in ["/", "/news", "/aws/", "/socket.io/socket.io.js", "/wsdl", "app", "/sockets-and-plugs"] {
            assert_eq!(speaks_of_websockets(other), None, "{other}");
        }
    }
}
