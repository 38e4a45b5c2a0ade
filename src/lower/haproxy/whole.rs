//! Statements that say something of a section as a whole.

use super::rules;
use super::section::Section;
use super::text::{Prefix, Statement};
use crate::edit::{Edit, Fix};
use crate::topology::{Fault, FaultKind, FaultWeight, HostSent, ProxyId};

/// Reads such a statement.
pub(super) fn statement(proxy: ProxyId, section: &mut Section, statement: &Statement<'_>) {
    let on = statement.prefix == Prefix::None;
    match (statement.keyword(), statement.word(1)) {
        (
            "option",
            "httpchk" | "tcp-check" | "smtpchk" | "pgsql-check" | "mysql-check" | "redis-check" | "ldap-check"
            | "ssl-hello-chk" | "spop-check" | "external-check",
        ) if on => section.check_rules.push(statement.site),
        ("http-check", "expect" | "send" | "connect") => {
            section.speaks_http = true;
            section.http_check_rules.push(statement.site);
        }
        ("tcp-check", _) => section.check_rules.push(statement.site),
        ("stick", "on" | "match") => section.sticky = Some(statement.site),
        ("use-fcgi-app", _) => section.fastcgi = true,
        ("tcp-request", "connection") if statement.word(2) == "expect-proxy" => {
            section.expects_proxy |= rules::condition_of(statement).is_none();
            section.may_expect_proxy = true;
        }
        ("http-request", action) => {
            section.speaks_http = true;
            let always = rules::condition_of(statement).is_none();
            match action {
                "set-header" if statement.word(2).eq_ignore_ascii_case("host") => {
                    let value = statement.word(3);
                    section.host_sent = if always && !value.contains('%') && statement.live().is_none() {
                        HostSent::Fixed(value.into())
                    } else {
                        HostSent::Unknown
                    };
                }
                "replace-header" | "del-header" if statement.word(2).eq_ignore_ascii_case("host") => {
                    section.host_sent = HostSent::Unknown;
                }
                "set-path" | "replace-path" | "set-uri" | "replace-uri" | "set-pathq" | "replace-pathq"
                | "normalize-uri" => section.path_kept = false,
                _ => {}
            }
        }
        ("http-response", "deny") => {
            section.speaks_http = true;
            let end = rules::condition_of(statement).unwrap_or(statement.args.len());
            let status = statement.args.iter().take(end).any(|arg| matches!(&*arg.text, "deny_status" | "status"));
            if on && !status && statement.live().is_none() && statement.condition.is_none() {
                let edit = Edit::Word {
                    within: statement.site.span,
                    from: "deny".to_owned(),
                    to: "deny deny_status 403".to_owned(),
                };
                section.faults.push(
                    Fault::new(
                        FaultKind::BadGateway,
                        proxy,
                        (statement.site, "answers 502"),
                        "this rule answers 502, as if the server had failed",
                    )
                    .help("write `deny_status 403`, or the status that is meant")
                    .fix(Fix::guess("deny with 403", [edit]))
                    .weight(FaultWeight::Remark, true),
                );
            }
        }
        ("http-response" | "http-after-response" | "http-reuse" | "cookie" | "redirect", _) => {
            section.speaks_http = true;
        }
        ("option", "forwardfor" | "httplog" | "http-server-close" | "httpclose" | "http-keep-alive") => {
            section.speaks_http = true;
        }
        ("timeout", "http-request" | "http-keep-alive") => section.speaks_http = true,
        _ => {}
    }
}
