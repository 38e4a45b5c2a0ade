//! What a container starts: the words of its command or its image, and whether that is but a proxy.

use super::layout::{Layout, Lies};
use crate::files::{Files, Loaded};
use crate::lower::workload::Image;
use crate::source::{Site, Span};
use crate::syntax::words::Command;

/// Whether an image is one in which a proxy runs, and nothing else.
pub(in crate::lower) fn is_proxy_image(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or(image).rsplit('/').next().unwrap_or(image);
    let name = name.split(':').next().unwrap_or(name);
    matches!(name, "nginx" | "haproxy" | "openresty" | "nginx-unprivileged" | "angie" | "freenginx" | "haproxy-alpine")
}

/// What an image starts, in words.
pub(super) fn started_words(image: &Image) -> String {
    let mut out = String::new();
    for command in [&image.entrypoint, &image.command].into_iter().flatten() {
        let words = match command {
            Command::Words(words) => words.as_slice(),
            Command::Shell(text) | Command::Split(text) => std::slice::from_ref(text),
        };
        for word in words {
            out.push_str(&word.text);
            out.push(' ');
        }
    }
    out
}

/// Where an image says what it starts.
pub(super) fn started_at(image: &Image) -> Option<Site> {
    let command = image.entrypoint.as_ref().or(image.command.as_ref())?;
    match command {
        Command::Words(words) => words.first().map(|word| word.site),
        Command::Shell(text) | Command::Split(text) => Some(text.site),
    }
}

/// Longest script that is read.
const MAX_SCRIPT: usize = 64 * 1024;

/// The text of the script that a command starts with, without its comments, if the repository has it.
pub(super) fn script(command: &str, layout: &Layout, files: &mut Files<'_>) -> Option<(String, Site)> {
    let mut words = command.split_whitespace().filter(|word| !matches!(*word, "sh" | "bash" | "/bin/sh" | "/bin/bash"));
    let first = words.next()?.trim_matches(['"', '\'']);
    let Lies::Repository(path) = layout.at(first, files) else { return None };
    let Loaded::File(id) = files.load_text(&path) else { return None };
    // Very many containers may start with it, and each keeps its text.
    if files.sources.file(id).text().len() > MAX_SCRIPT || !files.spend(id) {
        return None;
    }
    let text = files.sources.file(id).text();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut out: String = lines.flat_map(|line| [line, "\n"]).collect();
    // What it is handed is often what it starts in the end.
    out.push_str(&words.collect::<Vec<_>>().join(" "));
    let end = text.lines().next().map_or(0, str::len);
    Some((out, Site::direct(Span::new(id, 0, end as u32))))
}

/// Whether a command starts a proxy and leaves nothing else behind.
pub(super) fn runs_proxy_only(command: &str) -> bool {
    const FIRST: [&str; 4] = ["sh", "bash", "ash", "exec"];
    const KNOWN: [&str; 46] = [
        "if",
        "then",
        "fi",
        "else",
        "elif",
        "[",
        "[[",
        "for",
        "do",
        "done",
        "while",
        "until",
        "exit",
        "return",
        "read",
        "grep",
        "awk",
        "date",
        "printf",
        "false",
        ":",
        "nginx",
        "nginx-debug",
        "haproxy",
        "openresty",
        "envsubst",
        "cp",
        "cat",
        "echo",
        "mkdir",
        "sed",
        "sleep",
        "rm",
        "ls",
        "chmod",
        "chown",
        "export",
        "docker-entrypoint.sh",
        "set",
        "mv",
        "touch",
        "ln",
        "test",
        "true",
        "dumb-init",
        "tini",
    ];
    // The `;` of nginx's own directives ends no command.
    command.replace("off;", "off").split(['&', ';', '|', '\n']).all(|part| {
        let mut words = part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).skip_while(|word| {
            word.is_empty()
                || word.starts_with('-')
                || word.contains('=')
                || FIRST.contains(&word.rsplit('/').next().unwrap_or(word))
        });
        words.next().is_none_or(|word| KNOWN.contains(&word.rsplit('/').next().unwrap_or(word)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxys_container_starts() {
        assert!(is_proxy_image("docker.example.test:5000/library/nginx:1.27-alpine@sha256:ab"));
        assert!(!is_proxy_image("jwilder/nginx-proxy"));
        for only in [
            "",
            "nginx -g 'daemon off;'",
            "/bin/bash -c \"envsubst < /a > /b && exec nginx -g 'daemon off;'\"",
            "haproxy -f /etc/haproxy/haproxy.cfg",
            "/docker-entrypoint.sh nginx",
            "/usr/sbin/nginx -g 'daemon off;' -c /etc/nginx/nginx.conf",
        ] {
            assert!(runs_proxy_only(only), "{only}");
        }
        for more in ["/start.sh", "sh -c 'node app.js & nginx'", "supervisord -n", "nginx & php-fpm"] {
            assert!(!runs_proxy_only(more), "{more}");
        }
    }
}
