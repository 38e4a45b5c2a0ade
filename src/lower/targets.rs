//! The versions for which configuration is read.

use crate::defaults::{haproxy, nginx};
use crate::topology::Dialect;
use crate::value::{Version, Versions};

/// The versions that the proxies of each dialect may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Of nginx.
    pub nginx: Versions,
    /// Of HAProxy.
    pub haproxy: Versions,
}

impl Default for Targets {
    /// The oldest that the distributions still ship, or anything newer.
    fn default() -> Self {
        Self { nginx: Versions::since(nginx::OLDEST_SHIPPED), haproxy: Versions::since(haproxy::OLDEST_SHIPPED) }
    }
}

impl Targets {
    /// The versions of one dialect.
    #[must_use]
    pub const fn of(&self, dialect: Dialect) -> Versions {
        match dialect {
            Dialect::Nginx => self.nginx,
            Dialect::Haproxy => self.haproxy,
            Dialect::Kubernetes => Versions::since(Version(1, 0, 0)),
        }
    }

    /// Somebody says which version a proxy has: `nginx` and `1.24` (any release of that line) or `1.24.0`;
    /// `plus` is nginx's commercial edition, any version.
    ///
    /// # Errors
    /// What is wrong with the two words, in words.
    pub fn ask(&mut self, proxy: &str, version: &str) -> Result<(), String> {
        let target = match proxy.to_ascii_lowercase().as_str() {
            "nginx" => &mut self.nginx,
            "haproxy" => &mut self.haproxy,
            _ => return Err(format!("`{proxy}` is no proxy that has a target version; there are nginx and haproxy")),
        };
        let commercial = proxy.eq_ignore_ascii_case("nginx") && version.eq_ignore_ascii_case("plus");
        let asked = if commercial {
            Some(Versions { asked: true, commercial, ..Versions::since(nginx::OLDEST_SHIPPED) })
        } else {
            Versions::asked(version)
        };
        let asked = asked
            .ok_or_else(|| format!("`{version}` is no version of {proxy}; write it as in {proxy}={}", target.from))?;
        if target.asked && *target != asked {
            return Err(format!("{proxy} has two target versions; lint for one at a time"));
        }
        *target = asked;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Version;

    #[test]
    fn the_default_is_the_oldest_that_is_shipped() {
        let targets = Targets::default();
        assert_eq!(targets.of(Dialect::Nginx), Versions::since(Version(1, 22, 0)));
        assert_eq!(targets.of(Dialect::Haproxy), Versions::since(Version(2, 6, 0)));
    }

    #[test]
    fn a_version_is_asked_for_by_name() {
        let mut targets = Targets::default();
        assert_eq!(targets.ask("nginx", "1.24.0"), Ok(()));
        assert_eq!(targets.ask("HAProxy", "2.8"), Ok(()));
        assert_eq!(targets.nginx.from, Version(1, 24, 0));
        assert_eq!(targets.haproxy.before, Some(Version(2, 9, 0)));
        assert_eq!(targets.ask("haproxy", "2.8"), Ok(()), "the same once more is no contradiction");
        assert!(targets.ask("haproxy", "2.6").is_err_and(|words| words.contains("two target versions")));
        let mut targets = Targets::default();
        assert_eq!(targets.ask("nginx", "plus"), Ok(()));
        assert!(targets.nginx.commercial && targets.nginx.reach(Version(1, 31, 0)).is_none());
        assert!(targets.ask("haproxy", "plus").is_err());
        assert!(targets.ask("apache", "2.4").is_err_and(|words| words.contains("nginx and haproxy")));
        assert!(targets.ask("nginx", "newest").is_err_and(|words| words.contains("`newest` is no version")));
    }
}
