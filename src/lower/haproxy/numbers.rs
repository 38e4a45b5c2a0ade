//! Numbers that HAProxy reads with C's `atoi()`: up to the first character that is no digit.

use super::facts::Facts;
use super::text::Arg;
use super::times;
use crate::edit::{Edit, Fix};
use crate::source::Site;
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};

/// Server options with such a number.
pub(super) const OF_A_SERVER: [&str; 7] = ["weight", "maxconn", "minconn", "maxqueue", "fall", "rise", "error-limit"];

/// Keywords of proxy sections with such a number as their first word.
pub(super) const OF_A_PROXY: [&str; 3] = ["maxconn", "fullconn", "retries"];

/// Keywords of `global` with such a number.
pub(super) const OF_THE_PROCESS: [&str; 4] = ["maxconn", "ulimit-n", "tune.bufsize", "tune.maxrewrite"];

/// Notes a number with more in it than digits.
pub(super) fn check(setting: &str, arg: &Arg<'_>, statement: Site, facts: &mut Facts) {
    let text = &*arg.text;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) || text.starts_with(['-', '+']);
    if plain || arg.live.is_some() || facts.conditional {
        return;
    }
    // From 3.2 on this one takes units.
    if setting == "tune.bufsize" && facts.reach(3, 2) == Some(true) {
        return;
    }
    let read = times::count(text);
    let size = setting.starts_with("tune.");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit: u64 = if size { 1024 } else { 1000 };
    let factor = match text.get(digits..).unwrap_or("") {
        "k" | "K" => Some(unit),
        "m" | "M" => Some(unit * unit),
        _ => None,
    };
    let meant = factor.filter(|_| digits > 0).and_then(|factor| factor.checked_mul(u64::from(read)));
    let shown: String = text.chars().take(40).collect();
    let mut fault = Fault::new(
        FaultKind::MisreadNumber,
        facts.proxy,
        (statement, format!("read as {read}")),
        format!("`{setting} {shown}` is read as {read}: HAProxy stops at the first character that is no digit"),
    )
    .help(match meant {
        Some(meant) => format!("write `{setting} {meant}`"),
        None => "write a whole number, in digits only".to_owned(),
    });
    fault = match (setting, read) {
        ("tune.bufsize", _) => fault
            .effect(LoadEffect::Refused)
            .why("up to 3.0 the buffer is then so small that HAProxy dies as it starts; 3.2 knows such units"),
        ("weight", 0) => {
            fault.effect(LoadEffect::Status(503)).why("a server of weight 0 gets no requests; if all are so, 503")
        }
        ("maxconn" | "minconn" | "fullconn", 0) => fault.effect(LoadEffect::Ignored).why("0 means here: no limit"),
        ("maxconn", _) => fault
            .effect(LoadEffect::Status(503))
            .why("what is over the limit waits, and is answered with 503 when `timeout queue` is over"),
        ("retries", 0) => fault.effect(LoadEffect::Status(503)).why("a connection that fails is not tried again"),
        _ => fault.effect(LoadEffect::Ignored),
    };
    // Nothing else can be meant: both are read as the number they are.
    let edit = |meant: u64| Edit::Replace { span: arg.site.span, text: meant.to_string() };
    fault = fault.fix(meant.map(|meant| Fix::safe(format!("write `{meant}`"), [edit(meant)])));
    let certain = setting != "tune.bufsize" || facts.reach(3, 2) == Some(false);
    facts.load.faults.push(fault.weight(FaultWeight::MayFail, certain));
}

/// The same for `global`, where 2.8 and later refuse such a `maxconn`.
pub(super) fn check_of_the_process(setting: &str, arg: &Arg<'_>, statement: Site, facts: &mut Facts) {
    let before = facts.load.faults.len();
    check(setting, arg, statement, facts);
    let refuses = facts.reach(2, 8);
    if setting != "maxconn" || refuses == Some(false) {
        return;
    }
    if let Some(fault) = facts.load.faults.get_mut(before) {
        if refuses == Some(true) {
            fault.message = format!("HAProxy does not start: `{setting}` takes digits only");
            fault.label = "not a number".to_owned();
            fault.effect = Some(LoadEffect::Refused);
            fault.weight = FaultWeight::Fails;
            fault.why = Some("before 2.8 the number ended at the first character that is no digit");
        } else {
            fault.why =
                Some("2.6 takes so few connections, the rest wait without an answer; 2.8 and later do not start");
        }
    }
}

/// Notes a time of several parts, of which HAProxy reads the first and warns of the rest.
pub(super) fn check_time(name: &str, value: &Arg<'_>, statement: Site, facts: &mut Facts) {
    let text = &*value.text;
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit = number.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    if number.len() == text.len() || unit.is_empty() || !unit.starts_with(|c: char| c.is_ascii_digit()) {
        return;
    }
    let first: String = text.chars().take(text.len() - unit.len()).take(40).collect();
    let shown: String = text.chars().take(40).collect();
    facts.load.faults.push(
        Fault::new(
            FaultKind::MisreadNumber,
            facts.proxy,
            (statement, format!("read as {first}")),
            format!("`timeout {name} {shown}` is read as {first}: HAProxy takes one number with one unit"),
        )
        .why("what follows the first unit is passed over, with a warning that nobody sees at a reload")
        .help("write one number: `90s` for a minute and a half"),
    );
}
