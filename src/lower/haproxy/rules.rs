//! Rules of a proxy section: conditions and the ACLs they name, and what a rule does with a request.

use super::text::Statement;
use crate::source::Site;
use crate::topology::ServerName;

/// ACLs that every proxy knows (`default_acl_list` in the source, 2.2 to 3.5).
const PREDEFINED: [&str; 23] = [
    "FALSE",
    "HTTP",
    "HTTP_1.0",
    "HTTP_1.1",
    "HTTP_2.0",
    "HTTP_3.0",
    "HTTP_CONTENT",
    "HTTP_URL_ABS",
    "HTTP_URL_SLASH",
    "HTTP_URL_STAR",
    "LOCALHOST",
    "METH_CONNECT",
    "METH_DELETE",
    "METH_GET",
    "METH_HEAD",
    "METH_OPTIONS",
    "METH_POST",
    "METH_PUT",
    "METH_TRACE",
    "RDP_COOKIE",
    "REQ_CONTENT",
    "TRUE",
    "WAIT_END",
];

/// Whether an ACL exists without being written.
pub(super) fn is_predefined(name: &str) -> bool {
    PREDEFINED.contains(&name)
}

/// Where a statement's condition begins, for the keywords that may have one: the index of `if` or `unless`.
pub(super) fn condition_of(statement: &Statement<'_>) -> Option<usize> {
    let first = match statement.keyword() {
        "http-request"
        | "http-response"
        | "http-after-response"
        | "tcp-response"
        | "use_backend"
        | "use-server"
        | "stick"
        | "redirect" => 2,
        "tcp-request" => 3,
        "force-persist" | "ignore-persist" | "block" => 1,
        "monitor" if statement.word(1) == "fail" => 2,
        "stats" if matches!(statement.word(1), "admin" | "http-request") => 2,
        _ => return None,
    };
    statement.condition_at(first)
}

/// The ACLs that a condition names, with their places. Anonymous ones in braces are passed over.
pub(super) fn acl_names<'s>(statement: &'s Statement<'_>, condition: usize) -> Vec<(&'s str, Site)> {
    let mut names = Vec::new();
    let mut anonymous = false;
    for arg in statement.from(condition + 1) {
        let word = &*arg.text;
        if arg.live.is_some() {
            // It may stand for anything, a brace too: what follows cannot be told apart.
            break;
        }
        if anonymous {
            anonymous = word != "}";
            continue;
        }
        let name = word.trim_start_matches('!');
        match name {
            "" if word.is_empty() => break,
            "" | "||" => {}
            _ if name.eq_ignore_ascii_case("or") => {}
            "{" => anonymous = true,
            _ => names.push((name, arg.site)),
        }
    }
    names
}

/// Whether a rule answers a request itself when it applies, so that no server is asked.
pub(super) fn answers(statement: &Statement<'_>) -> bool {
    match statement.keyword() {
        "redirect" | "stats" | "dispatch" | "transparent" | "errorfile" | "errorloc" | "errorloc302"
        | "errorloc303" | "http-error" | "errorfiles" | "monitor-uri" | "stick-table" => true,
        "option" => matches!(statement.word(1), "transparent" | "http_proxy"),
        "http-request" => {
            let action = statement.word(1);
            matches!(
                action,
                "return" | "redirect" | "deny" | "tarpit" | "reject" | "use-service" | "silent-drop" | "auth" | "block"
            ) || action.starts_with("lua.")
        }
        "tcp-request" => {
            let action = if statement.word(1) == "inspect-delay" { "" } else { statement.word(2) };
            matches!(action, "reject" | "silent-drop" | "use-service") || action.starts_with("lua.")
        }
        "http-response" => matches!(statement.word(1), "return" | "deny" | "redirect"),
        _ => false,
    }
}

/// What a server name expression (`sni …`) comes to.
pub(super) fn server_name(expression: &str) -> ServerName {
    let expression: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let mut parts = split_converters(&expression).into_iter();
    let fetch = parts.next().unwrap_or("");
    let (name, argument) = match fetch.split_once('(') {
        Some((name, rest)) => (name, rest.trim_end_matches(')')),
        None => (fetch, ""),
    };
    let converters: Vec<&str> = parts.collect();
    let plain = |c: &str| matches!(c, "lower" | "host_only") || c.starts_with("field(1,:") || c.starts_with("word(1,:");
    match name {
        "str" if converters.is_empty() => ServerName::Fixed(argument.into()),
        "ssl_fc_sni" if converters.iter().all(|c| *c == "lower") => ServerName::FromClientHandshake,
        "req.hdr" | "hdr" | "req.fhdr" | "hdr_dom"
            if argument.split(',').next().is_some_and(|header| header.eq_ignore_ascii_case("host")) =>
        {
            match converters.as_slice() {
                [] | ["lower"] => ServerName::FromHostWithPort,
                all if all.iter().all(|c| plain(c)) => ServerName::FromHost,
                _ => ServerName::Computed,
            }
        }
        _ => ServerName::Computed,
    }
}

/// Splits an expression at the commas outside parentheses.
fn split_converters(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0usize, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Whether a backend's name is put together for each request.
pub(super) fn is_computed(name: &str) -> bool {
    name.contains("%[") || name.contains("%{") || (name.contains('%') && !name.contains("%%"))
}

/// The default of a `map(file,default)` converter that decides a computed backend's name.
pub(super) fn map_default(name: &str) -> Option<&str> {
    let inside = name.strip_prefix("%[")?.strip_suffix(']')?;
    let last = split_converters(inside).pop()?;
    let arguments = last.strip_prefix("map")?.split_once('(')?.1.strip_suffix(')')?;
    Some(arguments.split_once(',')?.1.trim_matches(['"', '\''])).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_names() {
        assert_eq!(server_name("str(api.example.net)"), ServerName::Fixed("api.example.net".into()));
        assert_eq!(server_name("req.hdr(host)"), ServerName::FromHostWithPort);
        assert_eq!(server_name("hdr(Host)"), ServerName::FromHostWithPort);
        assert_eq!(server_name("req.hdr(host),field(1,:)"), ServerName::FromHost);
        assert_eq!(server_name("req.hdr(host),lower,field(1,:)"), ServerName::FromHost);
        assert_eq!(server_name("req.hdr(host),host_only"), ServerName::FromHost);
        assert_eq!(server_name("ssl_fc_sni"), ServerName::FromClientHandshake);
        assert_eq!(server_name("var(txn.name)"), ServerName::Computed);
    }

    #[test]
    fn computed_names() {
        assert!(is_computed("bk_%[req.hdr(host),lower]"));
        assert!(!is_computed("app"));
        assert_eq!(map_default("%[req.hdr(host),lower,map(/etc/hosts.map,bk_default)]"), Some("bk_default"));
        assert_eq!(map_default("%[req.hdr(host),map_dom(/etc/hosts.map)]"), None);
    }
}
