//! A value and where it came from: the heart of the model.

use crate::source::Site;
use crate::value::DefaultRef;

/// A value with its provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting<T> {
    /// The value, or why it is not known.
    pub value: Known<T>,
    /// Where it came from.
    pub origin: Origin,
    /// The dialect's own word for it: `proxy_read_timeout`, `timeout server`.
    pub spelling: &'static str,
}

/// A value, or the reason why nothing can be said of it. What is unknown never accuses anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// The value.
    Yes(T),
    /// Not to be known from these files.
    Unknown(Reason),
}

/// Why a value is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A template fills it in.
    TemplateHole,
    /// A variable of the proxy or of its environment decides.
    Variable,
    /// It may stand in a file that was not read.
    UnreadInclude,
    /// It may stand around this fragment, in a file outside the repository.
    OutsideRepository,
    /// The text could not be understood; the proxy would refuse it.
    Malformed,
}

/// Where a setting's value came from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// Written in the block itself.
    Written(Site),
    /// Written further out and inherited.
    Inherited {
        /// Where it is written.
        at: Site,
        /// The level it was written at.
        scope: Scope,
    },
    /// The proxy's built-in value.
    Default(&'static DefaultRef),
    /// Follows from something else that is written there.
    Implied(Site),
}

/// The level at which an inherited value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// For the whole process (`global`, main context).
    Process,
    /// For all proxies or virtual hosts (`http`, `defaults`).
    Shared,
    /// For one virtual host or pool.
    Local,
}

/// Built-in values are equal when they are the same entry of the table.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Written(a), Self::Written(b)) | (Self::Implied(a), Self::Implied(b)) => a == b,
            (Self::Inherited { at: a, scope: of_a }, Self::Inherited { at: b, scope: of_b }) => a == b && of_a == of_b,
            (Self::Default(a), Self::Default(b)) => std::ptr::eq(*a, *b),
            _ => false,
        }
    }
}

impl<T> Known<T> {
    /// The value, if known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<T> Setting<T> {
    /// Written in the block itself.
    pub const fn written(value: T, at: Site, spelling: &'static str) -> Self {
        Self { value: Known::Yes(value), origin: Origin::Written(at), spelling }
    }

    /// The proxy's built-in value.
    pub const fn default(value: T, default: &'static DefaultRef) -> Self {
        Self { value: Known::Yes(value), origin: Origin::Default(default), spelling: default.setting }
    }

    /// Not known: why, and where the reader would look.
    pub const fn unknown(reason: Reason, at: Site, spelling: &'static str) -> Self {
        Self { value: Known::Unknown(reason), origin: Origin::Implied(at), spelling }
    }

    /// The value, if known.
    pub fn known(&self) -> Option<&T> {
        self.value.known()
    }

    /// Where it is written, here or further out; `None` for built-in values.
    pub const fn site(&self) -> Option<Site> {
        match self.origin {
            Origin::Written(site) | Origin::Implied(site) | Origin::Inherited { at: site, .. } => Some(site),
            Origin::Default(_) => None,
        }
    }

    /// Whether somebody wrote it down, here or further out.
    pub const fn is_written(&self) -> bool {
        matches!(self.origin, Origin::Written(_) | Origin::Inherited { .. })
    }

    /// The place to underline and the text to put there. A built-in value is shown at `fallback`, the enclosing
    /// block, and says that it is the default.
    pub fn label(&self, fallback: Site, text: impl Into<String>) -> (Site, String) {
        let text = text.into();
        match self.origin {
            Origin::Written(site) | Origin::Implied(site) | Origin::Inherited { at: site, .. } => (site, text),
            Origin::Default(default) => {
                let when = match (default.since, default.until) {
                    (_, Some(until)) => format!(" before {until}"),
                    (Some(since), None) => format!(" from {since} on"),
                    (None, None) => String::new(),
                };
                (fallback, format!("{text} (`{}` is not set; its default{when} is {})", default.setting, default.value))
            }
        }
    }
}
