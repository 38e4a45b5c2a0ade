//! Popular images: the ports on which they listen, and what they speak there, as data. Layer 2.

use std::sync::LazyLock;

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The repository, without a registry and `library/`.
    pub repository: &'static str,
    /// A part of the tag, where the facts hang on it.
    pub tag: Option<&'static str>,
    /// Its TCP ports.
    pub ports: Vec<u16>,
    /// Whether the ports were read in its Dockerfile. Else they are a documented default that was not checked.
    pub checked: bool,
    /// What it speaks on all of them; `None`: not the same on each.
    pub speaks: Option<ImageProtocol>,
}

/// What an image speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageProtocol {
    /// HTTP without TLS.
    Http,
    /// FastCGI.
    Fastcgi,
    /// A protocol of its own.
    Other,
}

static IMAGES: LazyLock<Vec<ImageFacts>> =
    LazyLock::new(|| include_str!("images.txt").lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<ImageFacts> {
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace().peekable();
    let name = words.next()?;
    let (repository, tag) = match name.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (name, None),
    };
    let mut ports = Vec::new();
    while let Some(port) = words.peek().and_then(|word| word.parse().ok()) {
        ports.push(port);
        words.next();
    }
    if ports.is_empty() {
        words.next();
    }
    let checked = words.next()? != "said";
    let speaks = match words.next() {
        None => Some(ImageProtocol::Http),
        Some("fastcgi") => Some(ImageProtocol::Fastcgi),
        Some("other") => Some(ImageProtocol::Other),
        Some(_) => None,
    };
    Some(ImageFacts { repository, tag, ports, checked, speaks })
}

/// The repository and the tag of an image reference: without registry, `library/` and digest.
#[must_use]
pub fn reference(image: &str) -> (&str, &str) {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    let (path, tag) = match image.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (image, ""),
    };
    let path = match path.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => rest,
        _ => path,
    };
    let path = path.strip_prefix("docker/library/").or(path.strip_prefix("library/")).unwrap_or(path);
    (path, tag)
}

/// What is known of an image.
#[must_use]
pub fn image(name: &str) -> Option<&'static ImageFacts> {
    let (repository, tag) = reference(name);
    let tags = |part: &str| {
        let mut words = tag.split(['-', '.']);
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            words.next() == Some(part)
        } else {
            words.any(|word| word == part)
        }
    };
    IMAGES.iter().find(|facts| facts.repository == repository && facts.tag.is_none_or(tags))
}

/// Images that come without programs with which health checks ask: a part of the tag (none: whatever it is), and what
/// is not there. Alpine's own `wget` is that of busybox. Read in the Dockerfiles of node and python; what is said of the
/// others is their documentation. Enough for a note, and no more.
const WITHOUT: &[(&str, Option<&str>, &[&str])] = &[
    ("node", Some("alpine"), &["curl"]),
    ("node", Some("slim"), &["curl", "wget"]),
    ("python", Some("alpine"), &["curl"]),
    ("python", Some("slim"), &["curl", "wget"]),
    ("golang", Some("alpine"), &["curl"]),
    ("ruby", Some("alpine"), &["curl"]),
    ("ruby", Some("slim"), &["curl", "wget"]),
    ("alpine", None, &["curl"]),
    ("debian", None, &["curl", "wget"]),
    ("ubuntu", None, &["curl", "wget"]),
    ("scratch", None, &["curl", "wget", "nc", "sh"]),
];

/// Whether an image is known to come without a program.
#[must_use]
pub fn lacks(image: &str, program: &str) -> bool {
    let (repository, tag) = reference(image);
    if repository.starts_with("distroless/") && !tag.contains("debug") {
        return matches!(program, "curl" | "wget" | "nc" | "sh");
    }
    let of =
        |part: &str| tag.split('-').any(|word| word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == part);
    WITHOUT
        .iter()
        .any(|(name, part, programs)| *name == repository && part.is_none_or(of) && programs.contains(&program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let rows = include_str!("images.txt").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(IMAGES.len(), rows);
        for facts in IMAGES.iter() {
            let name = match facts.tag {
                Some(tag) => format!("registry.local:5000/{}:{tag}-alpine", facts.repository),
                None => format!("{}:x", facts.repository),
            };
            assert_eq!(image(&name), Some(facts), "{name}");
        }
    }

    #[test]
    fn what_an_image_comes_without() {
        for image in ["node:22-alpine3.20", "docker.io/library/node:alpine", "alpine:3.20", "python:3.12-slim-bookworm"]
        {
            assert!(lacks(image, "curl"), "{image}");
        }
        assert!(lacks("gcr.io/distroless/nodejs22-debian12", "wget"));
        assert!(lacks("python:3.12-slim", "wget"));
        for image in ["node:22", "python:3.12", "nginx:alpine", "php:8.3-fpm-alpine", "team/node:alpine"] {
            assert!(!lacks(image, "curl"), "{image}");
        }
        assert!(!lacks("node:22-alpine", "wget"), "busybox has one");
        assert!(!lacks("gcr.io/distroless/base:debug", "wget"));
    }

    #[test]
    fn references_are_taken_apart() {
        assert_eq!(reference("nginx"), ("nginx", ""));
        assert_eq!(reference("docker.io/library/nginx:1.27@sha256:ab"), ("nginx", "1.27"));
        assert_eq!(reference("localhost:5000/team/app"), ("team/app", ""));
        let ports = |name: &str| image(name).map(|facts| facts.ports.clone());
        assert_eq!(ports("mcr.microsoft.com/dotnet/aspnet:7.0"), Some(vec![80]));
        assert_eq!(ports("mcr.microsoft.com/dotnet/aspnet:8.0-alpine"), Some(vec![8080]));
        assert_eq!(ports("mcr.microsoft.com/dotnet/aspnet"), None, "which version is not known");
        assert_eq!(ports("php:8.3-fpm-alpine"), Some(vec![9000]));
        assert_eq!(ports("php:8.3-cli"), Some(vec![]));
        assert_eq!(ports("team/nginx"), None, "somebody else's");
    }
}
