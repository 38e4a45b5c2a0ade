//! Lines by which HAProxy is told.

pub(super) enum HaproxyLine {
    Section,
    Keyword,
    Neither,
}

pub(super) fn haproxy_line(line: &[u8]) -> HaproxyLine {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let second = words.next().filter(|word| !word.starts_with(b"#"));
    if line.ends_with(b";") || line.ends_with(b"{") {
        return HaproxyLine::Neither;
    }
    let named = || second.is_some_and(|name| !name.contains(&b'=') && !name.contains(&b';'));
    match first {
        b"global" if second.is_none() => HaproxyLine::Section,
        b"defaults" if second.is_none() || named() => HaproxyLine::Section,
        b"frontend" | b"backend" | b"listen" | b"resolvers" | b"peers" | b"userlist" | b"mailers" | b"cache"
        | b"program" | b"ring" | b"http-errors" | b"fcgi-app" | b"log-forward" | b"crt-store" | b"log-profile"
            if named() =>
        {
            HaproxyLine::Section
        }
        b"mode"
        | b"log"
        | b"bind"
        | b"server"
        | b"server-template"
        | b"default-server"
        | b"timeout"
        | b"option"
        | b"no"
        | b"maxconn"
        | b"balance"
        | b"default_backend"
        | b"use_backend"
        | b"acl"
        | b"http-request"
        | b"http-response"
        | b"http-check"
        | b"tcp-request"
        | b"tcp-response"
        | b"tcp-check"
        | b"stats"
        | b"daemon"
        | b"user"
        | b"group"
        | b"chroot"
        | b"nbthread"
        | b"nbproc"
        | b"nameserver"
        | b"cookie"
        | b"retries"
        | b"errorfile"
        | b"redirect"
        | b"peer"
        | b"stick-table"
        | b"stick"
        | b"monitor-uri"
        | b"capture"
        | b"pidfile"
        | b"ca-base"
        | b"crt-base"
        | b"lua-load"
        | b"setenv"
        | b"compression"
        | b"hash-type"
        | b"description"
        | b"filter"
        | b"source"
        | b"fullconn"
        | b"http-reuse"
        | b"unique-id-format"
        | b"log-format"
        | b"parse-resolv-conf"
        | b"hold"
        | b"resolve_retries"
        | b"load-server-state-from-file"
        | b"external-check"
        | b"insecure-fork-wanted"
            if second.is_none_or(|word| word != b"=") =>
        {
            HaproxyLine::Keyword
        }
        word if word.starts_with(b"tune.") || word.starts_with(b"ssl-default-") || word == b"ssl-server-verify" => {
            HaproxyLine::Keyword
        }
        b".if" | b".notice" | b".else" | b".endif" => HaproxyLine::Keyword,
        _ => HaproxyLine::Neither,
    }
}
