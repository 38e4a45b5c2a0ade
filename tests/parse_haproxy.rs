//! The HAProxy parser: what it reads, what it says, and that nothing hostile hurts it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

#[path = "support/busy.rs"]
mod busy;

use gw502_lint::syntax::haproxy::{LineKind, SectionKeyword, Tree, parse};
use gw502_lint::syntax::limits::MAX_ERRORS;

/// One line per line of the tree: section, kind if it is not a keyword, decoded words.
fn dump(text: &str) -> Vec<String> {
    let parsed = parse(text);
    let tree = &parsed.tree;
    let show = |(id, line): (_, &gw502_lint::syntax::haproxy::Line)| {
        let section = line.section.map_or("-", |section| tree.section(section).keyword.word());
        let kind = if line.kind == LineKind::Keyword { String::new() } else { format!("{:?} ", line.kind) };
        let words: Vec<_> = tree.words(id).iter().map(|word| tree.decode(word, text).text).collect();
        format!("{section}: {kind}{}", words.join("|"))
    };
    tree.lines().map(show).collect()
}

/// Errors as `line:text under the label: message`.
fn errors(text: &str) -> Vec<String> {
    let parsed = parse(text);
    let show = |error: gw502_lint::syntax::SyntaxError| {
        let at = error.at.start as usize..error.at.end as usize;
        let line = text[..at.start].matches('\n').count() + 1;
        format!("{line}:{}: {}", &text[at], error.message)
    };
    parsed.errors.into_iter().map(show).collect()
}

const ORDINARY: &str = r#"# gw502: ignore
global
    log 127.0.0.1:514 local0 # gw502: allow x
defaults base
    timeout connect 5s
defaults from base
    mode http
  frontend web from base
    bind :80,:443#comment
    acl api path_beg /api\ v1 "/b c"'d'
    use_backend "api" if api
backend api
    "server" a 10.0.0.1:80 check
"#;

#[test]
fn lines_and_sections() {
    assert_eq!(errors(ORDINARY), [""; 0]);
    assert_eq!(
        dump(ORDINARY),
        [
            "global: Header global",
            "global: log|127.0.0.1:514|local0",
            "defaults: Header defaults|base",
            "defaults: timeout|connect|5s",
            "defaults: Header defaults|from|base",
            "defaults: mode|http",
            "frontend: Header frontend|web|from|base",
            "frontend: bind|:80,:443",
            "frontend: acl|api|path_beg|/api v1|/b cd",
            "frontend: use_backend|api|if|api",
            "backend: Header backend|api",
            "backend: server|a|10.0.0.1:80|check",
        ]
    );
    let parsed = parse(ORDINARY);
    let comments: Vec<_> = parsed.comments.iter().map(|at| &ORDINARY[at.start as usize..at.end as usize]).collect();
    assert_eq!(comments, [" gw502: ignore", " gw502: allow x"]);
    assert!(!parsed.template);
}

#[test]
fn sections_have_names_and_origins() {
    let parsed = parse(ORDINARY);
    let word = |word: Option<gw502_lint::syntax::haproxy::Word>| {
        word.map(|word| parsed.tree.decode(word, ORDINARY).text.into_owned())
    };
    let seen: Vec<_> = parsed
        .tree
        .sections()
        .map(|(id, section)| {
            (section.keyword, word(section.name()), word(section.from()), parsed.tree.lines_of(id).count())
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        seen,
        [
            (SectionKeyword::Global, None, None, 1),
            (SectionKeyword::Defaults, text("base"), None, 1),
            (SectionKeyword::Defaults, None, text("base"), 1),
            (SectionKeyword::Frontend, text("web"), text("base"), 3),
            (SectionKeyword::Backend, text("api"), None, 1),
        ]
    );
}

#[test]
fn decoded_words_tell_what_they_held() {
    let text = "backend b\n server s \"${HOST}:80\" '$X' plain\n";
    let parsed = parse(text);
    let (id, _) = parsed.tree.lines().nth(1).unwrap();
    let words: Vec<_> = parsed.tree.words(id).iter().map(|word| parsed.tree.decode(word, text)).collect();
    assert_eq!(words[2].text, "${HOST}:80");
    assert!(words[2].has_variable && words[2].quoted && !words[2].has_hole);
    assert!(!words[3].has_variable && words[3].quoted);
    assert!(!words[4].quoted);
}

#[test]
fn line_ends_of_every_kind() {
    assert_eq!(
        dump("global\r\n daemon\r\n\r\n  \t\r\n maxconn 5 \r\n"),
        ["global: Header global", "global: daemon", "global: maxconn|5"]
    );
    // HAProxy drops what stands behind a CR that follows a word; behind a blank, a CR is a blank.
    assert_eq!(
        dump("global\n maxconn 5\rx y\n user \r root\n"),
        ["global: Header global", "global: maxconn|5", "global: user|root"]
    );
    assert_eq!(dump("global\n \u{b}user\u{c}root\n"), ["global: Header global", "global: user|root"]);
    assert_eq!(parse("").errors, []);
    assert_eq!(errors("\n"), [""; 0]);
}

#[test]
fn a_backslash_does_not_join_lines() {
    let text = "global\n maxconn 5 \\\n user root\\\n group a\\\\\n log x\\ \n";
    assert_eq!(
        dump(text),
        ["global: Header global", "global: maxconn|5|\\", "global: user|root\\", "global: group|a\\", "global: log|x "]
    );
    assert_eq!(errors(text), [""; 0]);
    let parsed = parse(text);
    let joined: Vec<_> = parsed.tree.lines().map(|(id, _)| parsed.tree.ends_in_backslash(id, text)).collect();
    assert_eq!(joined, [false, true, true, false, false]);
}

#[test]
fn an_open_quote_ends_with_its_line() {
    let text = "global\n description \"a b # c\n user root\n log 'x\ny\n";
    assert_eq!(errors(text), ["2:\": this double quote is not closed", "4:': this single quote is not closed"]);
    assert_eq!(
        dump(text),
        ["global: Header global", "global: description", "global: user|root", "global: log", "global: y"]
    );
    let broken: Vec<_> = parse(text).tree.lines().map(|(_, line)| line.broken).collect();
    assert_eq!(broken, [false, true, false, true, false]);
}

#[test]
fn words_that_haproxy_refuses() {
    let text =
        "global\n a \"x$\"\n b \"${X:-y}\"\n c \"${X[1]}\"\n d \\xZZ\n e \"${X-\" f\n g \"$.X\"\n h \"$.LINE\"\n";
    assert_eq!(
        errors(text),
        [
            "2:$: no variable name stands behind this `$`",
            "3:${X: the `}` of this variable is missing",
            "4:${X: only `[*]` may stand behind a variable's name",
            "5:\\x: `\\x` needs two hexadecimal digits",
            "6:${X-\" f: the `}` of this variable is missing",
            "7:$.X: no variable name stands behind this `$`",
        ]
    );
}

#[test]
fn too_many_words() {
    let line = |count: usize| format!("global\n{}\n daemon\n", " w".repeat(count));
    assert_eq!(errors(&line(64)), [""; 0]);
    assert_eq!(errors(&line(65)), ["2:w: this line has more than 64 words"]);
    assert_eq!(errors(&line(500)), ["2:w: this line has more than 64 words"]);
    let text = line(500);
    let parsed = parse(&text);
    let counts: Vec<_> = parsed.tree.lines().map(|(id, _)| parsed.tree.words(id).len()).collect();
    assert_eq!(counts, [1, 64, 1]);
}

#[test]
fn keywords_outside_any_section() {
    let text = "maxconn 5\nlog x\nglobal\n daemon\n";
    assert_eq!(errors(text), ["1:maxconn: `maxconn` stands outside any section"]);
    assert_eq!(parse(text).tree.lines_outside().count(), 2);
    let parsed = parse("fronted web\n bind :80\n");
    assert_eq!(parsed.errors[0].help.as_deref(), Some("did you mean `frontend`?"));
}

#[test]
fn bytes_that_no_editor_shows() {
    let text = "\u{feff}global\n user a\0b\n daemon\n";
    assert_eq!(
        errors(text),
        ["1:\u{feff}: this file begins with a byte order mark", "2:\0: this file holds a NUL byte"]
    );
    assert_eq!(dump(text), ["global: Header global", "global: user|a\0b", "global: daemon"]);
}

#[test]
fn the_last_line_must_end() {
    for text in ["global\n daemon", "global\n# end", "global\n  ", "global\n daemon\r"] {
        let found = errors(text);
        assert_eq!(found.len(), 1, "{text:?}: {found:?}");
        assert!(found[0].ends_with("the last line does not end in a line feed"));
    }
    assert_eq!(dump("global\n daemon"), ["global: Header global", "global: daemon"]);
}

#[test]
fn branches_exclude_each_other() {
    let text = ".if defined(A)\nfrontend a\n  .if 1\n  bind :1\n  .endif\n.elif 0\nfrontend b\n  bind :2\n.else\n  \
                bind :3\n.endif\n.if 1\nbind :4\n.endif\n bind :5\n .notice \"x y\"\n";
    assert_eq!(errors(text), [""; 0]);
    let parsed = parse(text);
    let tree = &parsed.tree;
    let binds: Vec<_> =
        tree.lines().filter(|(id, line)| line.kind == LineKind::Keyword && tree.words(*id).len() == 2).collect();
    let excluded = |a: usize, b: usize| tree.exclude_each_other(binds[a].1.condition, binds[b].1.condition);
    assert!(excluded(0, 1) && excluded(1, 2) && excluded(0, 2));
    assert!(!excluded(0, 0) && !excluded(0, 3) && !excluded(3, 4) && !excluded(4, 4));
    assert_eq!(tree.around(binds[0].1.condition).count(), 2);
    assert_eq!(binds[4].1.condition, None);
    let (_, section) = tree.sections().nth(1).unwrap();
    assert!(tree.exclude_each_other(section.condition, binds[0].1.condition));
    let kinds: Vec<_> = tree.lines().map(|(_, line)| line.kind).filter(|kind| *kind != LineKind::Keyword).collect();
    use LineKind::{Elif, Else, Endif, Header, If, Notice};
    assert_eq!(kinds, [If, Header, If, Endif, Elif, Header, Else, Endif, If, Endif, Notice]);
}

#[test]
fn conditions_that_do_not_match() {
    assert_eq!(errors("global\n.if 1\n daemon\n"), ["2:.if: this `.if` is not closed"]);
    assert_eq!(errors(".else\n.elif 1\n.endif\n").len(), 3);
    let found = parse(".if 1\n.else\n.elif 1\n.else\n.endif\n").errors;
    assert_eq!(found.len(), 2);
    assert!(found[0].message.contains("`.elif` stands behind the `.else`") && found[0].others.len() == 1);
    assert_eq!(
        errors(".if 1\n.else if 2\n.endif 3\n"),
        ["2:if: `.else` takes no arguments", "3:3: `.endif` takes no arguments"]
    );
    assert_eq!(errors("global\n.iff 1\n"), ["2:.iff: there is no directive `.iff`"]);
    assert_eq!(errors("global\n.if 0\n.what\n.endif\n"), [""; 0]);
    let deep = |count: usize| format!("{}{}", ".if 1\n".repeat(count), ".endif\n".repeat(count));
    assert_eq!(errors(&deep(99)), [""; 0]);
    assert_eq!(errors(&deep(100)), ["100:.if: more than 99 `.if` stand inside each other"]);
}

#[test]
fn templates_are_not_accused() {
    let text = "frontend {{ name }}\n{% for p in ports %}\n  bind :{{ p }} name \"{{ 'x' }}\n{% endfor %}\n\
                {% if x %}\n.else\n  <%= whatever %>\n  \
                server {{ a }}{{ b }} 10.0.0.1:80 check {% if q %}backup{% endif %}";
    let parsed = parse(text);
    assert!(parsed.template);
    assert_eq!(parsed.errors, []);
    let tree = &parsed.tree;
    let (id, section) = tree.sections().next().unwrap();
    assert!(tree.decode(section.name().unwrap(), text).has_hole);
    assert_eq!(tree.decode(section.name().unwrap(), text).text, "{{ name }}");
    let (server, _) = tree.lines_of(id).last().unwrap();
    let holes: Vec<_> = tree.words(server).iter().map(|word| tree.decode(word, text).has_hole).collect();
    assert_eq!(holes, [false, true, false, false, true]);
    // Log formats and an opener that does not close are no template.
    for plain in ["global\n log-tag {{x\n", "global\n log-tag <%ci>\n", "global\n log-tag '{%[src]}'\n"] {
        assert!(!parse(plain).template, "{plain}");
    }
    assert!(parse("\u{feff}global\n{{ x }}\n").errors.len() == 1);
}

#[test]
fn scope_lines_are_lines_of_their_own() {
    let text = "[spoe]\n spoe-agent a\n  messages m\n";
    assert_eq!(errors(text), [""; 0]);
    assert_eq!(dump(text), ["-: Scope [spoe]", "spoe-agent: Header spoe-agent|a", "spoe-agent: messages|m"]);
}

#[test]
fn errors_are_limited_and_counted() {
    let found = parse(&"global\n a \"\n".repeat(1000)).errors;
    assert_eq!(found.len(), MAX_ERRORS);
    assert_eq!(found[MAX_ERRORS - 1].message, "901 more errors in this file are not shown");
}

/// Every byte of every line must come back in order, and no range may leave the text.
fn check_ranges(tree: &Tree, text: &str) {
    let mut last = 0;
    for (id, line) in tree.lines() {
        assert!(line.start >= last && line.end >= line.start && line.end as usize <= text.len());
        last = line.end;
        for word in tree.words(id) {
            assert!(word.start < word.end && text.get(word.start as usize..word.end as usize).is_some());
            let _ = tree.decode(word, text);
        }
    }
}

fn within(seconds: u64, name: &str, text: &str) {
    let parsed = busy::within(seconds, name, || parse(text));
    check_ranges(&parsed.tree, text);
    assert!(parsed.errors.len() <= MAX_ERRORS);
}

#[test]
fn hostile_openers() {
    let openers = [
        "\"",
        "'",
        "\\",
        "${",
        "\"${",
        "\"${A-",
        "\"${A-}",
        "$",
        "#",
        "{{",
        "{%",
        "<%",
        "{{ }}",
        "{{ {%",
        "a\"",
        "a'",
        "\\x",
        "\"\\",
        "\"'",
        "[",
        "[a] ",
        ".if ",
        ".if 1\n",
        ".else\n",
        ".elif\n",
        ".endif\n",
        "\r",
        "\r \r",
        " ",
        "\t",
        "\n",
        "\0",
        "a ",
        "a\"\n",
        "global ",
        "global\n",
        "frontend a from b\n",
        "é",
        "\u{feff}",
        "{{ x }} ",
        "{% x %}\n",
        "# gw502: \n",
        "\"\" ",
        "\"\"\n",
        "\"a\\",
        "'a' ",
        "{{\n",
        "{{/*\n",
        "{%\n",
        "{#\n",
        "{{/* */ x\n",
        "# {{ x }} {%\n",
        "}}",
        "%}",
    ];
    for opener in openers {
        within(10, opener, &opener.repeat(20_000));
        within(10, opener, &format!("global\n{}\n", opener.repeat(20_000)));
        within(10, opener, &format!("global\n a \"{}", opener.repeat(20_000)));
    }
}

#[test]
fn long_lines_are_read_like_short_ones() {
    let long = "x".repeat(200_000);
    let text =
        format!("global\n description {long} \"{long}\"'{long}' # {long} gw502: x\n daemon\n a {long} \"{long}\n b\n");
    let parsed = parse(&text);
    assert_eq!(errors(&text), ["4:\": this double quote is not closed"]);
    let counts: Vec<_> = parsed.tree.lines().map(|(id, _)| parsed.tree.words(id).len()).collect();
    assert_eq!(counts, [1, 3, 1, 2, 1]);
    assert_eq!(parsed.comments.len(), 1);
    // Batches are cut at line ends: no line may be lost or doubled where they meet.
    for width in [1, 7, 100, 1000] {
        let line = format!(" k{}\n", " 'a b'".repeat(width.min(60)));
        let count = 400_000 / line.len();
        let text = format!("global\n{}", line.repeat(count));
        assert_eq!(parse(&text).tree.lines().count(), count + 1);
    }
}

#[test]
fn a_line_of_many_megabytes() {
    within(60, "words", &format!("global\n {}\n", "a ".repeat(10_000_000)));
    within(60, "one word", &format!("global\n {}\n", "a".repeat(4_000_000)));
    within(60, "quotes", &"\"".repeat(4_000_001));
}

/// Random text out of the characters that matter: nothing panics, all ranges are good.
#[test]
fn random_text() {
    const PIECES: [&str; 24] = [
        "a",
        " ",
        "\n",
        "\"",
        "'",
        "\\",
        "#",
        "$",
        "{",
        "}",
        "${X",
        "[*]",
        "{{",
        "}}",
        "{%",
        "%}",
        "\r",
        "\0",
        "é",
        ".if ",
        ".else\n",
        "\nfrontend ",
        "from ",
        "x",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..40 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            text.push_str(PIECES[(seed % PIECES.len() as u64) as usize]);
        }
        check_ranges(&parse(&text).tree, &text);
    }
}
