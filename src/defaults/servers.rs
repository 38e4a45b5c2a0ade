//! Application servers: where they listen and how long they wait unless told otherwise, as data. Layer 2.
//!
//! Numbers were measured on the versions named in `checked`, or read in the project's own manual or source. What is
//! neither stands here without numbers, or with a port that is marked `usual` only: no rule accuses with that.

use super::DefaultRef;

/// On which addresses a program listens when nobody tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsualBind {
    /// All.
    Any,
    /// The loopback.
    Loopback,
    /// It has to be told.
    Told,
}

/// A built-in time in milliseconds, with its reference. 0: connections are closed after each answer.
pub type Time = (u64, &'static DefaultRef);

/// One application server, or a tool that serves.
#[derive(Debug)]
pub struct Program {
    /// The name as the project writes it.
    pub name: &'static str,
    /// Where it listens.
    pub bind: UsualBind,
    /// On which port.
    pub port: Option<u16>,
    /// How bind and port were checked; `None`: they were not, and are only what is usual.
    pub checked: Option<&'static str>,
    /// How long an idle client connection is kept.
    pub idle: Option<Time>,
    /// After how long a worker is killed that is busy with one request.
    pub worker_timeout: Option<Time>,
    /// The largest request header that is taken, in bytes.
    pub request_header: Option<(u64, &'static DefaultRef)>,
}

/// One row a built-in value: `NAME "program" "setting" = "value", "page"`.
macro_rules! defaults {
    ($($name:ident $proxy:literal $setting:literal = $value:literal, $manual:literal;)*) => {
        $(
            static $name: DefaultRef = DefaultRef {
                proxy: $proxy,
                setting: $setting,
                value: $value,
                since: None,
                until: None,
                manual: $manual,
            };
        )*
        /// All built-in values of application servers.
        pub static ALL: &[&DefaultRef] = &[$(&$name),*];
    };
}

defaults! {
    // Measured on gunicorn 20 to 23; the sync worker closes after each answer.
    GUNICORN_KEEPALIVE "gunicorn" "keepalive" = "2 s",
        "https://docs.gunicorn.org/en/stable/settings.html#keepalive";
    GUNICORN_SYNC "gunicorn" "worker_class" = "sync, which closes after each answer",
        "https://docs.gunicorn.org/en/stable/design.html#sync-workers";
    GUNICORN_TIMEOUT "gunicorn" "timeout" = "30 s", "https://docs.gunicorn.org/en/stable/settings.html#timeout";
    UVICORN_KEEPALIVE "uvicorn" "--timeout-keep-alive" = "5 s", "https://www.uvicorn.org/settings/#timeouts";
    HYPERCORN_KEEPALIVE "hypercorn" "keep_alive_timeout" = "5 s",
        "https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html";
    WAITRESS_CHANNEL "waitress" "channel_timeout" = "120 s",
        "https://docs.pylonsproject.org/projects/waitress/en/latest/arguments.html";
    NODE_KEEPALIVE "Node.js" "server.keepAliveTimeout" = "5 s",
        "https://nodejs.org/api/http.html#serverkeepalivetimeout";
    UWSGI_KEEPALIVE "uwsgi" "http-keepalive" = "off: closed after each answer",
        "https://uwsgi-docs.readthedocs.io/en/latest/Options.html#http-keepalive";
    UWSGI_BUFFER "uwsgi" "buffer-size" = "4096 bytes",
        "https://uwsgi-docs.readthedocs.io/en/latest/ThingsToKnow.html";
    TOMCAT_HEADER "Tomcat" "maxHttpHeaderSize" = "8 KiB",
        "https://tomcat.apache.org/tomcat-10.1-doc/config/http.html";
    TOMCAT_IDLE "Tomcat" "keepAliveTimeout" = "60 s", "https://tomcat.apache.org/tomcat-10.1-doc/config/http.html";
    KESTREL_IDLE "Kestrel" "KeepAliveTimeout" = "130 s",
        "https://learn.microsoft.com/dotnet/api/microsoft.aspnetcore.server.kestrel.core.kestrelserverlimits";
    KESTREL_HEADER "Kestrel" "MaxRequestHeadersTotalSize" = "32 KiB",
        "https://learn.microsoft.com/dotnet/api/microsoft.aspnetcore.server.kestrel.core.kestrelserverlimits";
    HTTPD_IDLE "Apache httpd" "KeepAliveTimeout" = "5 s",
        "https://httpd.apache.org/docs/2.4/mod/core.html#keepalivetimeout";
}

/// What a program is known to do.
const NOTHING: Program = Program {
    name: "",
    bind: UsualBind::Told,
    port: None,
    checked: None,
    idle: None,
    worker_timeout: None,
    request_header: None,
};

/// gunicorn with its usual worker. With `$PORT` set it listens on all addresses at that port.
pub static GUNICORN: Program = Program {
    name: "gunicorn",
    bind: UsualBind::Loopback,
    port: Some(8000),
    checked: Some("measured on gunicorn 20 to 23"),
    idle: Some((0, &GUNICORN_SYNC)),
    worker_timeout: Some((30_000, &GUNICORN_TIMEOUT)),
    ..NOTHING
};
/// gunicorn with a worker that keeps connections and is not killed by a slow request.
pub static GUNICORN_CONCURRENT: Program = Program {
    name: "gunicorn",
    bind: UsualBind::Loopback,
    port: Some(8000),
    checked: Some("measured on gunicorn 20 to 23"),
    idle: Some((2000, &GUNICORN_KEEPALIVE)),
    ..NOTHING
};
/// uvicorn.
pub static UVICORN: Program = Program {
    name: "uvicorn",
    bind: UsualBind::Loopback,
    port: Some(8000),
    checked: Some("measured"),
    idle: Some((5000, &UVICORN_KEEPALIVE)),
    ..NOTHING
};
/// `fastapi run`, which is uvicorn on all addresses.
pub static FASTAPI_RUN: Program = Program {
    name: "fastapi run",
    bind: UsualBind::Any,
    port: Some(8000),
    checked: Some("measured"),
    idle: Some((5000, &UVICORN_KEEPALIVE)),
    ..NOTHING
};
/// `fastapi dev`, which is uvicorn on the loopback.
pub static FASTAPI_DEV: Program = Program { name: "fastapi dev", bind: UsualBind::Loopback, ..FASTAPI_RUN };
/// hypercorn.
pub static HYPERCORN: Program = Program {
    name: "hypercorn",
    bind: UsualBind::Loopback,
    port: Some(8000),
    checked: Some("measured"),
    idle: Some((5000, &HYPERCORN_KEEPALIVE)),
    ..NOTHING
};
/// daphne.
pub static DAPHNE: Program =
    Program { name: "daphne", bind: UsualBind::Loopback, port: Some(8000), checked: Some("measured"), ..NOTHING };
/// waitress.
pub static WAITRESS: Program = Program {
    name: "waitress",
    bind: UsualBind::Any,
    port: Some(8080),
    checked: Some("measured"),
    idle: Some((120_000, &WAITRESS_CHANNEL)),
    ..NOTHING
};
/// granian.
pub static GRANIAN: Program =
    Program { name: "granian", bind: UsualBind::Loopback, port: Some(8000), checked: Some("measured"), ..NOTHING };
/// Flask's own server.
pub static FLASK: Program =
    Program { name: "flask run", bind: UsualBind::Loopback, port: Some(5000), checked: Some("measured"), ..NOTHING };
/// Django's own server.
pub static DJANGO: Program = Program {
    name: "manage.py runserver",
    bind: UsualBind::Loopback,
    port: Some(8000),
    checked: Some("measured"),
    ..NOTHING
};
/// uWSGI, whatever it speaks.
pub static UWSGI: Program = Program {
    name: "uwsgi",
    idle: Some((0, &UWSGI_KEEPALIVE)),
    request_header: Some((4096, &UWSGI_BUFFER)),
    ..NOTHING
};
/// Puma. Its idle time changed with version 7.
pub static PUMA: Program =
    Program { name: "puma", bind: UsualBind::Any, port: Some(9292), checked: Some("read in puma's source"), ..NOTHING };
/// `rails server` in development.
pub static RAILS_IN_DEVELOPMENT: Program = Program {
    name: "rails server in development",
    bind: UsualBind::Loopback,
    port: Some(3000),
    checked: Some("read in the source of Rails 5 to 7"),
    ..NOTHING
};
/// `rails server` anywhere else.
pub static RAILS: Program = Program { name: "rails server", port: Some(3000), ..NOTHING };
/// unicorn.
pub static UNICORN: Program = Program { name: "unicorn", port: Some(8080), ..NOTHING };
/// Phusion Passenger by itself.
pub static PASSENGER: Program = Program { name: "Passenger", port: Some(3000), ..NOTHING };
/// `streamlit run`.
pub static STREAMLIT: Program = Program { name: "streamlit run", port: Some(8501), ..NOTHING };
/// `mlflow server`.
pub static MLFLOW: Program = Program {
    name: "mlflow server",
    bind: UsualBind::Loopback,
    port: Some(5000),
    checked: Some("read in MLflow's source"),
    ..NOTHING
};
/// Hugo's server for development.
pub static HUGO: Program = Program {
    name: "hugo server",
    bind: UsualBind::Loopback,
    port: Some(1313),
    checked: Some("said in Hugo's manual: https://gohugo.io/commands/hugo_server/"),
    ..NOTHING
};
/// A program of Node.js.
pub static NODE: Program = Program { name: "Node.js", idle: Some((5000, &NODE_KEEPALIVE)), ..NOTHING };
/// Next.js.
pub static NEXT: Program = Program { name: "Next.js", port: Some(3000), ..NOTHING };
/// Nuxt and Nitro.
pub static NUXT: Program = Program { name: "Nuxt", port: Some(3000), ..NOTHING };
/// Vite's server for development.
pub static VITE: Program =
    Program { name: "vite", bind: UsualBind::Loopback, port: Some(5173), checked: Some("measured"), ..NOTHING };
/// Vite's preview.
pub static VITE_PREVIEW: Program = Program { name: "vite preview", port: Some(4173), ..VITE };
/// Angular's server for development.
pub static ANGULAR: Program = Program {
    name: "ng serve",
    bind: UsualBind::Loopback,
    port: Some(4200),
    checked: Some("read in the schema of Angular's own builder"),
    ..NOTHING
};
/// The package `http-server`.
pub static HTTP_SERVER: Program = Program { name: "http-server", port: Some(8080), ..NOTHING };
/// The package `serve`.
pub static SERVE: Program = Program { name: "serve", port: Some(3000), ..NOTHING };
/// Spring Boot with its Tomcat.
pub static SPRING: Program = Program { name: "Spring Boot", port: Some(8080), ..NOTHING };
/// Tomcat by itself.
pub static TOMCAT: Program = Program {
    name: "Tomcat",
    bind: UsualBind::Any,
    port: Some(8080),
    checked: Some("read in Tomcat's server.xml"),
    request_header: Some((8192, &TOMCAT_HEADER)),
    ..NOTHING
};
/// ASP.NET Core.
pub static KESTREL: Program = Program {
    name: "Kestrel",
    idle: Some((130_000, &KESTREL_IDLE)),
    request_header: Some((32 * 1024, &KESTREL_HEADER)),
    ..NOTHING
};
/// PHP's own server, which has to be told where to listen.
pub static PHP: Program = Program { name: "php -S", ..NOTHING };
/// `php artisan serve`.
pub static ARTISAN: Program = Program {
    name: "php artisan serve",
    bind: UsualBind::Loopback,
    port: Some(8000),
    checked: Some("read in Laravel's source"),
    ..NOTHING
};
/// `php artisan octane:start`.
pub static OCTANE: Program = Program { name: "php artisan octane:start", port: Some(8000), ..NOTHING };
/// php-fpm; its pools say where it listens.
pub static PHP_FPM: Program = Program { name: "php-fpm", ..NOTHING };
/// Apache httpd.
pub static HTTPD: Program = Program {
    name: "Apache httpd",
    bind: UsualBind::Any,
    port: Some(80),
    checked: Some("measured on Debian 12"),
    idle: Some((5000, &HTTPD_IDLE)),
    ..NOTHING
};
/// Tomcat within Spring Boot keeps idle connections this long, and takes headers of this size.
pub static SPRING_TOMCAT: Program = Program {
    name: "Tomcat",
    idle: Some((60_000, &TOMCAT_IDLE)),
    request_header: Some((8192, &TOMCAT_HEADER)),
    ..SPRING
};
