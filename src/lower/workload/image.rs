//! What a Dockerfile makes of an image.

use super::{HealthCheck, sites};
use crate::files::{Files, Loaded, join};
use crate::source::{FileId, Site, SourceMap, Span};
use crate::syntax::words::{self, Command, HOLE, Text, Variable};
use parse_dockerfile as docker;
use std::collections::HashMap;
use std::ops::Range;

/// How an image is built.
#[derive(Clone, Debug)]
pub struct Build {
    /// The folder whose files can be copied, relative to the root of the repository.
    pub context: Box<str>,
    /// The Dockerfile.
    pub dockerfile: Dockerfile,
    /// The stage that is asked for; the last one, if none.
    pub target: Option<Text>,
    /// Build arguments that are given.
    pub args: Vec<(Box<str>, Text)>,
}

/// Where a Dockerfile stands.
#[derive(Clone, Debug)]
pub enum Dockerfile {
    /// In a file of the repository, relative to its root.
    At(Box<str>),
    /// Within another file.
    Inline(Text),
}

/// What a Dockerfile makes: the final stage, and what it takes over from those before it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The image that it begins with, after following stages; a hole in it is a build argument that nobody gives.
    pub base: Option<Text>,
    /// Variables that it sets.
    pub environment: Vec<(Box<str>, Text)>,
    /// TCP ports of `EXPOSE`.
    pub exposed: Vec<(u16, Site)>,
    /// Whether an `EXPOSE` could not be read.
    pub exposed_open: bool,
    /// What it starts.
    pub entrypoint: Option<Command>,
    /// The words after that, or what it starts when there is no entrypoint.
    pub command: Option<Command>,
    /// What it copies out of the context, in order; a later one hides an earlier one.
    pub copies: Vec<Copied>,
    /// The folder in which it starts.
    pub working_dir: Option<Text>,
    /// The user as whom it starts.
    pub user: Option<Text>,
    /// Its own health check.
    pub health: Option<HealthCheck>,
    /// What it runs while it is built, one text a `RUN`.
    pub runs: Vec<Text>,
    /// Where in it lies what an earlier stage may have changed.
    pub staged: Vec<Box<str>>,
    /// The folder of its build context, relative to the root of the repository.
    pub context: Option<Box<str>>,
}

/// A file or folder of the context that lies in an image.
#[derive(Clone, Debug)]
pub struct Copied {
    /// In the repository, relative to its root; `None`: from the net, or not to be known.
    pub from: Option<Box<str>>,
    /// In the image, absolute. With a `/` at its end when `from` is a folder, whose content lies there.
    pub to: Box<str>,
    /// The instruction.
    pub site: Site,
}

/// Most stages that are followed.
const MAX_STAGES: usize = 64;

/// Longest Dockerfile that is read.
const MAX_BYTES: usize = 1024 * 1024;

/// Most variables and copies of one image; more than that is nobody's Dockerfile.
const MAX_ITEMS: usize = 4096;

/// Reads a Dockerfile. `None` when there is none, or none that can be read.
#[must_use]
pub fn image(files: &mut Files<'_>, build: &Build) -> Option<Image> {
    let place = match &build.dockerfile {
        Dockerfile::At(path) => match files.load_text(path) {
            Loaded::File(id) => Place::File(id),
            Loaded::Missing | Loaded::Unreadable(_) => return None,
        },
        Dockerfile::Inline(text) => Place::Within(text),
    };
    let shared;
    let text = match place {
        Place::File(id) => {
            shared = files.sources.share(id);
            shared.text()
        }
        Place::Within(text) => &*text.text,
    };
    if text.len() > MAX_BYTES {
        return None;
    }
    let parsed = docker::parse(text).ok()?;
    let stages: Vec<docker::Stage<'_, '_>> = parsed.stages().collect();
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut globals = Variables::default();
    for arg in parsed.global_args() {
        globals.argument(&arg.arguments.value, build, None);
    }
    // Which stage each one begins with, or the image.
    let mut parents = Vec::with_capacity(stages.len());
    for (at, stage) in stages.iter().enumerate() {
        let image = words::expand(&stage.from.image.value, &|name| globals.get(name));
        parents.push(names.get(&image.to_ascii_lowercase()).copied());
        if let Some((_, name)) = &stage.from.as_ {
            names.insert(name.value.to_ascii_lowercase(), at);
        }
    }
    let wanted = match &build.target {
        Some(target) => *names.get(&target.known()?.to_ascii_lowercase())?,
        None => stages.len().checked_sub(1)?,
    };
    let needed = needed(&stages, &parents, &names, wanted)?;
    let mut made: HashMap<usize, Made> = HashMap::new();
    for at in needed {
        let stage = stages.get(at)?;
        let mut this = match parents.get(at).copied().flatten() {
            Some(parent) => {
                let mut made = made.get(&parent)?.clone();
                // Build arguments end with their stage.
                made.variables.arguments.clear();
                made
            }
            None => {
                let image = &stage.from.image;
                let text = words::expand(&image.value, &|name| globals.get(name));
                let base = Text::new(text, place.site(&files.sources, image.span.clone()));
                Made { image: Image { base: Some(base), ..Image::default() }, variables: Variables::default() }
            }
        };
        for instruction in stage.instructions {
            this.follow(
                instruction,
                &mut Around { files, place, build, globals: &globals, names: &names, made: &made, text },
            );
            // At once, because each of them is compared with what there is already.
            let Image { copies, environment, staged, .. } = &this.image;
            if [copies.len(), environment.len(), staged.len()].into_iter().max() > Some(MAX_ITEMS) {
                return None;
            }
        }
        made.insert(at, this);
    }
    let mut image = made.remove(&wanted)?.image;
    image.context = Some(build.context.clone());
    Some(image)
}

/// The stages that one needs, in order: those it begins with and those it copies from.
fn needed(
    stages: &[docker::Stage<'_, '_>],
    parents: &[Option<usize>],
    names: &HashMap<String, usize>,
    wanted: usize,
) -> Option<Vec<usize>> {
    let mut needed = vec![wanted];
    let mut next = 0;
    while let Some(&at) = needed.get(next) {
        next += 1;
        let stage = stages.get(at)?;
        let copied_from = stage.instructions.iter().filter_map(|instruction| match instruction {
            docker::Instruction::Copy(copy) => stage_of(&copy.options, names),
            _ => None,
        });
        for other in copied_from.chain(parents.get(at).copied().flatten()) {
            if other < at && !needed.contains(&other) {
                needed.push(other);
            }
        }
        if needed.len() > MAX_STAGES {
            return None;
        }
    }
    needed.sort_unstable();
    Some(needed)
}

/// The stage that `COPY --from=` names.
fn stage_of(options: &[docker::Flag<'_>], names: &HashMap<String, usize>) -> Option<usize> {
    let from = options.iter().find(|flag| flag.name.value == "from")?.value.as_ref()?;
    names.get(&from.value.to_ascii_lowercase()).copied().or_else(|| from.value.parse().ok())
}

/// Where a Dockerfile's text stands.
#[derive(Clone, Copy)]
enum Place<'a> {
    File(FileId),
    Within(&'a Text),
}

impl Place<'_> {
    fn site(self, sources: &SourceMap, range: Range<usize>) -> Site {
        match self {
            Self::File(id) => Site::direct(Span::new(id, range.start as u32, range.end as u32)),
            Self::Within(text) => sites::part(sources, text, range),
        }
    }
}

/// What variables hold while an image is built.
#[derive(Clone, Default)]
struct Variables {
    environment: HashMap<Box<str>, Variable>,
    arguments: HashMap<Box<str>, Variable>,
}

impl Variables {
    fn get(&self, name: &str) -> Variable {
        // `ENV` always wins over `ARG`.
        self.environment.get(name).or_else(|| self.arguments.get(name)).cloned().unwrap_or(Variable::Unknown)
    }

    /// `ARG name`, `ARG name=default`, several of them.
    fn argument(&mut self, text: &str, build: &Build, globals: Option<&Self>) {
        for word in words::split(text) {
            let (name, default) = match word.text.split_once('=') {
                Some((name, default)) => (name, Some(words::expand(default, &|name| self.get(name)))),
                None => (&*word.text, None),
            };
            let given = build.args.iter().rev().find(|(given, _)| &**given == name).map(|(_, text)| text.text.clone());
            let value = match (given, default) {
                (Some(value), _) => whole(value),
                (None, Some(value)) => whole(value.into()),
                (None, None) => {
                    globals.and_then(|globals| globals.arguments.get(name).cloned()).unwrap_or(Variable::Unknown)
                }
            };
            self.arguments.insert(name.into(), value);
        }
    }
}

fn whole(value: Box<str>) -> Variable {
    if value.contains(HOLE) { Variable::Unknown } else { Variable::Is(value) }
}

#[derive(Clone)]
struct Made {
    image: Image,
    variables: Variables,
}

/// What an instruction may look at.
struct Around<'a, 'f> {
    files: &'a mut Files<'f>,
    place: Place<'a>,
    build: &'a Build,
    globals: &'a Variables,
    names: &'a HashMap<String, usize>,
    made: &'a HashMap<usize, Made>,
    text: &'a str,
}

impl Around<'_, '_> {
    fn site(&self, range: Range<usize>) -> Site {
        self.place.site(&self.files.sources, range)
    }

    fn text(&self, string: &docker::UnescapedString<'_>) -> Text {
        Text::new(&*string.value, self.site(string.span.clone()))
    }

    fn command(&self, command: &docker::Command<'_>) -> Command {
        match command {
            docker::Command::Exec(words) => Command::Words(words.value.iter().map(|word| self.text(word)).collect()),
            docker::Command::Shell(shell) => {
                Command::Shell(Text::new(without_comments(shell.value), self.site(shell.span.clone())))
            }
            _ => Command::Shell(Text::new(HOLE.to_string(), self.site(0..0))),
        }
    }
}

/// Comments between continued lines are no part of the command. They are blanked, so that offsets stay.
fn without_comments(shell: &str) -> String {
    let mut out = String::with_capacity(shell.len());
    for (at, line) in shell.split_inclusive('\n').enumerate() {
        if at > 0 && line.trim_start().starts_with('#') {
            out.extend(std::iter::repeat_n(' ', line.len()));
        } else {
            out.push_str(line);
        }
    }
    out
}

impl Made {
    fn follow(&mut self, instruction: &docker::Instruction<'_>, around: &mut Around<'_, '_>) {
        let image = &mut self.image;
        match instruction {
            docker::Instruction::Arg(arg) => {
                self.variables.argument(&arg.arguments.value, around.build, Some(around.globals));
            }
            docker::Instruction::Env(env) => self.environment(&env.arguments, around),
            docker::Instruction::Expose(expose) => {
                for port in &expose.arguments {
                    let text = words::expand(&port.value, &|name| self.variables.get(name));
                    let site = around.site(port.span.clone());
                    match exposed(&text) {
                        Some(ports) => image.exposed.extend(ports.map(|port| (port, site))),
                        None => image.exposed_open = true,
                    }
                }
            }
            docker::Instruction::Cmd(cmd) => image.command = Some(around.command(&cmd.arguments)),
            docker::Instruction::Entrypoint(entrypoint) => {
                image.entrypoint = Some(around.command(&entrypoint.arguments));
                // A new entrypoint drops the base image's command, which is not known here anyway.
            }
            docker::Instruction::Healthcheck(check) => {
                let site = around.site(check.healthcheck.span.clone());
                image.health = Some(match &check.arguments {
                    docker::HealthcheckArguments::Cmd { arguments, .. } => {
                        HealthCheck::Runs(around.command(arguments), site)
                    }
                    docker::HealthcheckArguments::None { .. } => HealthCheck::Off(site),
                    _ => HealthCheck::Unknown(site),
                });
            }
            docker::Instruction::User(user) => {
                let text = words::expand(&user.arguments.value, &|name| self.variables.get(name));
                image.user = Some(Text::new(text, around.site(user.arguments.span.clone())));
            }
            docker::Instruction::Workdir(dir) => {
                let text = words::expand(&dir.arguments.value, &|name| self.variables.get(name));
                let text = self.absolute(&text);
                self.image.working_dir = Some(Text::new(text, around.site(dir.arguments.span.clone())));
            }
            docker::Instruction::Copy(copy) => self.copy(&copy.options, &copy.src, &copy.dest, around),
            docker::Instruction::Add(add) => self.copy(&add.options, &add.src, &add.dest, around),
            docker::Instruction::Run(run) => {
                let mut text = match &run.arguments {
                    docker::Command::Shell(shell) => without_comments(shell.value),
                    docker::Command::Exec(words) => {
                        words.value.iter().map(|word| &*word.value).collect::<Vec<_>>().join(" ")
                    }
                    _ => String::new(),
                };
                for document in &run.here_docs {
                    text.push('\n');
                    text.push_str(&document.value);
                }
                image.runs.push(Text::new(text, around.site(run.run.span.clone())));
            }
            _ => {}
        }
    }

    /// `ENV a=1 b="2 3"`, or `ENV a all of the rest`.
    fn environment(&mut self, arguments: &docker::UnescapedString<'_>, around: &Around<'_, '_>) {
        let text = &*arguments.value;
        let whole_site = around.site(arguments.span.clone());
        let exact = around.text.get(arguments.span.clone()) == Some(text);
        let first = text.split(|c: char| c.is_whitespace()).next().unwrap_or("");
        let mut pairs = Vec::new();
        if first.contains('=') {
            for word in words::split(text) {
                let Some((name, value)) = word.text.split_once('=') else { continue };
                let site = if exact {
                    let start = arguments.span.start;
                    around.site(start + word.range.start..start + word.range.end)
                } else {
                    whole_site
                };
                pairs.push((name.to_owned(), value.to_owned(), site));
            }
        } else {
            let value = text.get(first.len()..).unwrap_or("").trim();
            // Quotes around all of it are the shell's here, too.
            let bare = ['"', '\''].iter().find_map(|&quote| value.strip_prefix(quote)?.strip_suffix(quote));
            let value = bare.filter(|bare| !bare.contains(['"', '\''])).unwrap_or(value);
            pairs.push((first.to_owned(), value.to_owned(), whole_site));
        }
        let values: Vec<_> =
            pairs.iter().map(|(_, value, _)| words::expand(value, &|name| self.variables.get(name))).collect();
        for ((name, _, site), value) in pairs.into_iter().zip(values) {
            let name: Box<str> = name.into();
            if self.variables.environment.insert(name.clone(), whole(value.as_str().into())).is_some() {
                self.image.environment.retain(|(other, _)| *other != name);
            }
            self.image.environment.push((name, Text::new(value, site)));
        }
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') || path.contains(HOLE) {
            return path.to_owned();
        }
        let folder = self.image.working_dir.as_ref().map_or("/", |dir| &*dir.text);
        let joined = format!("/{}", join(folder, path).unwrap_or_default());
        if path.ends_with('/') && joined != "/" { format!("{joined}/") } else { joined }
    }

    fn copy(
        &mut self,
        options: &[docker::Flag<'_>],
        sources: &[docker::Source<'_>],
        to: &docker::UnescapedString<'_>,
        around: &mut Around<'_, '_>,
    ) {
        let site = around.site(to.span.clone());
        let to = words::expand(&to.value, &|name| self.variables.get(name));
        if to.contains(HOLE) {
            return;
        }
        let into_folder = to.ends_with('/') || to == "." || to == "..";
        let to = self.absolute(&to);
        let elsewhere = options.iter().any(|flag| flag.name.value == "from");
        let stage = stage_of(options, around.names);
        for source in sources {
            let docker::Source::Path(path) = source else {
                self.image.copies.push(Copied { from: None, to: to.as_str().into(), site });
                continue;
            };
            let path_text = words::expand(&path.value, &|name| self.variables.get(name));
            let first = around.text.get(path.span.clone()).map_or(site, |_| around.site(path.span.clone()));
            let site = sites::joined(first, site);
            if elsewhere {
                self.image.staged.push(to.trim_end_matches('/').into());
                let made = stage.and_then(|stage| around.made.get(&stage));
                let from = made.and_then(|made| found(&made.image, &path_text));
                let within = made.map(|made| below(&made.image, &path_text, &to)).unwrap_or_default();
                self.put(from, &path_text, &to, into_folder, site, around.files);
                let room = MAX_ITEMS.saturating_sub(self.image.copies.len());
                self.image.copies.extend(within.into_iter().take(room).map(|(from, to)| Copied { from, to, site }));
            } else if path_text.contains("://") || path_text.contains(HOLE) {
                self.put(None, &path_text, &to, into_folder, site, around.files);
            } else if path_text.contains(['*', '?', '[']) {
                let Some(pattern) = join(&around.build.context, &path_text) else { continue };
                for from in around.files.glob(&pattern).iter().take(256) {
                    self.put(Some(from.as_str().into()), from, &to, true, site, around.files);
                }
            } else {
                let from = join(&around.build.context, &path_text).map(String::into_boxed_str);
                self.put(from, &path_text, &to, into_folder, site, around.files);
            }
        }
    }

    fn put(&mut self, from: Option<Box<str>>, path: &str, to: &str, into: bool, site: Site, files: &mut Files<'_>) {
        let folder = from.as_deref().is_some_and(|from| is_folder(files, from));
        let bare = to.trim_end_matches('/');
        let to = if folder {
            format!("{bare}/")
        } else if into {
            format!("{bare}/{}", path.rsplit('/').next().unwrap_or(path))
        } else {
            to.to_owned()
        };
        self.image.copies.push(Copied { from, to: to.into(), site });
    }
}

/// Whether a path of the repository is a folder with files in it.
fn is_folder(files: &mut Files<'_>, path: &str) -> bool {
    if path.is_empty() {
        return true;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    // A name with a suffix is asked for last: most files have one, most folders none.
    !files.glob(&format!("{path}/*")).is_empty()
        || !name.contains('.') && !files.glob(&format!("{path}/*/*")).is_empty()
}

/// The file of the repository that lies at a path of an image.
#[must_use]
pub fn found(image: &Image, path: &str) -> Option<Box<str>> {
    for copied in image.copies.iter().rev() {
        if *copied.to == *path {
            return copied.from.clone();
        }
        if let Some(inside) = path.strip_prefix(&*copied.to)
            && copied.to.ends_with('/')
        {
            let from = copied.from.as_deref()?;
            return join(from, inside).map(Into::into);
        }
    }
    None
}

/// What an image's copies have put into a folder of it, in order, each with its path when the folder is copied to `to`.
fn below(image: &Image, folder: &str, to: &str) -> Vec<(Option<Box<str>>, Box<str>)> {
    let (folder, to) = (folder.trim_end_matches('/'), to.trim_end_matches('/'));
    let moved = |copied: &Copied| {
        let inside = copied.to.strip_prefix(folder).filter(|inside| inside.starts_with('/'))?;
        Some((copied.from.clone(), format!("{to}{inside}").into()))
    };
    image.copies.iter().filter_map(moved).collect()
}

/// The TCP ports of one word of `EXPOSE`; `None` when it cannot be read.
fn exposed(text: &str) -> Option<impl Iterator<Item = u16> + use<>> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    let tcp = protocol.eq_ignore_ascii_case("tcp");
    Some((first..=last).filter(move |_| tcp).take(256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Held, Repository};

    struct One(&'static str);

    impl Repository for One {
        fn read(&self, path: &str) -> Held {
            if path == "Dockerfile" { Held::Bytes(self.0.as_bytes().to_vec()) } else { Held::Nothing }
        }
        fn exists(&self, path: &str) -> bool {
            path == "Dockerfile"
        }
        fn glob(&self, pattern: &str) -> Vec<String> {
            match pattern {
                "conf/*" | "conf/*.conf" => vec!["conf/a.conf".into()],
                _ => Vec::new(),
            }
        }
        fn ending_with(&self, _path: &str) -> Vec<String> {
            Vec::new()
        }
    }

    fn made(text: &'static str, target: Option<&str>, args: &[(&str, &str)]) -> Option<Image> {
        let repository = One(text);
        let mut files = Files::new(Vec::new(), &repository);
        let site = Site::direct(Span::new(FileId::new(0), 0, 0));
        let build = Build {
            context: "".into(),
            dockerfile: Dockerfile::At("Dockerfile".into()),
            target: target.map(|target| Text::new(target, site)),
            args: args.iter().map(|(name, value)| ((*name).into(), Text::new(*value, site))).collect(),
        };
        image(&mut files, &build)
    }

    #[test]
    fn the_last_stage_with_what_it_takes_over() {
        let image = made(
            "ARG V=3\nFROM python:$V AS base\nENV PORT=8000 HOST=\"0.0.0.0\"\nEXPOSE $PORT 53/udp 8001-8002\n\
             WORKDIR /srv\nWORKDIR app\nFROM node AS other\nEXPOSE 1\nFROM base\nARG PORT=1\nENV B=$PORT-$V\n\
             USER app\nHEALTHCHECK CMD curl localhost:$PORT\nCMD gunicorn \\\n  # here\n  -b :$PORT app\n",
            None,
            &[("V", "3.12")],
        )
        .unwrap();
        assert_eq!(&*image.base.unwrap().text, "python:3.12");
        let ports: Vec<_> = image.exposed.iter().map(|(port, _)| *port).collect();
        assert_eq!(ports, [8000, 8001, 8002]);
        assert_eq!(&*image.working_dir.unwrap().text, "/srv/app");
        let said: Vec<_> = image.environment.iter().map(|(name, text)| (&**name, &*text.text)).collect();
        assert_eq!(said, [("PORT", "8000"), ("HOST", "0.0.0.0"), ("B", "8000-\u{fffc}")]);
        assert!(matches!(image.command, Some(Command::Shell(text)) if !text.text.contains("here")));
        assert!(matches!(image.health, Some(HealthCheck::Runs(..))));
    }

    #[test]
    fn stages_are_asked_for_by_name() {
        let text = "FROM a AS one\nEXPOSE 1\nFROM b AS two\nEXPOSE 2\n";
        assert_eq!(made(text, Some("one"), &[]).unwrap().exposed[0].0, 1);
        assert_eq!(made(text, None, &[]).unwrap().exposed[0].0, 2);
        assert!(made(text, Some("three"), &[]).is_none());
        assert!(made("{{ template }}\n", None, &[]).is_none());
    }

    #[test]
    fn a_folder_comes_with_what_was_copied_into_it() {
        let image = made(
            "FROM a AS build\nWORKDIR /src\nCOPY old.txt ./conf/\nCOPY . .\nCOPY a.txt ./conf/b.txt\n\
             COPY b.txt /srcs/c.txt\nFROM nginx\nCOPY --from=build /src /app\nCOPY --from=build /src/conf/ /etc/more/\n",
            None,
            &[],
        )
        .unwrap();
        assert_eq!(found(&image, "/app/d.txt").as_deref(), Some("d.txt"));
        assert_eq!(found(&image, "/app/conf/old.txt").as_deref(), Some("conf/old.txt"));
        assert_eq!(found(&image, "/app/conf/b.txt").as_deref(), Some("a.txt"));
        assert_eq!(found(&image, "/etc/more/b.txt").as_deref(), Some("a.txt"));
        assert_eq!(found(&image, "/apps/c.txt"), None);
        assert!(image.copies.iter().all(|copied| !copied.to.starts_with("/apps")));
    }

    #[test]
    fn copies_are_followed_through_stages() {
        let image = made(
            "FROM a AS build\nWORKDIR /src\nCOPY . .\nFROM nginx\nCOPY --from=build /src/nginx.conf /etc/nginx/nginx.conf\n\
             COPY conf/*.conf /etc/nginx/conf.d/\nCOPY conf /etc/more\nCOPY a.txt b.txt /x/\nADD https://x/y.conf /y.conf\n",
            None,
            &[],
        )
        .unwrap();
        let said: Vec<_> = image.copies.iter().map(|copied| (copied.from.as_deref(), &*copied.to)).collect();
        assert_eq!(
            said,
            [
                (Some("nginx.conf"), "/etc/nginx/nginx.conf"),
                (Some("conf/a.conf"), "/etc/nginx/conf.d/a.conf"),
                (Some("conf"), "/etc/more/"),
                (Some("a.txt"), "/x/a.txt"),
                (Some("b.txt"), "/x/b.txt"),
                (None, "/y.conf"),
            ]
        );
        assert_eq!(found(&image, "/etc/more/b/c.conf").as_deref(), Some("conf/b/c.conf"));
        assert_eq!(found(&image, "/etc/nginx/nginx.conf").as_deref(), Some("nginx.conf"));
        assert_eq!(found(&image, "/etc/passwd"), None);
    }

    #[test]
    fn hostile_dockerfiles_cost_little() {
        for piece in ["FROM a\n", "COPY --from=0 a b\n", "RUN <<A\n", "CMD [\"", "ENV A=${B:-", "EXPOSE ${", "ONBUILD "]
        {
            let text: &'static str = Box::leak(format!("FROM x\n{}", piece.repeat(20_000)).into_boxed_str());
            let _ = made(text, None, &[]);
        }
        let chain: String = (0..2000).map(|n| format!("FROM s{n} AS s{}\nENV A{n}=1\n", n + 1)).collect();
        assert!(made(Box::leak(chain.into_boxed_str()), None, &[]).is_none(), "a chain that long is nobody's");
    }
}
