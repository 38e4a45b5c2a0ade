//! What the public tests cannot see: recovery, limits, hostile input.

use super::*;
use std::fmt::Write as _;

/// The tree in one line: `http{server{listen 80;}}`, a block that nothing closes as `{…`, Lua as `{|…|}`.
fn outline(parsed: &Parsed<Tree>, text: &str) -> String {
    fn level(tree: &Tree, text: &str, children: Children<'_>, out: &mut String) {
        for id in children {
            let words: Vec<_> = tree.words(id).iter().map(|word| word.raw(text)).collect();
            out.push_str(&words.join(" "));
            match tree.node(id).body() {
                Body::None => out.push(';'),
                Body::Raw { open, close } => {
                    write!(out, "{{|{}|}}", text[open as usize + 1..close as usize].trim()).unwrap();
                }
                Body::Block { close, .. } => {
                    out.push('{');
                    level(tree, text, tree.children(id), out);
                    out.push_str(if close.is_some() { "}" } else { "…" });
                }
            }
        }
    }
    let mut out = String::new();
    level(&parsed.tree, text, parsed.tree.roots(), &mut out);
    out
}

/// Errors as `line:piece: message`.
fn errors(parsed: &Parsed<Tree>, text: &str) -> Vec<String> {
    let place = |at: &std::ops::Range<u32>| {
        let line = text[..at.start as usize].matches('\n').count() + 1;
        format!("{line}:{}", &text[at.start as usize..at.end as usize])
    };
    parsed.errors.iter().map(|error| format!("{}: {}", place(&error.at), error.message)).collect()
}

#[track_caller]
fn check(text: &str, tree: &str, expected: &[&str]) {
    let parsed = parse(text);
    assert_eq!(errors(&parsed, text), expected, "errors of {text}");
    assert_eq!(outline(&parsed, text), tree, "tree of {text}");
}

#[test]
fn nodes_and_words_are_small() {
    assert!(size_of::<Node>() <= 40);
    assert_eq!(size_of::<Word>(), 8);
}

#[test]
fn a_missing_semicolon_before_a_directive() {
    let text = "location / {\n    proxy_read_timeout 60s\n    proxy_pass http://x;\n    root /y;\n}\n";
    check(
        text,
        "location /{proxy_read_timeout 60s;proxy_pass http://x;root /y;}",
        &["2:s: this directive lacks its `;`"],
    );
    let error = &parse(text).errors[0];
    assert_eq!(error.label, "`;` missing after `60s`");
    assert_eq!(error.others[0].1, "the next directive, `proxy_pass`, begins here");
    assert_eq!(&text[error.others[0].0.start as usize..error.others[0].0.end as usize], "proxy_pass");
    assert_eq!(error.help.as_deref(), Some("write `proxy_read_timeout 60s;`"));
    // The next line stands deeper, but `proxy_read_timeout` takes one argument.
    check(
        "proxy_read_timeout 60s\n    proxy_pass http://x;",
        "proxy_read_timeout 60s;proxy_pass http://x;",
        &["1:s: this directive lacks its `;`"],
    );
    check(
        "upstream a {\n  server 10.0.0.1:80\n  server 10.0.0.2:80;\n}",
        "upstream a{server 10.0.0.1:80;server 10.0.0.2:80;}",
        &["2:0: this directive lacks its `;`"],
    );
    check(
        "server {\n  listen 80\n  location / {\n    root /x;\n  }\n}",
        "server{listen 80;location /{root /x;}}",
        &["2:0: this directive lacks its `;`"],
    );
}

#[test]
fn a_missing_semicolon_before_a_brace_or_the_end() {
    check(
        "server {\n  root /x\n}\nserver { listen 1; }",
        "server{root /x;}server{listen 1;}",
        &["2:x: this directive lacks its `;`"],
    );
    check("root /x", "root /x;", &["1:x: this directive lacks its `;`"]);
    check("root \"ä\n", "root \"ä;", &["1:\": this quote is never closed", "1:ä: this directive lacks its `;`"]);
}

#[test]
fn two_missing_semicolons() {
    check(
        "server {\n  root /x\n  listen 80\n}\n",
        "server{root /x;listen 80;}",
        &["2:x: this directive lacks its `;`", "3:0: this directive lacks its `;`"],
    );
}

#[test]
fn valid_statements_over_lines_are_left_alone() {
    for text in [
        "log_format main\n'$remote_addr'\n'$status';",
        "add_header Content-Security-Policy\n\"default-src 'self';\n script-src 'none'\"\nalways;",
        "server_name\nlisten\nroot\nexample.com;",
        "map $a $b {\nroot\n1;\nlisten\nindex;\n}",
        "types {\nroot\nroot;\n}",
        "listen 443\nssl\nhttp2;",
        "listen 443\nproxy_protocol\nbacklog=9;",
        "if ($a\n= root)\n{\nreturn\n403;\n}",
        "return\n301\nhttps://$host$request_uri;",
        "set\n$a\nroot;",
        "proxy_set_header\nHost\n$host;",
        "try_files\n$uri\nindex\n=404;",
        "proxy_next_upstream error\ntimeout\nhttp_502;",
        "random two\nleast_conn;",
        "index\nroot\nindex.html;",
        "location\n/\n{\nroot\n/x;\n}",
        "proxy_cache_path /x\nlevels=1:2\nkeys_zone=a:1m;",
        "my_own_directive a\nroot b;",
    ] {
        let parsed = parse(text);
        assert_eq!(errors(&parsed, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn an_unclosed_block() {
    let text = "http {\n  server {\n    location / {\n      root /x;\n    location /b {\n      root /b;\n    }\n  }\n  server {\n    listen 80;\n  }\n}\n";
    check(
        text,
        "http{server{location /{root /x;…location /b{root /b;}}server{listen 80;}}",
        &["3:location / {: this block is never closed"],
    );
    let text = "http {\n  server {\n    location / {\n      root /x;\n  }\n  server {\n    listen 80;\n  }\n}\n";
    check(
        text,
        "http{server{location /{root /x;…}server{listen 80;}}",
        &["3:location / {: this block is never closed"],
    );
    assert_eq!(parse(text).errors[0].others[0].1, "this `}` lines up with an outer block");
    check("a {\n", "a{…", &["1:a {: this block is never closed"]);
    // Indentation that says nothing: the block that is open at the end.
    check(
        "http {\nserver {\nlisten 80;\nlocation / {\nroot /x;\n}\n}\n",
        "http{server{listen 80;location /{root /x;}}…",
        &["1:http {: this block is never closed"],
    );
}

#[test]
fn a_stray_brace() {
    check("}\na b;", "a b;", &["1:}: this `}` closes nothing"]);
    check(
        "http {\n  server {\n    location / {\n    }\n    }\n    listen 80;\n  }\n  server {\n  }\n}\n",
        "http{server{location /{}listen 80;}server{}}",
        &["5:}: this `}` closes nothing"],
    );
}

#[test]
fn quotes() {
    let text = "server {\n  add_header X \"abc;\n  add_header Y \"z\";\n  listen 80;\n}\n";
    check(text, "server{add_header X \"abc;add_header Y \"z\";listen 80;}", &["2:\": this quote is never closed"]);
    let error = &parse(text).errors[0];
    assert_eq!(error.others[0].1, "this quote closes it by accident");
    assert_eq!(error.help.as_deref(), Some("write `\"abc\"`"));
    check("a 'b;\nc d;\n", "a 'b;c d;", &["1:': this quote is never closed"]);
    check("location \"/a {\n  root /x;\n}\n", "location \"/a{root /x;}", &["1:\": this quote is never closed"]);
    check("a \"b\"c d;\ne f;", "a \"b\" c d;e f;", &["1:c: text stands right after a closing quote"]);
    check("a \"b\"# no comment\n;", "a \"b\";", &["1:#: text stands right after a closing quote"]);
}

#[test]
fn lone_marks() {
    check("a b;;\nc d;", "a b;c d;", &["1:;: nothing stands before this `;`"]);
    check("a { };\n;", "a{}", &["1:;: nothing stands before this `;`", "2:;: nothing stands before this `;`"]);
    check("{ a b; }\nc d;", "{a b;}c d;", &["1:{: this block has no name"]);
    let parsed = parse("{ a b; }");
    let block = parsed.tree.roots().next().unwrap();
    assert_eq!((parsed.tree.name(block, "{ a b; }").as_ref(), parsed.tree.words(block).len()), ("", 0));
}

#[test]
fn a_byte_order_mark() {
    check("\u{FEFF}events { }", "events{}", &["1:\u{FEFF}: the file begins with a byte order mark"]);
}

#[test]
fn lua_that_nothing_closes() {
    let text = "server {\n  content_by_lua_block {\n    x = {\n  }\n  listen 80;\n}\n";
    check(text, "server{content_by_lua_block{|x = {|}listen 80;}", &["2:{: this Lua block is never closed"]);
    check(
        "a { content_by_lua_block { x = {",
        "a{content_by_lua_block{|x = {|}…",
        &["1:a {: this block is never closed", "1:{: this Lua block is never closed"],
    );
}

#[test]
fn depth_is_bounded() {
    let deep = |n: usize| format!("{}x y;{} after all;", "a {".repeat(n), "}".repeat(n));
    let (flat, deeper) = (deep(256), deep(100_000));
    assert!(parse(&flat).errors.is_empty());
    let parsed = parse(&deeper);
    assert_eq!(parsed.errors.len(), 1, "{:?}", parsed.errors.first());
    assert_eq!(parsed.tree.roots().count(), 2);
    assert_eq!(parsed.tree.len(), 257);
}

#[test]
fn errors_are_bounded() {
    assert_eq!(parse(&";".repeat(1000)).errors.len(), crate::syntax::limits::MAX_ERRORS);
}

#[test]
fn templates() {
    let text = "{% if x %}\nserver {{ name }} {\n  listen {{ port }}{% if ssl %} ssl{% endif %};\n  {{ extra }}\n\
                {{- if .Values.x }}\n  root \"/{{ x[\"y\"] }}/z\";\n{{- end }}\n  {{ key }} on; # {{ not a hole }}\n}\n{% endif %}\n";
    let parsed = parse(text);
    assert!(parsed.template && parsed.errors.is_empty());
    assert_eq!(
        outline(&parsed, text),
        "server {{ name }}{listen {{ port }}{% if ssl %} ssl{% endif %};root \"/{{ x[\"y\"] }}/z\";{{ key }} on;}"
    );
    let server = parsed.tree.roots().next().unwrap();
    let words = parsed.tree.words(server);
    assert!(!parsed.tree.has_hole(words[0]) && parsed.tree.has_hole(words[1]));
    let listen = parsed.tree.children(server).next().unwrap();
    let words = parsed.tree.words(listen);
    assert_eq!(words.len(), 3);
    assert!(parsed.tree.has_hole(words[1]) && parsed.tree.has_hole(words[2]));
}

#[test]
fn templates_of_other_kinds() {
    for (text, tree) in [
        ("<% @a.each do |b| -%>\nserver <%= b %>;\n<% end %>\n", "server <%= b %>;"),
        ("{{#each a}}\nserver {{this}};\n{{/each}}\n", "server {{this}};"),
        ("{{ range .A }}server {{ . }};{{ end }}", "server {{ . }};"),
        ("{{ x }}\na {# b #}\n c; {# d #} e f;", "a {# b #} c;e f;"),
        ("{{ x }}\nserver {# main\n listen 1; }", "server{listen 1;}"),
        ("a ${{ b }} c;", "a ${{ b }} c;"),
    ] {
        let parsed = parse(text);
        assert_eq!(outline(&parsed, text), tree, "{text}");
        assert!(parsed.errors.is_empty());
    }
}

#[test]
fn a_template_never_has_structure_errors() {
    for text in [
        "{% if a %}server {\n{% else %}\nserver { {% endif %}\n listen 80;\n}\n",
        "{{ a }}\n}}}\n\"",
        "{{ a }}\nroot /x\nlisten 80;\n;;",
        "{{ a }}\nx_by_lua_block { {",
    ] {
        let parsed = parse(text);
        assert!(parsed.template && parsed.errors.is_empty(), "{text}");
    }
}

#[test]
fn what_is_no_template() {
    for text in [
        "content_by_lua_block { x = {{1}, {2}} }",
        "a \"{{ b\";",
        "location ~ \"^/[a-z]{2}/<%\" { }",
        "content_by_lua_block { x = '{% y %}' } # {{",
    ] {
        let parsed = parse(text);
        assert!(!parsed.template, "{text}");
        assert_eq!(errors(&parsed, text), Vec::<String>::new());
    }
    // Errors of a file that only looks like a template are reported.
    assert_eq!(parse("content_by_lua_block { x = {{1}} } }").errors.len(), 1);
}

#[test]
fn values_in_comments_make_no_template() {
    let broken = "# {{ ansible_managed }}\nhttp { # {{ x }}\n  listen 80\n  #\t<%= y %>\n  server_name a;\n}\n";
    let parsed = parse(broken);
    assert!(!parsed.template);
    assert_eq!(parsed.errors.len(), 1, "{:?}", parsed.errors);
    assert!(!parse("# {{ x }}\nserver {# one\n}\n").template);
    // What decides about other lines does so in a comment, too.
    for text in ["# {% if x %}\na {\n# {% endif %}\n", "a { # {{ if .X }}\n", "#{{#x}}\na {\n", "# <% if x %>\na {\n"] {
        let parsed = parse(text);
        assert!(parsed.template && parsed.errors.is_empty(), "{text}");
    }
    // A value that counts, behind any number that do not.
    assert!(parse("# {{ x }}\n  # {{ y }}\na {{ z }};\nb {\n").template);
}

#[test]
fn comments_that_speak_to_us() {
    let text = "a b; # gw502: allow x\r\n# other\nc d \"# gw502: no\";\n#gw502: y";
    let parsed = parse(text);
    let comments: Vec<_> = parsed.comments.iter().map(|at| &text[at.start as usize..at.end as usize]).collect();
    assert_eq!(comments, [" gw502: allow x", "gw502: y"]);
}

#[test]
fn a_repetition_without_quotes_is_named_and_the_rest_is_read() {
    let text = "server { location ~ ^/[0-9]{4}/x{1,3}$ { return 200; } location /b { return 201; } }";
    let parsed = parse(text);
    let said: Vec<_> = parsed.errors.iter().map(|error| (error.at.clone(), error.message.as_str())).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(&text[said[0].0.start as usize..said[0].0.end as usize], "{4}");
    assert!(parsed.errors[0].help.as_deref().is_some_and(|help| help.contains("\"^/[0-9]{4}/x{1,3}$\"")));
    let server = parsed.tree.roots().next().expect("a server");
    let names: Vec<_> = parsed.tree.children(server).map(|id| parsed.tree.words(id).len()).collect();
    assert_eq!(names, [3, 2]);
}
