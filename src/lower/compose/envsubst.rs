//! Variables of the environment that are put into nginx files before nginx reads them: what the official image does
//! with its templates (its script 20-envsubst-on-templates.sh), and what `envsubst` in a command does. Measured with
//! envsubst and nginx 1.22.1: a variable that is not set stays as it is written, and nginx refuses it; a default
//! (`${A:-b}`) is not known; without a list, nginx's own variables are emptied, too.

use super::place::{Place, Surroundings};
use crate::files::Files;
use crate::lower::Lowered;
use crate::source::{FileId, Site, Span};
use crate::topology::{Dialect, Fault, FaultKind, FaultWeight, LoadEffect, ProxyId, Topology};
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Names that are set in every container, or by the official image.
const ALWAYS: [&str; 11] = [
    "PATH",
    "HOME",
    "HOSTNAME",
    "PWD",
    "TERM",
    "NGINX_VERSION",
    "PKG_RELEASE",
    "NJS_VERSION",
    "NJS_RELEASE",
    "DYNPKG_RELEASE",
    "NGINX_LOCAL_RESOLVERS",
];

/// Most faults that are told of one run.
const MOST: usize = 200;

/// Looks at the files that variables are put into.
pub(in crate::lower) fn hazards(files: &Files<'_>, around: &Surroundings, out: &mut Lowered) {
    let proxies = proxies(&out.topology);
    let mut faults = Vec::new();
    let included = OnceCell::new();
    for (file, places) in around.all() {
        let Some(&proxy) = proxies.get(&file) else { continue };
        let text = files.sources.file(file).text();
        for place in places {
            let look = Look { file, text, place, proxy };
            faults.extend(look.eaten());
            let Some(rendering) = &place.rendering else {
                faults.extend(look.raw());
                continue;
            };
            if !rendering.happens {
                faults.push(look.bypassed());
                continue;
            }
            faults.extend(look.unset());
            faults.extend(look.emptied());
            faults.extend(look.not_read(|| included.get_or_init(|| includes(files))));
        }
    }
    faults.sort_by_key(|fault| (fault.site.span, fault.message.clone()));
    faults.dedup_by(|later, first| later.site == first.site && later.message == first.message);
    faults.truncate(MOST);
    out.topology.load.faults.extend(faults);
}

/// What files of nginx include by name, wherever they stand.
fn includes<'f>(files: &'f Files<'_>) -> HashSet<&'f str> {
    let proxies = files.sources.files().filter(|(id, _)| files.tree(*id).is_some());
    let lines = proxies.flat_map(|(_, file)| file.text().lines());
    lines
        .filter_map(|line| line.trim_start().strip_prefix("include")?.trim().strip_suffix(';'))
        .map(|path| path.trim().trim_matches(['"', '\'']))
        .map(|path| path.strip_prefix("/etc/nginx/").unwrap_or(path))
        .collect()
}

/// A proxy that reads each file.
fn proxies(topology: &Topology) -> HashMap<FileId, ProxyId> {
    let mut found = HashMap::new();
    let mut add = |site: Site, proxy| {
        found.entry(site.span.file).or_insert(proxy);
    };
    topology.hops.iter().for_each(|(_, hop)| add(hop.site, hop.proxy));
    topology.virtual_hosts.iter().for_each(|(_, host)| add(host.site, host.proxy));
    topology.pools.iter().for_each(|(_, pool)| add(pool.site, pool.proxy));
    for (id, proxy) in topology.proxies.iter().filter(|(_, proxy)| proxy.dialect == Dialect::Nginx) {
        found.entry(proxy.entry).or_insert(id);
    }
    found
}

/// One variable in a text: its name, what follows the name within braces, and its bytes.
pub(in crate::lower) struct Variable<'t> {
    pub(in crate::lower) name: &'t str,
    pub(in crate::lower) rest: &'t str,
    braces: bool,
    pub(in crate::lower) at: (usize, usize),
}

/// The variables of a text, comments left out.
pub(in crate::lower) fn variables(text: &str) -> Vec<Variable<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let code = if line.trim_start().starts_with('#') { "" } else { line };
        for (at, _) in code.match_indices('$') {
            let after = &code[at + 1..];
            let inside = after.strip_prefix('{');
            let word = inside.unwrap_or(after);
            let length = word.len() - word.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
            if length == 0 || word.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let (name, rest) = word.split_at(length);
            let (rest, end) = match (inside, rest.find('}')) {
                (Some(_), Some(close)) => (&rest[..close], at + 2 + length + close + 1),
                (Some(_), None) => continue,
                (None, _) => ("", at + 1 + length),
            };
            found.push(Variable { name, rest, braces: inside.is_some(), at: (start + at, start + end) });
        }
        start += line.len();
    }
    found
}

struct Look<'l> {
    file: FileId,
    text: &'l str,
    place: &'l Place,
    proxy: ProxyId,
}

impl Look<'_> {
    fn site(&self, at: (usize, usize)) -> Site {
        Site::direct(Span::new(self.file, at.0 as u32, at.1 as u32))
    }

    fn fault(&self, at: (usize, usize), label: &str, message: String) -> Fault {
        Fault::new(FaultKind::UnsetVariable, self.proxy, (self.site(at), label), message)
            .effect(LoadEffect::Refused)
            .other(self.place.site, "the file comes into the container here")
    }

    /// Where the file is pointed at as a whole: its first line that holds more than a comment, so that a comment above it
    /// makes no other finding of it.
    fn first_line(&self) -> (usize, usize) {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if !matches!(line.trim_start().bytes().next(), None | Some(b'#')) {
                return (start, start + line.trim_end().len());
            }
            start += line.len();
        }
        (0, self.text.lines().next().map_or(0, str::len))
    }

    /// Variables that stay as they are written.
    fn unset(&self) -> Vec<Fault> {
        let Some(rendering) = &self.place.rendering else { return Vec::new() };
        let mut told = BTreeSet::new();
        let all = variables(self.text);
        let mut faults = Vec::new();
        for variable in &all {
            let shell = [":-", "-", ":=", ":?", ":+"].iter().any(|operator| variable.rest.starts_with(operator));
            let upper = variable.name.bytes().any(|byte| byte.is_ascii_uppercase());
            if shell && upper {
                let message = format!(
                    "`${{{}{}}}` has a default, which envsubst does not know: it stays as it is written",
                    variable.name, variable.rest
                );
                faults.push(
                    self.fault(variable.at, "not replaced", message)
                        .why("envsubst replaces `$NAME` and `${NAME}` only; nginx refuses what is left")
                        .help(format!(
                            "write `${{{0}}}`, and the default under `environment` of the service: `{0}: …`",
                            variable.name
                        )),
                );
                continue;
            }
            let own = self.sets(variable.name);
            let plain = variable.braces && variable.rest.is_empty() && upper;
            if !plain
                || own
                || rendering.open
                || ALWAYS.contains(&variable.name)
                || rendering.has(variable.name)
                || !told.insert(variable.name)
            {
                continue;
            }
            let message = match rendering.bare {
                true => {
                    format!("nothing sets `{}` for the service, so envsubst leaves nothing in its place", variable.name)
                }
                false => format!("nothing sets `{}` for the service, so it stays as it is written", variable.name),
            };
            faults.push(
                self.fault(variable.at, "set by no `environment`, `env_file` or image", message)
                    .why("nginx takes what is left for a variable of its own, or for an address, and refuses it")
                    .help(format!("set `{}` under `environment` of the service", variable.name))
                    .weight(FaultWeight::Fails, rendering.image_known),
            );
        }
        faults
    }

    /// A template that is put where nginx reads it, so that nobody renders it. Measured with nginx 1.22.1: it takes what
    /// is left in an address for a host or a port, and refuses it.
    fn raw(&self) -> Option<Fault> {
        let came = self.place.untouched?;
        let addresses = |variable: &&Variable<'_>| {
            let before = &self.text[..variable.at.0];
            let statement = before.rsplit([';', '{', '}', '\n']).next().unwrap_or_default();
            matches!(statement.split_whitespace().next(), Some("server" | "listen"))
        };
        let all = variables(self.text);
        let upper = |variable: &&Variable<'_>| {
            variable.braces && variable.rest.is_empty() && variable.name.bytes().any(|byte| byte.is_ascii_uppercase())
        };
        let first = all.iter().filter(upper).find(addresses)?;
        Some(
            self.fault(
                first.at,
                "stays as it is written",
                format!("nothing puts `{}` into this file: it is {came} where nginx reads it as it is", first.name),
            )
            .why("the official image renders only `/etc/nginx/templates/*.template`; nginx refuses what is left")
            .help(match came {
                "copied" => "copy it to `/etc/nginx/templates/`, with a name that ends in `.conf.template`",
                _ => "name it `….conf.template` and mount it below `/etc/nginx/templates/`",
            })
            .weight(FaultWeight::Fails, false),
        )
    }

    /// Whether nginx's own statements set a variable.
    fn sets(&self, name: &str) -> bool {
        self.text.contains(&format!("set ${name} "))
            || self.text.lines().any(|line| {
                let words = line.trim_start();
                ["map", "geo", "split_clients"].iter().any(|word| words.starts_with(word))
                    && line.contains(&format!("${name}"))
            })
    }

    /// nginx's own variables, which a bare `envsubst` empties.
    fn emptied(&self) -> Option<Fault> {
        let rendering = self.place.rendering.as_ref().filter(|rendering| rendering.bare && !rendering.open)?;
        let all = variables(self.text);
        let lower = |variable: &&Variable<'_>| {
            !variable.name.bytes().any(|byte| byte.is_ascii_uppercase()) && !rendering.has(variable.name)
        };
        let first = all.iter().find(lower)?;
        let mut wanted: Vec<String> = all
            .iter()
            .filter(|variable| rendering.has(variable.name))
            .map(|variable| format!("${{{}}}", variable.name))
            .collect();
        wanted.sort();
        wanted.dedup();
        let message = format!("`envsubst` is told no names, so it empties `${}`, which is nginx's own", first.name);
        Some(
            self.fault(first.at, "emptied before nginx reads it", message)
                .why("envsubst without a list replaces every `$name`; one that is not in the environment becomes nothing")
                .help(format!("name what is to be replaced: `envsubst '{}'`; within a compose file with `$$` for each `$`", wanted.join(" "))),
        )
    }

    /// nginx's own variables, which compose takes for its own.
    fn eaten(&self) -> Option<Fault> {
        let (name, site) = self.place.eaten.as_ref()?;
        let at = (site.span.start as usize, site.span.end as usize);
        let message =
            format!("compose puts a variable of its own in place of `${name}`, and leaves nothing where none is set");
        Some(
            self.fault(at, "replaced before the proxy reads it", message)
                .why("in the content of a config, compose replaces every `$name`; `$$` stands for a `$`")
                .help(format!("write `$${name}`, and `$$` for each `$` of the proxy's own"))
                .weight(FaultWeight::Fails, false),
        )
    }

    /// What the image's main file does not include.
    fn not_read<'s>(&self, included: impl FnOnce() -> &'s HashSet<&'s str>) -> Option<Fault> {
        let name = self.place.inside.strip_prefix("/etc/nginx/conf.d/").filter(|_| self.place.template)?;
        if name.ends_with(".conf") && !name.contains('/') || included().contains(&*format!("conf.d/{name}")) {
            return None;
        }
        let mut fault = self
            .fault(
                self.first_line(),
                "rendered, and never read",
                format!("the image writes this to `conf.d/{name}`, and nginx includes `conf.d/*.conf` only"),
            )
            .effect(LoadEffect::Ignored)
            .why("the name without `.template` must end in `.conf`, and lie in no sub-folder")
            .weight(FaultWeight::MayFail, false);
        fault.help = Some("name it `….conf.template`".to_owned());
        Some(fault)
    }

    /// Templates that nobody renders.
    fn bypassed(&self) -> Fault {
        self.fault(self.first_line(), "never rendered", "the service starts something else than `nginx`, so its image renders no templates".to_owned())
            .effect(LoadEffect::Ignored)
            .why("the scripts of the official image run only where the command begins with `nginx` and the entrypoint is the image's own")
            .help("take `command` and `entrypoint` away, or call `/docker-entrypoint.sh nginx -g 'daemon off;'`")
            .weight(FaultWeight::Fails, false)
    }
}

/// How variables are put into a file.
#[derive(Clone, Debug)]
pub(in crate::lower) struct Rendering {
    /// Whether anybody does it.
    pub(super) happens: bool,
    /// Whether all variables are replaced, set or not.
    pub(super) bare: bool,
    /// Whether variables may be set that could not be read.
    pub(super) open: bool,
    /// Whether the image is one whose own variables are known.
    pub(super) image_known: bool,
    /// The names that are set.
    pub(super) names: std::rc::Rc<BTreeSet<Box<str>>>,
}

impl Rendering {
    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}
