//! HAProxy: many files, or one large one.

use super::{Dice, File, HAZARD_EVERY, address};
use std::fmt::Write as _;

const HEAD: &str = "\
# Written by hand; reload with care.
global
    log 127.0.0.1 local0
    maxconn 20000
    # Answers of applications with many cookies need room.
    tune.bufsize 32768

defaults
    mode http
    log global
    option httplog
    option dontlognull
    option redispatch
    option splice-auto
    timeout http-keep-alive 15s
    retries 3
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout queue 10s
    timeout http-request 10s
    option http-keep-alive

";

/// So many files of 60 to 94 lines; each is complete.
pub fn haproxy_files(count: usize, seed: u64) -> Vec<File> {
    (0..count)
        .map(|number| {
            let mut dice = Dice(seed ^ (number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
            let mut text = HEAD.to_owned();
            service(number, &mut dice, &mut text);
            File { path: format!("services/{number:05}/haproxy.cfg"), text }
        })
        .collect()
}

/// One file with so many frontends, each with its backends.
pub fn haproxy_file(services: usize, seed: u64) -> String {
    let mut text = HEAD.to_owned();
    for number in 0..services {
        let mut dice = Dice(seed ^ (number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
        service(number, &mut dice, &mut text);
    }
    text
}

/// A frontend and two to four backends.
fn service(number: usize, dice: &mut Dice, text: &mut String) {
    let hazard = if dice.one_in(HAZARD_EVERY) { 1 + dice.below(5) } else { 0 };
    let backends = 2 + [0, 1, 1, 2][dice.below(4) as usize];
    let _ = write!(
        text,
        "frontend web{number}\n    \
         bind 127.{}.{}.1:8080 name plain\n    \
         # Who asked, for the log.\n    \
         http-request set-header X-Forwarded-Proto http\n    \
         http-request set-header X-Service \"web {number}, \\\"public\\\" side\"\n    \
         option forwardfor except 127.0.0.0/8\n    \
         # Nobody needs more than this at once.\n    \
         stick-table type ip size 100k expire 30s store http_req_rate(10s)\n    \
         http-request track-sc0 src\n    \
         http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 200 }}\n    \
         http-response del-header X-Powered-By\n    \
         acl is_health path /health\n    \
         http-request return status 200 content-type text/plain string 'ok' if is_health\n",
        1 + number / 250 % 250,
        number % 250,
    );
    for backend in 1..backends {
        let _ = write!(
            text,
            "    acl to_{backend} path_beg -i /part{backend}/ /old/part{backend}/\n    \
             use_backend app{number}_{backend} if to_{backend} !is_health\n",
        );
    }
    let _ = write!(text, "    default_backend app{number}_0\n\n");
    for backend in 0..backends {
        let _ = write!(text, "backend app{number}_{backend}\n    balance {}\n", balance(dice));
        let _ = write!(
            text,
            "    # Owner: team {}\n    option httpchk GET /health\n    http-check expect status 200\n",
            dice.below(40)
        );
        if dice.one_in(2) {
            let _ = write!(
                text,
                "    cookie SRV insert indirect nocache\n    \
                 http-request set-path \"%[path,regsub(^/part{backend}/,/)]\"\n"
            );
        }
        if dice.one_in(3) {
            let _ = writeln!(text, "    fullconn {}", 100 * (1 + dice.below(20)));
        }
        match hazard {
            1 if backend == 0 => text.push_str("    timeout server 2s\n"),
            2 if backend == 0 => text.push_str("    timeout connect 100\n"),
            3 if backend == 0 => text.push_str("    retries 0\n"),
            _ => text.push_str("    timeout server 90s\n"),
        }
        let port = if hazard == 4 { 443 } else { 8000 + dice.below(20) };
        let check = if hazard == 5 { "" } else { " check inter 2s fall 3 rise 2" };
        for machine in 0..3 + dice.below(2) {
            let more = match dice.below(5) {
                0 => " weight 20",
                1 => " maxconn 200",
                2 if machine > 1 => " backup",
                _ => "",
            };
            let ip = address(number, 10 * backend as u64 + machine);
            let _ = writeln!(text, "    server s{machine} {ip}:{port}{check}{more}");
        }
        text.push('\n');
    }
}

fn balance(dice: &mut Dice) -> &'static str {
    ["roundrobin", "leastconn", "source", "uri"][dice.below(4) as usize]
}
