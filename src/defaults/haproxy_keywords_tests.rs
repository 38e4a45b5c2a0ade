use super::*;

fn version(major: u16, minor: u16) -> Version {
    Version(major, minor, 0)
}

#[test]
fn every_row_is_read() {
    let text = include_str!("haproxy_keywords.txt");
    let rows: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), keywords().len() + server_options().len() + bind_options().len());
    for row in rows {
        let [family, sides, since, removed, words] = super::row(row).unwrap();
        assert!(words.split(' ').count() <= 3 && words == words.trim() && !words.is_empty(), "{row}");
        for at in [since, removed] {
            assert!(at == "-" || super::version(at).is_some(), "{row}");
        }
        match family {
            "proxy" => assert!(!sides.is_empty() && sides.chars().all(|side| "dflb".contains(side)), "{row}"),
            "server" | "bind" => assert!(sides.parse::<u8>().is_ok(), "{row}"),
            _ => assert_eq!(sides, "-", "{row}"),
        }
        // Keywords are looked up by their first word.
        assert!(!words.ends_with('*') || words.contains(' ') || family == "server", "{row}");
    }
    let twice = keywords().windows(2).find(|pair| (pair[0].family, pair[0].words) >= (pair[1].family, pair[1].words));
    assert_eq!(twice, None);
}

#[test]
fn every_keyword_finds_itself() {
    for known in keywords() {
        let section = if known.family == "proxy" { "listen" } else { known.family };
        let words: Vec<_> = known.words.split(' ').collect();
        assert_eq!(keyword(section, &words), Some(known));
        assert!(begins_keyword(section, &words[..1]));
    }
    for known in server_options() {
        assert_eq!(server_option(known.word), Some(known));
    }
    for known in bind_options() {
        assert_eq!(bind_option(known.word), Some(known));
    }
}

#[test]
fn the_longest_match_wins() {
    let words = |section, words: &[&str]| keyword(section, words).map(|keyword| keyword.words);
    assert_eq!(words("frontend", &["timeout", "connect", "5s"]), Some("timeout connect"));
    assert_eq!(words("frontend", &["no", "option", "httplog"]), Some("option httplog"));
    assert_eq!(words("backend", &["http-request", "set-var(txn.x)", "int(1)"]), Some("http-request set-var"));
    assert_eq!(words("backend", &["http-request", "set-var-fmt(txn.x)", "x"]), Some("http-request set-var-fmt"));
    assert_eq!(words("backend", &["tcp-request", "content", "track-sc2", "src"]), Some("tcp-request content track-sc"));
    assert_eq!(words("backend", &["http-request", "lua.auth"]), Some("http-request lua."));
    assert_eq!(words("listen", &["bind", ":80"]), Some("bind"));
    assert_eq!(words("global", &["stats", "socket", "/x"]), Some("stats socket"));
    assert_eq!(words("listen", &["option", "httplgo"]), None);
    assert_eq!(words("listen", &["stick"]), None);
    assert!(begins_keyword("listen", &["stick"]) && !begins_keyword("listen", &["stic"]));
    assert!(begins_keyword("listen", &["tcp-request", "content"]));
    assert_eq!(words("listen", &[]), None);
    assert_eq!(words("nosuch", &["bind"]), None);
    assert_eq!(words("listen", &["timeout connect"]), None);
    assert_eq!(words("listen", &["tcp-request", "content accept"]), None);
}

#[test]
fn sides_are_those_of_the_manual() {
    let timeout = keyword("frontend", &["timeout", "server", "5s"]).unwrap();
    assert!(!timeout.is_meant_in("frontend") && timeout.is_meant_in("backend") && timeout.is_meant_in("defaults"));
    let bind = keyword("backend", &["bind", ":80"]).unwrap();
    assert!(!bind.is_meant_in("backend") && bind.is_meant_in("listen"));
    let daemon = keyword("global", &["daemon"]).unwrap();
    assert!(daemon.is_meant_in("global") && !daemon.is_meant_in("listen"));
    assert_eq!(anywhere(&["nameserver", "a"]).map(|keyword| keyword.family).collect::<Vec<_>>(), ["resolvers"]);
    assert_eq!(anywhere(&["nosuch"]).count(), 0);
}

#[test]
fn versions_that_were_measured() {
    // Seen with `haproxy -c` of 2.2.0, 2.4.0, 2.6.12, 2.8.0, 3.0.0, 3.2.0 and 3.3.0.
    let refused = |section, words: &[&str], at: Version| {
        let keyword = keyword(section, words).unwrap();
        assert!(!keyword.is_in(at), "{words:?} {at}");
    };
    let fine = |section, words: &[&str], at: Version| {
        let keyword = keyword(section, words).unwrap();
        assert!(keyword.is_in(at), "{words:?} {at}");
    };
    for word in ["reqrep", "reqadd", "block", "clitimeout", "contimeout", "srvtimeout", "redispatch", "appsession"] {
        refused("listen", &[word], version(2, 6));
    }
    for (section, words) in [
        ("frontend", &["monitor-net"][..]),
        ("frontend", &["grace"]),
        ("global", &["nbproc"]),
        ("global", &["tune.chksize"]),
        ("frontend", &["option", "forceclose"]),
        ("frontend", &["option", "http-tunnel"]),
    ] {
        fine(section, words, version(2, 2));
        refused(section, words, version(2, 6));
    }
    fine("frontend", &["bind-process"], version(2, 6));
    refused("frontend", &["bind-process"], version(2, 8));
    for (section, words, last_without, first_with) in [
        ("backend", &["option", "forwarded"][..], version(2, 6), version(2, 8)),
        ("frontend", &["guid"], version(2, 8), version(3, 0)),
        ("backend", &["hash-preserve-affinity"], version(3, 0), version(3, 2)),
        ("global", &["cpu-policy"], version(3, 0), version(3, 2)),
        ("global", &["tune.bufsize.small"], version(3, 0), version(3, 2)),
        ("global", &["expose-deprecated-directives"], version(2, 8), version(3, 0)),
    ] {
        refused(section, words, last_without);
        fine(section, words, first_with);
    }
    for (word, without, with) in [
        ("hash-key", version(2, 8), version(3, 0)),
        ("init-state", version(3, 0), version(3, 2)),
        ("idle-ping", version(3, 0), version(3, 2)),
        ("sni-auto", version(3, 2), version(3, 3)),
        ("shard", version(2, 6), version(2, 8)),
        ("ws", version(2, 4), version(2, 6)),
    ] {
        let since = server_option(word).unwrap().since.unwrap();
        assert!(without < since && since <= with, "{word}");
    }
}

#[test]
fn options_know_how_many_arguments_follow() {
    let server = |word| server_option(word).map(|option| option.arguments);
    assert_eq!(server("check"), Some(0));
    assert_eq!(server("inter"), Some(1));
    assert_eq!(server("source"), Some(1));
    assert_eq!(server("usesrc"), Some(1));
    assert_eq!(server("set-proxy-v2-tlv-fmt(0xE0)"), Some(1));
    assert_eq!(server("no-check"), Some(0));
    assert_eq!(server("nosuch"), None);
    let bind = |word| bind_option(word).map(|option| option.arguments);
    assert_eq!(bind("ssl"), Some(0));
    assert_eq!(bind("crt"), Some(1));
    assert_eq!(bind("accept-netscaler-cip"), Some(1));
    assert_eq!(bind_option("process").unwrap().removed, Some(version(2, 7)));
}

#[test]
fn what_was_meant() {
    assert_eq!(nearest("frontend", &["timeout", "conect", "5s"]), Some("timeout connect"));
    assert_eq!(nearest("frontend", &["timout", "client", "5s"]), Some("timeout client"));
    assert_eq!(nearest("backend", &["sever", "a", "b"]), Some("server"));
    assert_eq!(nearest("frontend", &["default_backed", "a"]), Some("default_backend"));
    assert_eq!(nearest("frontend", &["default-backend", "a"]), Some("default_backend"));
    assert_eq!(nearest("global", &["maxcon", "5"]), Some("maxconn"));
    assert_eq!(nearest("frontend", &["xyzzy"]), None);
    assert_eq!(nearest("frontend", &["a"]), None);
    assert_eq!(nearest("frontend", &["x".repeat(1_000_000).as_str()]), None);
    assert_eq!(nearest_server_option("chek"), Some("check"));
    assert_eq!(nearest_bind_option("accept-prox"), Some("accept-proxy"));
    assert_eq!(nearest_server_option("zzzz"), None);
}

#[test]
fn replacements_stand_for_removed_keywords() {
    for (words, _) in INSTEAD {
        assert!(removed().any(|(keyword, _)| keyword.words == words), "{words}");
    }
    assert_eq!(keyword("listen", &["contimeout", "5"]).unwrap().instead(), Some("timeout connect"));
    // The global keyword of one name is alive.
    assert_eq!(keyword("global", &["grace", "5"]).unwrap().instead(), None);
    assert!(newer().any(|(keyword, since)| keyword.words == "guid" && since == version(3, 0)));
}
