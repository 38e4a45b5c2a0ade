//! GW204: a bare number that the proxy does not read as seconds.

use super::prelude::*;
use std::time::Duration;

/// GW204.
pub struct UnitlessTimeout;

impl Rule for UnitlessTimeout {
    fn id(&self) -> RuleId {
        RuleId::GW204
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::TimeUnit, cx, out);
        for number in &cx.topology.load.bare_numbers {
            let tiny = number.read_as < Duration::from_millis(100);
            let small = number.is_timeout && number.read_as < Duration::from_secs(1);
            // 0 is not a time: it means that nothing is set.
            if number.read_as.is_zero() || !(tiny || small) {
                continue;
            }
            let dialect = cx.dialect(number.proxy);
            let (setting, written) = (quote(&number.setting), &number.written);
            let time = humanise(number.read_as);
            let mut finding = Finding::new(
                self.id(),
                dialect,
                (number.site, format!("read as {time}")),
                format!(
                    "{setting} {} is {time}: {} reads a number without a unit as milliseconds",
                    quote(written),
                    dialect.name()
                ),
            );
            // Checks that are sent too often and given up too soon may still pass.
            if !tiny || !number.is_timeout {
                finding = finding.severity(Severity::Warning).confidence(Confidence::Likely);
            }
            if !number.is_timeout {
                finding = finding.outcome(Outcome::Status(503)).log("<NOSRV>");
            }
            // The other unit changes nothing of what the proxy does: nobody is helped by that.
            if tiny {
                finding = finding.fix(other_name(number.site, written, &format!("{written}s")));
            }
            out.push(finding.why_of_dialect().help(format!(
                "write the unit that is meant: {} or {}",
                quote(&format!("{written}s")),
                quote(&format!("{written}ms"))
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(number: u64, is_timeout: bool) -> Vec<Severity> {
        let mut house = House::haproxy();
        house.t.load.bare_numbers.push(BareNumber {
            proxy: house.proxy,
            site: at(15),
            setting: "timeout server".into(),
            written: number.to_string().into(),
            read_as: Duration::from_millis(number),
            is_timeout,
        });
        let found = house.found(RuleId::GW204);
        assert!(found.iter().all(|finding| lines(finding) == [15]
            && format!("{:?}", finding.notes).contains(&format!("`{number}s` or `{number}ms`"))));
        found.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn the_number_decides() {
        assert_eq!(said(30, true), [Severity::Error]);
        assert_eq!(said(99, true), [Severity::Error]);
        assert_eq!(said(100, true), [Severity::Warning]);
        assert!(said(1000, true).is_empty());
        assert!(said(0, true).is_empty());
    }

    #[test]
    fn intervals_are_often_short_on_purpose() {
        assert_eq!(said(5, false), [Severity::Warning]);
        assert!(said(200, false).is_empty());
    }
}
