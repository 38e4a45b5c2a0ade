//! What may stand in the configuration file: the one list of keys from which it is read, its JSON Schema is made, and
//! its documentation is checked.

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What its value is.
    pub shape: Shape,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Rule or family → level, or a mapping of level and options.
    Rules,
    /// A list of [`OVERRIDE`] mappings.
    Overrides,
    /// A pattern for paths, or a list of them.
    Patterns,
    /// Proxy → version.
    Targets,
    /// Host name → a [`SERVICE`] mapping.
    Services,
    /// A list of [`IGNORE`] mappings.
    Ignores,
    /// A list of ports.
    Ports,
    /// A time with its unit.
    Duration,
    /// A rule, or a list of them.
    RuleNames,
    /// Words of a person; not empty.
    Words,
}

/// The keys of the file.
pub const TOP: &[Key] = &[
    Key {
        name: "rules",
        required: false,
        shape: Shape::Rules,
        doc: "What becomes of the findings of a rule or a family of rules (`GW3`), and the options of a rule.",
    },
    Key {
        name: "overrides",
        required: false,
        shape: Shape::Overrides,
        doc: "Other rules for some paths. Of several that match, the last one counts.",
    },
    Key {
        name: "exclude",
        required: false,
        shape: Shape::Patterns,
        doc: "Paths that are not linted. What includes of other files need is read from them, and nothing is reported in them.",
    },
    Key {
        name: "targets",
        required: false,
        shape: Shape::Targets,
        doc: "The version of each proxy that runs the configuration, as with `--target`, which weighs more.",
    },
    Key {
        name: "services",
        required: false,
        shape: Shape::Services,
        doc: "What is known of the backends behind some host names.",
    },
    Key {
        name: "ignore",
        required: false,
        shape: Shape::Ignores,
        doc: "Findings that somebody has decided to live with, by rule and path.",
    },
];

/// The keys of an item of `overrides`.
pub const OVERRIDE: &[Key] = &[
    Key { name: "paths", required: true, shape: Shape::Patterns, doc: "The paths that it holds for." },
    Key { name: "rules", required: true, shape: Shape::Rules, doc: "As `rules` of the file." },
];

/// The keys of a service.
pub const SERVICE: &[Key] = &[
    Key {
        name: "ports",
        required: false,
        shape: Shape::Ports,
        doc: "The TCP ports on which it listens. GW101 tells of an address with another port.",
    },
    Key {
        name: "idle_timeout",
        required: false,
        shape: Shape::Duration,
        doc: "How long it keeps a connection on which nothing happens. GW601 compares it with what the proxy does.",
    },
];

/// The keys of an item of `ignore`.
pub const IGNORE: &[Key] = &[
    Key { name: "rule", required: true, shape: Shape::RuleNames, doc: "The rule, or a list of rules." },
    Key { name: "path", required: true, shape: Shape::Patterns, doc: "The paths in which it is ignored." },
    Key { name: "reason", required: true, shape: Shape::Words, doc: "Why. It is shown beside the finding in reports." },
];

/// The key that sets the level in the mapping of a rule; the others are the rule's options.
pub const LEVEL: &str = "level";

/// The words for levels.
pub const LEVELS: [(&str, super::Level); 4] = [
    ("off", super::Level::Off),
    ("note", super::Level::Note),
    ("warning", super::Level::Warning),
    ("error", super::Level::Error),
];
