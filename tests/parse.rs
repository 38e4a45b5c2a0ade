//! The nginx parser against the facts of the language, against a port of nginx's own reader, and against another crate.
//!
//! Facts were checked with `nginx -t` of 1.22.1, unless a test says otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use std::borrow::Cow;
use std::fmt::Write as _;
use std::panic::catch_unwind;

#[path = "support/busy.rs"]
mod busy;

use gw502_lint::syntax::Parsed;
use gw502_lint::syntax::limits::MAX_ERRORS;
use gw502_lint::syntax::nginx::{Body, Children, Tree, parse};

/// The tree with decoded words, one directive per line, indented: `listen|80 ;`.
fn outline(parsed: &Parsed<Tree>, text: &str) -> String {
    fn level(tree: &Tree, text: &str, children: Children<'_>, depth: usize, out: &mut String) {
        for id in children {
            let words: Vec<Cow<'_, str>> = tree.words(id).iter().map(|word| tree.word(*word, text)).collect();
            let mark = match tree.node(id).body() {
                Body::None => ";",
                Body::Block { .. } => "{}",
                Body::Raw { .. } => "lua",
            };
            writeln!(out, "{}{} {mark}", "  ".repeat(depth), words.join("|")).unwrap();
            level(tree, text, tree.children(id), depth + 1, out);
        }
    }
    let mut out = String::new();
    level(&parsed.tree, text, parsed.tree.roots(), 0, &mut out);
    out
}

/// Reads without errors, and so.
#[track_caller]
fn reads(text: &str, expected: &str) {
    let parsed = parse(text);
    assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
    assert_eq!(outline(&parsed, text).trim_end(), expected, "{text}");
}

/// One error at this piece of the text.
#[track_caller]
fn refuses(text: &str, message: &str, piece: &str) {
    let parsed = parse(text);
    let errors: Vec<_> = parsed
        .errors
        .iter()
        .map(|error| (error.message.as_str(), &text[error.at.start as usize..error.at.end as usize]))
        .collect();
    assert_eq!(errors, [(message, piece)], "{text}");
}

mod facts {
    use super::{reads, refuses};
    use gw502_lint::syntax::nginx::{Body, parse};

    #[test]
    fn tokens_end_at_blanks_semicolons_and_opening_braces() {
        reads("a b\tc\rd\ne;f{g h;}", "a|b|c|d|e ;\nf {}\n  g|h ;");
        reads("upstream app{server a;}", "upstream|app {}\n  server|a ;");
        reads("location /b{}", "location|/b {}");
        // A regular expression with braces and without quotes: a block.
        reads("location ~ ^/a{2}/x ;}", "location|~|^/a {}\n  2}/x ;");
    }

    #[test]
    fn a_closing_brace_inside_a_word_is_ordinary() {
        reads("a b}c;", "a|b}c ;");
        reads("s{return 200;}location{}", "s {}\n  return|200 ;\nlocation {}");
    }

    #[test]
    fn a_brace_after_a_dollar_opens_no_block() {
        reads("a ${host};", "a|${host} ;");
        reads("a http://${b}{c d;}", "a|http://${b} {}\n  c|d ;");
        reads("a $ {}", "a|$ {}");
        reads("a $b{}", "a|$b {}");
    }

    #[test]
    fn comments_begin_only_where_a_word_does() {
        reads("a#b c;", "a#b|c ;");
        reads("a # it's \"{ } ;\n b # c\n;", "a|b ;");
        reads("a b;# c", "a|b ;");
        reads("# only", "");
    }

    #[test]
    fn quotes_begin_only_where_a_word_does() {
        reads("a \"b c;{}#\" 'd \"e\" f';", "a|b c;{}#|d \"e\" f ;");
        reads("a b\"c\" d'e;", "a|b\"c\"|d'e ;");
        reads("a \"over\nlines\";", "a|over\nlines ;");
        reads("\"server\" { 'listen' 80; }", "server {}\n  listen|80 ;");
        reads("location ~ \"^/a{2}$\" { }", "location|~|^/a{2}$ {}");
        reads("a \"$b ${c}\";", "a|$b ${c} ;");
        reads("a \"\" '';", "a|| ;");
    }

    #[test]
    fn after_a_closing_quote() {
        reads("a \"b\"{}", "a|b {}");
        reads("a \"b\";", "a|b ;");
        reads("if ($a = \"b\") {}", "if|($a|=|b|) {}");
        refuses("a \"b\"c;", "text stands right after a closing quote", "c");
        refuses("a 'b'# c\n;", "text stands right after a closing quote", "#");
        refuses("s { a \"b\"}", "this directive lacks its `;`", "\"");
    }

    #[test]
    fn a_backslash_protects_the_next_character() {
        reads(r"a b\;c d\ e f\{g;", r"a|b\;c|d\ e|f\{g ;");
        reads(r#"a \"b\" "c\"d" 'e\'f' \\;"#, r#"a|"b"|c"d|e'f|\ ;"#);
        reads(r"a b\tc\rd\ne;", "a|b\tc\rd\ne ;");
        reads(r"location ~ \.php$ {}", r"location|~|\.php$ {}");
        reads("a \\# b;", "a|\\#|b ;");
    }

    #[test]
    fn lone_semicolons() {
        refuses(";", "nothing stands before this `;`", ";");
        refuses("a b;;", "nothing stands before this `;`", ";");
        refuses("a {};", "nothing stands before this `;`", ";");
    }

    #[test]
    fn a_block_needs_a_name() {
        refuses("{ a b; }", "this block has no name", "{");
    }

    #[test]
    fn names_keep_their_case() {
        reads("Listen ON;", "Listen|ON ;");
    }

    #[test]
    fn line_ends_of_windows() {
        reads("a b;\r\nc {\r\n  d e; # f\r\n}\r\n", "a|b ;\nc {}\n  d|e ;");
    }

    #[test]
    fn a_byte_order_mark_is_refused_and_the_rest_read() {
        refuses("\u{FEFF}a b;", "the file begins with a byte order mark", "\u{FEFF}");
        assert_eq!(parse("\u{FEFF}a b;").tree.len(), 1);
    }

    #[test]
    fn any_character_makes_a_word() {
        reads("a \0 ä 日本 \u{1F600} \u{A0};", "a|\0|ä|日本|\u{1F600}|\u{A0} ;");
    }

    /// nginx refuses a token of more than about 4096 bytes; that is for a rule to say.
    #[test]
    fn long_words_are_read() {
        let long = "x".repeat(100_000);
        reads(&format!("a {long};"), &format!("a|{long} ;"));
        reads(&format!("a '{long}';"), &format!("a|{long} ;"));
    }

    #[test]
    fn tables_are_read_like_directives() {
        reads("map $a $b { default 1; ~*x \"\"; hostnames; }", "map|$a|$b {}\n  default|1 ;\n  ~*x| ;\n  hostnames ;");
        reads("types { text/html html htm; }", "types {}\n  text/html|html|htm ;");
        reads("types\n{\n  listen\n  root;\n}", "types {}\n  listen|root ;");
    }

    #[test]
    fn parentheses_of_if_belong_to_the_words() {
        reads("if ($a = x) { return 1; }", "if|($a|=|x) {}\n  return|1 ;");
        reads("if ( $a ) {}", "if|(|$a|) {}");
    }

    /// From the documentation of lua-nginx-module; nginx itself does not know these directives.
    #[test]
    fn lua_is_text_up_to_its_brace() {
        let text = "content_by_lua_block { x = \"}\" -- }\n y = {[[}]]} } a b;";
        reads(text, "content_by_lua_block lua\na|b ;");
        let parsed = parse(text);
        let Body::Raw { open, close } = parsed.tree.node(parsed.tree.roots().next().unwrap()).body() else { panic!() };
        assert_eq!(&text[open as usize..=close as usize], "{ x = \"}\" -- }\n y = {[[}]]} }");
        reads("set_by_lua_block $a { return {} }", "set_by_lua_block|$a lua");
        reads("\"rewrite_by_lua_block\"{x = {}}", "rewrite_by_lua_block lua");
        reads("'log_by_lua_block' # {\n{ '' }", "log_by_lua_block lua");
        reads("server_name content_by_lua_block ;", "server_name|content_by_lua_block ;");
        reads("upstream content_by_lua_block { a b; }", "upstream|content_by_lua_block {}\n  a|b ;");
        reads("content_by_lua_block;", "content_by_lua_block ;");
    }

    #[test]
    fn empty_files() {
        reads("", "");
        reads(" \t\r\n", "");
    }

    #[test]
    fn positions_are_those_of_the_text() {
        let text = "ä { b 'c'; }";
        let tree = parse(text).tree;
        let outer = tree.roots().next().unwrap();
        let inner = tree.children(outer).next().unwrap();
        let piece = |node: &gw502_lint::syntax::nginx::Node| &text[node.start as usize..node.end as usize];
        assert_eq!((piece(tree.node(outer)), piece(tree.node(inner))), (text, "b 'c';"));
        let word = tree.words(inner)[1];
        assert_eq!((word.raw(text), tree.word(word, text).as_ref()), ("'c'", "c"));
        assert!(tree.is_quoted(word, text) && !tree.is_quoted(tree.words(inner)[0], text));
        let Body::Block { open, close } = tree.node(outer).body() else { panic!() };
        assert_eq!((open, close), (3, Some(12)));
    }
}

/// nginx's own reader, `ngx_conf_read_token` of 1.22.1, letter by letter: no grammar, no tree, nothing shared.
mod oracle {
    /// A word: its first byte, one past its last, and its value.
    pub type Word = (usize, usize, Vec<u8>);
    /// The words of a statement, and `;`, `{` or `}`.
    pub type Statement = (Vec<Word>, u8);

    /// The statements, or nothing if nginx would not read the text to its end.
    pub fn scan(text: &[u8]) -> Option<Vec<Statement>> {
        let (mut statements, mut words): (Vec<Statement>, Vec<Word>) = (Vec::new(), Vec::new());
        let (mut need_space, mut last_space, mut comment, mut variable, mut escaped) =
            (false, true, false, false, false);
        let (mut quote, mut start, mut depth) = (0_u8, 0, 0_usize);
        for (at, &ch) in text.iter().enumerate() {
            if ch == b'\n' {
                comment = false;
            }
            if comment {
                continue;
            }
            if escaped {
                escaped = false;
                continue;
            }
            let blank = matches!(ch, b' ' | b'\t' | b'\r' | b'\n');
            if need_space {
                match ch {
                    _ if blank => (last_space, need_space) = (true, false),
                    b';' | b'{' => {
                        (last_space, need_space) = (true, false);
                        end(&mut statements, &mut words, ch, &mut depth)?;
                    }
                    b')' => (last_space, need_space) = (true, false),
                    _ => return None,
                }
                if ch != b')' {
                    continue;
                }
            }
            if last_space {
                start = at;
                match ch {
                    _ if blank => continue,
                    b';' | b'{' | b'}' => end(&mut statements, &mut words, ch, &mut depth)?,
                    b'#' => comment = true,
                    b'\\' => (escaped, last_space) = (true, false),
                    b'"' | b'\'' => (quote, last_space) = (ch, false),
                    b'$' => (variable, last_space) = (true, false),
                    _ => last_space = false,
                }
                continue;
            }
            if ch == b'{' && variable {
                continue;
            }
            variable = false;
            let found = match ch {
                b'\\' => {
                    escaped = true;
                    continue;
                }
                b'$' => {
                    variable = true;
                    continue;
                }
                _ if quote != 0 => ch == quote,
                _ => blank || matches!(ch, b';' | b'{'),
            };
            if !found {
                continue;
            }
            if quote == 0 {
                words.push((start, at, value(&text[start..at])));
                last_space = true;
                if !blank {
                    end(&mut statements, &mut words, ch, &mut depth)?;
                }
            } else {
                words.push((start, at + 1, value(&text[start + 1..at])));
                (quote, need_space) = (0, true);
            }
        }
        (words.is_empty() && last_space && !need_space && depth == 0).then_some(statements)
    }

    fn end(statements: &mut Vec<Statement>, words: &mut Vec<Word>, mark: u8, depth: &mut usize) -> Option<()> {
        if words.is_empty() != (mark == b'}') {
            return None;
        }
        match mark {
            b'{' => *depth += 1,
            b'}' => *depth = depth.checked_sub(1)?,
            _ => {}
        }
        statements.push((std::mem::take(words), mark));
        Some(())
    }

    fn value(raw: &[u8]) -> Vec<u8> {
        let (mut value, mut at) = (Vec::new(), 0);
        while at < raw.len() {
            let decoded = match (raw[at], raw.get(at + 1)) {
                (b'\\', Some(next @ (b'"' | b'\'' | b'\\'))) => Some(*next),
                (b'\\', Some(b't')) => Some(b'\t'),
                (b'\\', Some(b'r')) => Some(b'\r'),
                (b'\\', Some(b'n')) => Some(b'\n'),
                _ => None,
            };
            value.push(decoded.unwrap_or(raw[at]));
            at += 1 + usize::from(decoded.is_some());
        }
        value
    }
}

mod differential {
    use super::oracle::{Statement, scan};
    use gw502_lint::syntax::nginx::{Body, Children, Tree, parse};

    fn statements(tree: &Tree, text: &str) -> Vec<Statement> {
        fn level(tree: &Tree, text: &str, children: Children<'_>, out: &mut Vec<Statement>) {
            for id in children {
                let words = tree.words(id).iter();
                let words = words
                    .map(|word| (word.start as usize, word.end as usize, tree.word(*word, text).as_bytes().to_vec()))
                    .collect();
                match tree.node(id).body() {
                    Body::None => out.push((words, b';')),
                    _ => {
                        out.push((words, b'{'));
                        level(tree, text, tree.children(id), out);
                        out.push((Vec::new(), b'}'));
                    }
                }
            }
        }
        let mut out = Vec::new();
        level(tree, text, tree.roots(), &mut out);
        out
    }

    /// Whether nginx would read the text.
    #[track_caller]
    fn agree(text: &str) -> bool {
        let parsed = parse(text);
        if parsed.template {
            return false;
        }
        match scan(text.as_bytes()) {
            Some(expected) => {
                assert!(parsed.errors.is_empty(), "{text:?} is valid, but: {:?}", parsed.errors);
                assert_eq!(statements(&parsed.tree, text), expected, "{text:?}");
                true
            }
            None => {
                assert!(!parsed.errors.is_empty(), "{text:?} is not valid");
                false
            }
        }
    }

    /// Marsaglia's xorshift: the same numbers in every run.
    fn random(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        usize::try_from(*state >> 33).unwrap()
    }

    #[test]
    fn on_tricky_texts() {
        for text in [
            "a ${{b};",
            "a $${b};",
            "a $\\{b;",
            "a \"$\"{b;}",
            "a ${ b; }",
            "a \\\nb;",
            "a \\",
            "a \\\"b c\\\";",
            "a \"\\",
            "a '\\'';",
            "a \"b\")c;",
            "a \"b\"));",
            "a \"b\")\"c\";",
            "a)\"b\";",
            "a}b}{c};}",
            "}a;",
            "a{}}",
            "a\"b;",
            "a 'b\nc'\n;",
            "a \"\"\"\";",
            "a #\"\n\"b\";",
            "#\\\na;",
            "a\u{0}b;",
            "ä\u{85}b;",
            "a\u{b}b\u{c}c;",
            "a;b;c",
            "a{b{c{}}",
            "$;",
            "$$;",
            "\\;;",
            "\"\";",
            "''{}",
            "a \"b\\\\\";",
            "a \\n\\t\\x\\\\;",
            "a # b",
            "a b #",
            "a { # }\n}",
            "\r",
            "a\r;",
            "a \"b\"\r;",
            "(;",
            ");",
            "a=\"b c\";",
        ] {
            agree(text);
        }
    }

    #[test]
    fn on_texts_at_random() {
        let pieces = [
            "a", "b1", "\"", "'", "\\", "$", "${", "{", "}", ";", " ", "\n", "\t", "\r\n", "#", "é", "\0", "(", ")",
            "x y;", " z{", "\"q w\" ", "# c\n", "t", "n", "%", "<", "|", "~", "🙂", "=", "/",
        ];
        let (mut state, mut valid) = (0x2545_F491_4F6C_DD1D, 0);
        for _ in 0..30_000 {
            let length = random(&mut state) % 14;
            let text: String = (0..length).map(|_| pieces[random(&mut state) % pieces.len()]).collect();
            valid += usize::from(agree(&text));
        }
        assert!(valid > 1_000, "only {valid} of the texts were valid");
    }

    /// Statements put together as people do, so that most texts are valid and long enough for more than one slice.
    #[test]
    fn on_generated_configurations() {
        let words = [
            "a",
            "\"b c\"",
            "'d;{'",
            "${e}f",
            "g\\;h",
            "\"\\\"i\\n\"",
            "~*\\.php$",
            "j#k",
            "l}",
            "é",
            "http://m:80/",
            "\"n\no\"",
        ];
        let gaps = [" ", "\t", "\n    ", "\r\n", " # c \" { ;\n"];
        let mut state = 0x9E37_79B9_7F4A_7C15;
        for round in 0..60 {
            let (mut text, mut depth) = (String::new(), 0);
            for _ in 0..(if round % 10 == 0 { 3_000 } else { 30 }) {
                for _ in 0..=random(&mut state) % 4 {
                    text.push_str(words[random(&mut state) % words.len()]);
                    text.push_str(gaps[random(&mut state) % gaps.len()]);
                }
                match random(&mut state) % 4 {
                    0 => {
                        text.push('{');
                        depth += 1;
                    }
                    1 if depth > 0 => {
                        text.push_str(";}");
                        depth -= 1;
                    }
                    _ => text.push(';'),
                }
            }
            text.push_str(&"}".repeat(depth));
            assert!(agree(&text), "{}", text.len());
            // Cut anywhere, it is valid for both or for neither.
            let mut end = random(&mut state) % text.len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            agree(&text[..end]);
        }
    }
}

/// A second opinion, no more: `nginx-config` 0.13 knows 73 directives of http and refuses all others (`events`,
/// `upstream` and `fastcgi_param` among them), prints to stdout what it does not expect, and panics on some input. So
/// it only sees configurations inside its subset; the port of nginx's reader above is the judge.
#[test]
fn a_second_opinion_by_another_crate() {
    let texts = [
        "user www-data;\nworker_processes auto;\npid /run/nginx.pid;\nhttp {\n  server {\n    listen 80;\n    \
         server_name example.com www.example.com;\n    location / {\n      root /srv;\n    }\n  }\n}\n",
        "http { server { listen 127.0.0.1:8080; location /api { proxy_pass http://10.0.0.1:3000; \
         proxy_set_header Host $host; proxy_read_timeout 60s; } } }",
        "http { # comment\n  gzip on;\n  sendfile on; keepalive_timeout 65;\n  server { listen 443 ssl; return 301 \
         https://example.com/; } }",
        "http { server { location = /x { alias /y; } location ~ \\.php$ { root '/with blank'; } } }",
        "http { server { location / { if ($request_method = POST) { return 405; } rewrite ^/a /b break; } } }",
        "http { server { location / { add_header X-A \"b c\" always; try_files $uri $uri/ /index.html; } } }",
    ];
    let mut agreed = 0;
    for text in texts {
        let Ok(Ok(main)) = catch_unwind(|| nginx_config::parse_main(text)) else { continue };
        let ours = parse(text);
        assert!(ours.errors.is_empty(), "{text}: {:?}", ours.errors);
        // Its tree, written out again: whatever it made of names, arguments and nesting is in there.
        let written: String = main.directives.iter().map(|directive| directive.to_string() + "\n").collect();
        let theirs = parse(&written);
        assert!(theirs.errors.is_empty(), "{written}");
        assert_eq!(outline(&ours, text), outline(&theirs, &written));
        agreed += 1;
    }
    assert!(agreed >= 4, "only {agreed} of the texts are inside its subset");
}

/// Linear, whatever is opened and never closed.
#[test]
fn openers_repeated_are_read_in_linear_time() {
    const TIMES: usize = 20_000;
    let openers = [
        "a {{ b;",
        "\"",
        "'",
        "content_by_lua_block { x = {",
        "{%",
        "<%",
        "${",
        "#",
        "{",
        "}",
        "{{",
        "{#",
        "\"a\"b",
        "\\",
        "{{ if",
        "'\"",
        "\"\\",
        "x \"a;\n y 'b;\n",
        "root /x\n",
        "a \"{{ b\";",
        "a_by_lua_block {[[ ",
        "content_by_lua_block { {\n}\n",
    ];
    for opener in openers {
        for gap in ["", "\n"] {
            for before in ["", "{{ x }}\n"] {
                if !before.is_empty() && !opener.contains(['{', '<']) {
                    continue;
                }
                let text = format!("{before}{}", format!("{opener}{gap}").repeat(TIMES));
                let parsed = busy::within(20, &format!("{opener:?} with {gap:?}"), || parse(&text));
                assert!(parsed.errors.len() <= MAX_ERRORS);
            }
        }
    }
}

#[test]
fn one_long_line_is_read_in_linear_time() {
    let many = busy::within(30, "many statements on a line", || parse(&"a b;".repeat(250_000)));
    assert_eq!(many.tree.len(), 250_000);
    let long = format!("a \"{}\";", "b;".repeat(1_000_000));
    assert_eq!(busy::within(30, "a long string", || parse(&long)).tree.len(), 1);
}
