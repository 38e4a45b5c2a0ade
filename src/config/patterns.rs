//! Patterns for paths.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Some patterns for paths. `legacy` or `legacy/` is the folder or file of that name at any depth; a pattern with a `/`
/// inside counts from the folder of the configuration file. `*` and `?` stay within one name, `**` does not. A pattern
/// that matches a folder means all that is in it.
#[derive(Clone, Debug, Default)]
pub struct Patterns(GlobSet);

impl Patterns {
    /// Reads one pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<[Glob; 2], String> {
        let pattern = text.strip_prefix("./").unwrap_or(text);
        let anchored = pattern.trim_end_matches('/').contains('/');
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern).trim_end_matches('/');
        if pattern.is_empty() {
            return Err("this pattern matches nothing".into());
        }
        if pattern.split('/').any(|part| part == "..") {
            return Err("a pattern does not lead out of the folder of the configuration file".into());
        }
        let pattern = if anchored { pattern.to_owned() } else { format!("**/{pattern}") };
        let build = |pattern: &str| {
            GlobBuilder::new(pattern).literal_separator(true).build().map_err(|error| error.kind().to_string())
        };
        Ok([build(&pattern)?, build(&format!("{pattern}/**"))?])
    }

    /// Joins patterns that were read.
    ///
    /// # Errors
    /// What is wrong with them together, in words: they are too many or too large.
    pub fn join(globs: impl IntoIterator<Item = Glob>) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            set.add(glob);
        }
        set.build().map(Self).map_err(|error| error.kind().to_string())
    }

    /// Whether a path is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }

    /// Whether there is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Patterns::join(Patterns::read(pattern).unwrap()).unwrap().matches(path)
    }

    #[test]
    fn folders_mean_what_is_in_them() {
        for (pattern, path) in [
            ("legacy", "a/legacy/b.conf"),
            ("legacy/", "legacy/b.conf"),
            ("*.conf", "a/b/c.conf"),
            ("conf/legacy", "conf/legacy/x/y.conf"),
            ("conf/legacy/**", "conf/legacy/x/y.conf"),
            ("./conf/*.conf", "conf/a.conf"),
            ("/conf", "conf/a.conf"),
            ("**/test/*.conf", "a/test/b.conf"),
            ("{a,b}/*.conf", "b/x.conf"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("conf/*.conf", "conf/a/b.conf"),
            ("conf/legacy", "x/conf/legacy/a.conf"),
            ("/conf", "x/conf/a.conf"),
            ("leg", "legacy/a"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        assert!(Patterns::read("[a").is_err());
        assert!(Patterns::read("../x").is_err());
        assert!(Patterns::read("/").is_err());
    }
}
