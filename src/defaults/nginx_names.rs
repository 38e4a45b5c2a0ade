//! What is known of each name that nginx's directives have, in one record: a name is looked up once for a statement.

use super::nginx_directives::{Contexts, Directive, all, data_block, number};
use super::nginx_parameters::{Parameter, by_directive};
use super::nginx_variables::{Arguments, expanded};
use crate::value::Version;
use std::sync::LazyLock;

/// The name of a directive of nginx's own modules.
#[derive(Debug)]
pub struct Name {
    /// Its running number, from 0: what else is known of a name may be kept in a list.
    pub number: u16,
    /// The directives of this name, one per module, as [`directives`](super::nginx_directives::directives) gives them.
    pub rows: &'static [Directive],
    /// Where any of them may stand.
    pub contexts: Contexts,
    /// The release from which on the open-source edition has all of them, 0.0.0 if it always had; `None`: it lacks one.
    pub complete_since: Option<Version>,
    /// Whether it opens a block of data: see [`data_block`].
    pub data: bool,
    /// The parameters that not every release and edition has.
    pub parameters: &'static [Parameter],
    /// The arguments in which it looks for variables: see [`expanded`].
    pub expanded: Option<Arguments>,
}

impl Name {
    fn new(number: u16, rows: &'static [Directive]) -> Option<Self> {
        let name = rows.first()?.name;
        let since = |row: &Directive| {
            let open = !row.commercial && row.until.is_none();
            open.then(|| row.since.unwrap_or(Version(0, 0, 0)))
        };
        Some(Self {
            number,
            rows,
            contexts: rows.iter().fold(Contexts::NONE, |all, row| all | row.contexts),
            complete_since: rows.iter().map(since).try_fold(Version(0, 0, 0), |last, next| Some(last.max(next?))),
            data: data_block(name),
            parameters: &[],
            expanded: expanded(name),
        })
    }

    /// The name itself.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.rows.first().map_or("", |row| row.name)
    }

    /// Whether a second directive of this name in one block is accepted, or nothing is known of that.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.rows.first().is_none_or(|row| row.repeats)
    }
}

static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    let groups = all().chunk_by(|a, b| a.name == b.name);
    let mut names: Vec<Name> = (0..).zip(groups).filter_map(|(number, rows)| Name::new(number, rows)).collect();
    for (directive, rows) in by_directive() {
        if let Some(name) = number(directive).and_then(|number| names.get_mut(usize::from(number))) {
            name.parameters = rows;
        }
    }
    names
});

/// What is known of a name; `None`: it is none of nginx's own.
#[must_use]
pub fn name(text: &str) -> Option<&'static Name> {
    NAMES.get(usize::from(number(text)?))
}

/// All names, in the order of their numbers.
#[must_use]
pub fn names() -> &'static [Name] {
    &NAMES
}

#[cfg(test)]
mod tests {
    use super::super::nginx_directives::directives;
    use super::super::nginx_parameters::parameters;
    use super::*;

    #[test]
    fn every_name_has_one_record() {
        for (number, known) in names().iter().enumerate() {
            assert_eq!(usize::from(known.number), number);
            assert!(name(known.text()).is_some_and(|found| std::ptr::eq(found, known)), "{known:?}");
            assert_eq!(known.rows, directives(known.text()));
        }
        assert_eq!(names().iter().map(|known| known.rows.len()).sum::<usize>(), all().len());
        assert_eq!(names().iter().map(|known| known.parameters.len()).sum::<usize>(), parameters().len());
        assert!(name("").is_none() && name("no_such").is_none());
    }

    #[test]
    fn what_a_record_says() {
        let set = name("proxy_set_header").expect("a name");
        assert!(set.repeats() && !set.data && set.expanded.is_some() && set.parameters.is_empty());
        assert_eq!(set.complete_since, Some(Version(0, 0, 0)));
        assert!(name("map").is_some_and(|map| map.data));
        assert!(name("server").is_some_and(|server| server.contexts.contains(Contexts::UPSTREAM | Contexts::STREAM)));
        assert_eq!(
            name("server").and_then(|server| server.parameters.first()).map(|row| row.page.is_empty()),
            Some(false)
        );
        assert_eq!(name("queue").and_then(|queue| queue.complete_since), None, "commercial");
        assert_eq!(name("satisfy_any").and_then(|gone| gone.complete_since), None, "gone");
        assert_eq!(name("sticky").and_then(|sticky| sticky.complete_since), Some(Version(1, 29, 6)), "opened");
        assert!(name("http2").is_some_and(|http2| http2.complete_since > Some(Version(1, 22, 0))));
    }
}
