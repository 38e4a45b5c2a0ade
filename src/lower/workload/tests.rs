//! Where workloads listen, by each kind of evidence.

use super::*;
use crate::files::Held;
use crate::source::{SourceFile, Span};
use crate::topology::{Bind, Listens, Spoken, Weight};
use std::collections::BTreeMap;

struct Tree(BTreeMap<&'static str, &'static str>);

impl crate::files::Repository for Tree {
    fn read(&self, path: &str) -> Held {
        self.0.get(path).map_or(Held::Nothing, |text| Held::Bytes(text.as_bytes().to_vec()))
    }
    fn exists(&self, path: &str) -> bool {
        self.0.keys().any(|key| *key == path || key.starts_with(&format!("{path}/")))
    }
    fn glob(&self, pattern: &str) -> Vec<String> {
        let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build().unwrap().compile_matcher();
        self.0.keys().filter(|key| glob.is_match(key)).map(|key| (*key).to_owned()).collect()
    }
    fn ending_with(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }
}

/// What is learned: each claim in short, and what the server is known to do.
struct Said {
    claims: Vec<String>,
    learned: Learned,
}

fn short(claim: &Claim) -> String {
    let at = match &claim.at {
        Known::Yes(Listens::Port(port)) => port.to_string(),
        Known::Yes(Listens::Socket(path)) => path.to_string(),
        Known::Unknown(_) => "?".to_owned(),
    };
    let bind = match claim.bind {
        Bind::Any => "any",
        Bind::Loopback => "loopback",
        Bind::LoopbackByDefault => "own loopback",
        Bind::Unknown => "somewhere",
    };
    format!("{at} {bind} {:?}", claim.weight).to_lowercase()
}

fn learned(files: &[(&'static str, &'static str)], change: impl FnOnce(&mut Files<'_>, &mut Evidence)) -> Said {
    let tree = Tree(files.iter().copied().collect());
    let mut files = Files::new(Vec::new(), &tree);
    let mut evidence = Evidence::default();
    change(&mut files, &mut evidence);
    let learned = learn(&mut files, &evidence);
    let mut claims: Vec<_> = learned.claims.iter().map(short).collect();
    if learned.claims_open {
        claims.push("open".to_owned());
    }
    for claim in &learned.claims {
        assert!(!claim.words.is_empty() && claim.site.span.start <= claim.site.span.end);
    }
    Said { claims, learned }
}

fn text(files: &mut Files<'_>, value: &str) -> Text {
    let id = files.sources.add(SourceFile::new("compose.yaml", value.as_bytes().to_vec()));
    Text::new(value, Site::direct(Span::new(id, 0, value.len() as u32)))
}

/// A command without a shell, in an image that says nothing.
fn command(line: &str, environment: &[(&str, &str)]) -> Said {
    learned(&[], |files, evidence| {
        evidence.command = Some(Command::Split(text(files, line)));
        for (name, value) in environment {
            let value = text(files, value);
            evidence.environment.push(((*name).into(), value));
        }
    })
}

/// A Dockerfile with what lies beside it.
fn dockerfile(files: &[(&'static str, &'static str)]) -> Said {
    learned(files, |files, evidence| {
        let build = Build {
            context: "".into(),
            dockerfile: Dockerfile::At("Dockerfile".into()),
            target: None,
            args: Vec::new(),
        };
        evidence.built = image(files, &build);
        assert!(evidence.built.is_some());
    })
}

#[test]
fn command_lines_say_where_they_listen() {
    for (line, expected) in [
        ("gunicorn -b 0.0.0.0:5000 app:app", "5000 any decisive"),
        ("gunicorn --bind=127.0.0.1:5000 app:app", "5000 loopback decisive"),
        ("gunicorn -b unix:/run/app.sock app:app", "/run/app.sock any decisive"),
        ("gunicorn app:app", "8000 own loopback strong"),
        ("uvicorn app:app --host 0.0.0.0 --port 80", "80 any decisive"),
        ("uvicorn app:app --port 9000", "9000 own loopback decisive"),
        ("uvicorn app:app --host 0.0.0.0", "8000 any strong"),
        ("uvicorn app:app", "8000 own loopback strong"),
        ("uvicorn app:app --uds /run/u.sock", "/run/u.sock any decisive"),
        ("fastapi run app.py --port 80", "80 any decisive"),
        ("fastapi dev app.py", "8000 own loopback strong"),
        ("hypercorn -b 0.0.0.0:1 app", "1 any decisive"),
        ("daphne -b 0.0.0.0 -p 8001 app", "8001 any decisive"),
        ("waitress-serve --listen=*:8041 app:app", "8041 any decisive"),
        ("waitress-serve app:app", "8080 any strong"),
        ("flask run --host=0.0.0.0", "5000 any strong"),
        ("flask --app x run -h 0.0.0.0 -p 80", "80 any decisive"),
        ("python manage.py runserver 0.0.0.0:8001", "8001 any decisive"),
        ("python manage.py runserver", "8000 own loopback strong"),
        ("python -m flask run", "5000 own loopback strong"),
        ("uwsgi --http :9090 --wsgi-file a.py", "9090 any decisive"),
        ("uwsgi --master --socket 0.0.0.0:3031", "3031 any decisive"),
        ("puma -b tcp://0.0.0.0:9000", "9000 any decisive"),
        ("bundle exec puma -p 3001", "3001 any decisive"),
        ("bundle exec rails s -b 0.0.0.0 -p 3000", "3000 any decisive"),
        ("rails server", "3000 somewhere weak"),
        ("next start -p 4000", "4000 somewhere decisive"),
        ("npx vite --host --port 3000", "3000 any decisive"),
        ("serve -s build -l 5000", "5000 any decisive"),
        ("serve -s build -l tcp://0.0.0.0:5000", "5000 any decisive"),
        ("http-server -p 8081", "8081 somewhere decisive"),
        ("java -Dserver.port=9090 -jar app.jar", "9090 any decisive"),
        ("java -jar app.jar --server.port=9091", "9091 any decisive"),
        ("dotnet app.dll --urls http://+:5005", "5005 any decisive"),
        ("php -S 0.0.0.0:8000 -t public", "8000 any decisive"),
        ("php artisan serve --host=0.0.0.0 --port=8080", "8080 any decisive"),
        ("./server --listen-address :9999", "9999 any decisive"),
        ("--web.listen-address=:9091", "9091 any decisive"),
        ("--entrypoints.web.address=:8000", "8000 any decisive"),
        ("redis-server --port 6380", "6380 any decisive"),
        ("gunicorn -b 0.0.0.0:\u{fffc} app", "open"),
        ("node server.js", ""),
        ("./app", ""),
    ] {
        let said = command(line, &[]);
        assert_eq!(said.claims.join(", "), expected, "{line}");
    }
}

#[test]
fn variables_count_for_programs_that_read_them() {
    for (line, name, value, expected) in [
        ("gunicorn app", "PORT", "9000", "9000 any strong, 9000 somewhere weak"),
        ("gunicorn app", "GUNICORN_CMD_ARGS", "--bind 0.0.0.0:81", "81 any decisive"),
        ("gunicorn -b :80 app", "GUNICORN_CMD_ARGS", "--bind 0.0.0.0:81", "80 any decisive"),
        ("gunicorn app", "PORT", "\u{fffc}", "open"),
        ("uvicorn app", "UVICORN_PORT", "81", "81 own loopback strong"),
        ("flask run -h 0.0.0.0", "FLASK_RUN_PORT", "81", "81 any strong"),
        ("node server.js", "PORT", "3000", "3000 any strong"),
        ("./app", "PORT", "3000", "3000 somewhere weak"),
        ("dotnet x.dll", "ASPNETCORE_URLS", "http://+:5000;https://+:5001", "5000 any strong, 5001 any strong"),
        ("dotnet x.dll", "ASPNETCORE_HTTP_PORTS", "8081", "8081 any strong"),
        ("./app", "VIRTUAL_PORT", "8081", "8081 any medium"),
        ("sh -c 'gunicorn -b 0.0.0.0:$APP_PORT app'", "APP_PORT", "77", "77 any decisive"),
        ("sh -c 'gunicorn -b 0.0.0.0:${OTHER:-78} app'", "APP_PORT", "77", "78 any decisive"),
        ("sh -c 'gunicorn -b 0.0.0.0:$OTHER app'", "APP_PORT", "77", "open"),
    ] {
        assert_eq!(command(line, &[(name, value)]).claims.join(", "), expected, "{line} with {name}");
    }
}

#[test]
fn dockerfiles_with_what_lies_beside_them() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("Dockerfile", "FROM python\nENV PORT=80\nEXPOSE $PORT\nCMD gunicorn -b 0.0.0.0:$PORT app\n")],
            "80 any decisive, 80 somewhere weak, 80 somewhere medium",
        ),
        (
            &[
                ("Dockerfile", "FROM python\nWORKDIR /app\nCOPY . .\nCMD [\"gunicorn\", \"app\"]\n"),
                (
                    "gunicorn.conf.py",
                    "import os\nbind = f\"0.0.0.0:{x}\"\nbind = \"0.0.0.0:\" \"9\"\nbind = ['0.0.0.0:8001', 'unix:/run/x.sock']\n",
                ),
            ],
            "8001 any decisive, /run/x.sock any decisive",
        ),
        (
            &[
                ("Dockerfile", "FROM python\nWORKDIR /app\nCOPY . .\nCMD [\"gunicorn\", \"app\"]\n"),
                ("gunicorn.conf.py", "bind = os.getenv('BIND', '0.0.0.0:8002')\n"),
            ],
            "8002 any decisive",
        ),
        (
            &[(
                "Dockerfile",
                "FROM python\nWORKDIR /app\nCOPY . .\nCMD [\"gunicorn\", \"-c\", \"conf/g.py\", \"app\"]\n",
            )],
            "open",
        ),
        (
            &[
                ("Dockerfile", "FROM python\nWORKDIR /app\nCOPY . .\nCMD [\"uwsgi\", \"--ini\", \"uwsgi.ini\"]\n"),
                ("uwsgi.ini", "[uwsgi]\nhttp-socket = :8080\nsocket = 127.0.0.1:3031\n"),
            ],
            "8080 any decisive, 3031 loopback decisive",
        ),
        (
            &[
                (
                    "Dockerfile",
                    "FROM node:20\nWORKDIR /app\nCOPY package.json .\nCOPY . .\nEXPOSE 3000\nCMD [\"npm\", \"start\"]\n",
                ),
                ("package.json", "{\n\t\"scripts\": {\n\t\t\"start\": \"next start -p 3001\"\n\t}\n}\n"),
            ],
            "3001 somewhere decisive, 3000 somewhere medium",
        ),
        (
            &[
                ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"server.js\"]\n"),
                (
                    "server.js",
                    "const port = process.env.PORT || 3005;\nserver.keepAliveTimeout = 65 * 1000;\napp.listen(port, () => {});\n",
                ),
            ],
            "3005 any source",
        ),
        (
            &[
                ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD node server.js\n"),
                ("server.js", "app.listen(3005, '127.0.0.1');\nmetrics.listen(config.port);\n"),
            ],
            "3005 loopback weak",
        ),
        (
            &[
                ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD node dist/main\n"),
                ("src/main.ts", "  await app.listen(3000);\n"),
            ],
            "3000 any source",
        ),
        (
            &[
                ("Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD python app.py\n"),
                (
                    "app.py",
                    "app = Flask(__name__)\n# app.run(port=1)\napp.run(\n    host='0.0.0.0',\n    port=int(os.environ.get('PORT', 8080)),\n)\n",
                ),
            ],
            "8080 any source",
        ),
        (
            &[
                ("Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD python app.py\n"),
                ("app.py", "app = Flask(__name__)\napp.run(debug=True)\n"),
            ],
            "5000 own loopback source",
        ),
        (
            &[
                ("Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD python app.py\n"),
                ("app.py", "app = Flask(__name__)\napp.run(**options)\n"),
            ],
            "5000 own loopback weak",
        ),
        (
            &[
                ("Dockerfile", "FROM golang:1.22\nWORKDIR /app\nCOPY . .\nCMD /app/server\n"),
                ("cmd/server/main.go", "s := &http.Server{Addr: \":8081\"}\nlog.Fatal(s.ListenAndServe())\n"),
            ],
            "8081 any source",
        ),
        (
            &[
                ("Dockerfile", "FROM golang:1.22\nWORKDIR /app\nCOPY . .\nCMD /app/server\n"),
                ("main.go", "go http.ListenAndServe(\":9100\", nil)\nhttp.ListenAndServe(address, nil)\n"),
            ],
            "",
        ),
        (
            &[
                ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD vite\n"),
                (
                    "vite.config.ts",
                    "export default defineConfig({\n  server: { host: true, port: 3000, proxy: { '/api': x } },\n})\n",
                ),
            ],
            "3000 any decisive",
        ),
        (
            &[
                ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD vite\n"),
                ("vite.config.ts", "export default defineConfig({ server: { port: ports.web } })\n"),
            ],
            "open",
        ),
        (
            &[
                ("Dockerfile", "FROM ruby\nWORKDIR /app\nCOPY . .\nCMD bundle exec puma -C config/puma.rb\n"),
                (
                    "config/puma.rb",
                    "root = File.expand_path('../..', __FILE__)\nbind \"unix://#{root}/tmp/puma.sock\"\n",
                ),
            ],
            "/app/tmp/puma.sock any decisive",
        ),
        (&[("Dockerfile", "FROM node:20\nENV PORT \"4000\"\nCMD node x.js\n")], "4000 any strong"),
        (
            &[
                ("Dockerfile", "FROM ruby\nWORKDIR /app\nCOPY . .\nCMD bundle exec puma\n"),
                ("config/puma.rb", "threads 1, 5\nport ENV.fetch(\"PORT\") { 3002 }\n"),
            ],
            "3002 any decisive",
        ),
        (
            &[
                (
                    "Dockerfile",
                    "FROM eclipse-temurin:21\nCOPY target/app.jar /app.jar\nCMD [\"java\", \"-jar\", \"/app.jar\"]\n",
                ),
                ("src/main/resources/application.yml", "server:\n  port: ${PORT:8090}\n"),
            ],
            "8090 any decisive",
        ),
        (
            &[
                (
                    "Dockerfile",
                    "FROM eclipse-temurin:21\nCOPY target/app.jar /app.jar\nCMD [\"java\", \"-jar\", \"/app.jar\"]\n",
                ),
                ("src/main/resources/application.properties", "a=b\nserver.port=8091\n"),
            ],
            "8091 any decisive",
        ),
        (
            &[("Dockerfile", "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT [\"dotnet\", \"App.dll\"]\n")],
            "8080 any strong",
        ),
        (
            &[
                ("Dockerfile", "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT [\"dotnet\", \"App.dll\"]\n"),
                ("Program.cs", "var app = builder.Build(); app.Run();\n"),
            ],
            "8080 any decisive",
        ),
        (
            &[
                ("Dockerfile", "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT [\"dotnet\", \"App.dll\"]\n"),
                ("Program.cs", "builder.WebHost.UseUrls(x); app.Run();\n"),
            ],
            "8080 any decisive, open",
        ),
        (
            &[
                ("Dockerfile", "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT [\"dotnet\", \"App.dll\"]\n"),
                ("appsettings.json", "{\"Kestrel\": {\"Endpoints\": {\"Http\": {\"Url\": \"http://*:5000\"}}}}"),
            ],
            "5000 any decisive",
        ),
        (&[("Dockerfile", "FROM php:8.3-fpm\nRUN docker-php-ext-install pdo\n")], "9000 any strong"),
        (
            &[
                ("Dockerfile", "FROM php:8.3-fpm\nCOPY www.conf /usr/local/etc/php-fpm.d/zzz.conf\n"),
                ("www.conf", "[www]\nlisten = /run/php/$pool.sock\nlisten.mode = 0660\n"),
            ],
            "/run/php/www.sock any decisive",
        ),
        (
            &[
                ("Dockerfile", "FROM php:8.3-fpm\nCOPY www.conf /usr/local/etc/php-fpm.d/www.conf\n"),
                ("www.conf", "[www]\nlisten = /run/php/x.sock\npm.max_children = 9\n"),
            ],
            "9000 any medium",
        ),
        (
            &[
                ("Dockerfile", "FROM php:8.3-fpm\nCOPY docker/etc/ /usr/local/etc/\n"),
                ("docker/etc/php-fpm.d/zz-docker.conf", "[www]\nlisten = /run/x.sock\n"),
            ],
            "/run/x.sock any decisive",
        ),
        (
            &[(
                "Dockerfile",
                "FROM php:8.3-fpm\nRUN sed -i s,9000,/run/x.sock, /usr/local/etc/php-fpm.d/zz-docker.conf\n",
            )],
            "9000 any strong, open",
        ),
        (
            &[
                (
                    "Dockerfile",
                    "FROM python\nCOPY start.sh /start.sh\nENTRYPOINT [\"/start.sh\"]\nCMD [\"gunicorn\", \"-b\", \":81\", \"a\"]\n",
                ),
                ("start.sh", "#!/bin/sh\nset -e\npython manage.py migrate\nexec \"$@\"\n"),
            ],
            "81 any decisive",
        ),
        (
            &[
                ("Dockerfile", "FROM python\nWORKDIR /srv\nCOPY start.sh .\nCMD [\"./start.sh\"]\n"),
                ("start.sh", "#!/bin/bash\nexec uvicorn a:b --host 0.0.0.0 --port 82\n"),
            ],
            "82 any decisive",
        ),
    ];
    for (files, expected) in cases {
        let files: Vec<(&'static str, &'static str)> = files.to_vec();
        assert_eq!(dockerfile(&files).claims.join(", "), *expected, "{}", files[0].1);
    }
}

#[test]
fn images_and_health_checks() {
    let said = |name: &str, check: Option<&str>| {
        learned(&[], |files, evidence| {
            evidence.image = Some(text(files, name));
            evidence.health = check.map(|check| {
                let check = text(files, check);
                let site = check.site;
                HealthCheck::Runs(Command::Shell(check), site)
            });
        })
        .claims
        .join(", ")
    };
    assert_eq!(said("tomcat:10", None), "8080 any strong");
    assert_eq!(said("postgres:16", None), "5432 any strong");
    assert_eq!(said("grafana/grafana", None), "3000 any strong");
    assert_eq!(said("portainer/portainer-ce", None), "9000 any weak, 9443 any weak, 8000 any weak");
    assert_eq!(said("me/app", Some("curl -f http://localhost:3000/health || exit 1")), "3000 somewhere strong");
    assert_eq!(said("me/app", Some("curl -f https://127.0.0.1/")), "443 somewhere strong");
    assert_eq!(said("me/app", Some("nc -z localhost 3001")), "3001 somewhere strong");
    assert_eq!(said("me/app", Some("pg_isready -h localhost")), "");
    assert_eq!(said("me/app", Some("python -c \"urlopen('http://localhost:8000/x')\"")), "8000 somewhere strong");
}

#[test]
fn servers_say_how_long_they_wait() {
    let server = |line: &str| command(line, &[]).learned.server;
    let idle = |line: &str| server(line).idle.and_then(|idle| idle.known().copied()).map(|wait| wait.to_string());
    assert_eq!(idle("gunicorn app").as_deref(), Some("0 s"), "the sync worker closes");
    assert_eq!(idle("gunicorn --threads 4 app").as_deref(), Some("2 s"));
    assert_eq!(idle("gunicorn -k gthread --keep-alive 75 app").as_deref(), Some("75 s"));
    assert_eq!(idle("gunicorn -k uvicorn.workers.UvicornWorker app"), None);
    assert_eq!(idle("uvicorn --timeout-keep-alive 70 app").as_deref(), Some("70 s"));
    assert_eq!(idle("node server.js"), None, "it may be a framework's");
    let killed =
        |line: &str| server(line).worker_timeout.and_then(|wait| wait.known().copied()).map(|wait| wait.to_string());
    assert_eq!(killed("gunicorn app").as_deref(), Some("30 s"));
    assert_eq!(killed("gunicorn -t 120 app").as_deref(), Some("2 min"));
    assert_eq!(killed("gunicorn --timeout 0 app").as_deref(), Some("for ever"));
    assert_eq!(killed("gunicorn -k gevent app"), None);
    assert_eq!(killed("uwsgi --http :1 --harakiri 20").as_deref(), Some("20 s"));
    let files = [
        ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"server.js\"]\n"),
        ("server.js", "server.keepAliveTimeout = 65 * 1000;\n"),
    ];
    let node = |package: &'static str| {
        let files = [files[0], ("package.json", package)];
        let idle = dockerfile(&files).learned.server.idle;
        idle.and_then(|idle| idle.known().copied()).map(|wait| wait.to_string())
    };
    assert_eq!(node("{\"dependencies\": {\"express\": \"5\"}}").as_deref(), Some("5 s"));
    assert_eq!(node("{\"dependencies\": {\"fastify\": \"5\"}}"), None);
    let node = dockerfile(&files).learned.server;
    assert_eq!(node.idle.unwrap().known().unwrap().to_string(), "65 s");
    let spoken = |line: &str| command(line, &[]).learned.claims.first().and_then(|claim| claim.spoken);
    assert_eq!(spoken("uwsgi --socket :1"), Some(Spoken::Uwsgi));
    assert_eq!(spoken("uwsgi --socket :1 --protocol=http"), Some(Spoken::Http));
    assert_eq!(spoken("uwsgi --http-socket :1"), Some(Spoken::Http));
    assert_eq!(spoken("uwsgi --fastcgi-socket :1"), Some(Spoken::Fastcgi));
}

#[test]
fn words_and_places_are_exact() {
    let said = command("gunicorn -w 4 --bind 0.0.0.0:5000 app:app", &[]);
    let claim = &said.learned.claims[0];
    assert_eq!(&*claim.words, "the command says `--bind 0.0.0.0:5000`");
    assert_eq!((claim.site.span.start, claim.site.span.end), (14, 33));
    assert_eq!(claim.weight, Weight::Decisive);
}

#[test]
fn what_is_unread_decides_nothing() {
    let said = learned(&[], |files, evidence| {
        evidence.image = Some(text(files, "me/app"));
        evidence.environment_open = true;
        evidence.command = Some(Command::Split(text(files, "gunicorn app")));
    });
    assert_eq!(said.claims, ["open"]);
    let said = learned(&[], |_, evidence| evidence.built_unread = true);
    assert_eq!(said.claims, ["open"]);
}

#[test]
fn certificates_in_a_file_of_the_program_leave_it_open_what_a_port_speaks() {
    let spoken = |files: &[(&'static str, &'static str)]| {
        let said = dockerfile(files);
        assert!(!said.claims.is_empty());
        said.learned.claims.iter().map(|claim| claim.spoken).collect::<Vec<_>>()
    };
    let gunicorn = ("Dockerfile", "FROM python\nWORKDIR /app\nCOPY . .\nCMD gunicorn -b 0.0.0.0:8000 app:app\n");
    assert_eq!(spoken(&[gunicorn, ("gunicorn.conf.py", "workers = 2\n")]), [Some(Spoken::Http)]);
    assert_eq!(spoken(&[gunicorn, ("gunicorn.conf.py", "certfile = 'a.pem'\nkeyfile = 'b.pem'\n")]), [None]);
    let puma = ("Dockerfile", "FROM ruby\nWORKDIR /app\nCOPY . .\nCMD bundle exec puma\n");
    assert_eq!(spoken(&[puma, ("config/puma.rb", "port 3000\n")]), [Some(Spoken::Http)]);
    assert_eq!(spoken(&[puma, ("config/puma.rb", "port 3000\nplugin :tls\n")]), [None]);
    let flask = ("Dockerfile", "FROM python\nWORKDIR /app\nCOPY . .\nCMD [\"python\", \"app.py\"]\n");
    let app = "from flask import Flask\napp = Flask(__name__)\napp.run(host='0.0.0.0', port=5000)\n";
    assert_eq!(spoken(&[flask, ("app.py", app)]), [Some(Spoken::Http)]);
    let secure = "from flask import Flask\napp = Flask(__name__)\napp.run('0.0.0.0', 5000, ssl_context='adhoc')\n";
    assert_eq!(spoken(&[flask, ("app.py", secure)]), [None]);
}

#[test]
fn puma_with_a_certificate_of_its_own_has_no_usual_port() {
    let said = dockerfile(&[
        ("Dockerfile", "FROM ruby\nWORKDIR /app\nCOPY . .\nCMD bundle exec puma\n"),
        ("config/puma.rb", "ssl_bind '0.0.0.0', '9293', { cert: 'a.pem', key: 'b.pem' }\n"),
    ]);
    assert_eq!(said.claims, ["open"]);
}
