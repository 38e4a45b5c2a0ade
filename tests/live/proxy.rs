//! Scratch directories and the processes in them.

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::case::Proxy;
use crate::tls::Certificate;

/// How long a process may take to come up or to end. Only a machine that hangs needs as much.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program on the PATH, or where distributions keep servers.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = env::split_paths(&path).collect();
    places.extend(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    places.into_iter().map(|place| place.join(name)).find(|file| file.is_file())
}

impl Proxy {
    pub fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// Whether a proxy can be given its own `/etc/hosts`: needs root and mount namespaces.
pub fn own_hosts_possible() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    *POSSIBLE.get_or_init(|| {
        let script = "mount --bind /etc/hosts /etc/hosts";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// The directory of one run: `@DIR@` in fixtures. Removed on drop.
pub struct Scratch {
    dir: TempDir,
    certificate: Arc<Certificate>,
}

impl Scratch {
    /// # Errors
    /// When it cannot be made.
    pub fn make(certificate: &Arc<Certificate>) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("gw502-").tempdir().map_err(|e| e.to_string())?;
        let scratch = Self { dir, certificate: Arc::clone(certificate) };
        // Workers that gave up root must get in.
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
        fs::create_dir(scratch.path().join("logs")).map_err(|e| e.to_string())?;
        let Certificate { cert_pem, key_pem, .. } = certificate.as_ref();
        scratch.write("cert.pem", cert_pem)?;
        scratch.write("key.pem", key_pem)?;
        scratch.write("server.pem", &format!("{cert_pem}{key_pem}"))?;
        Ok(scratch)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The text with `@DIR@` filled in.
    pub fn fill(&self, text: &str) -> String {
        text.replace("@DIR@", &self.path().display().to_string())
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| format!("{name}: {e}"))?;
        }
        fs::write(path, text).map_err(|e| format!("{name}: {e}"))
    }

    /// # Errors
    /// When the tree cannot be copied. Files that are no text are copied as they stand.
    pub fn copy_tree(
        &self,
        from: &Path,
        to: &str,
        mut rewrite: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<(), String> {
        for entry in walkdir::WalkDir::new(from) {
            let entry = entry.map_err(|e| e.to_string())?;
            let target = self.path().join(to).join(entry.path().strip_prefix(from).map_err(|e| e.to_string())?);
            if entry.file_type().is_dir() {
                fs::create_dir_all(&target).map_err(|e| e.to_string())?;
                continue;
            }
            let bytes = fs::read(entry.path()).map_err(|e| e.to_string())?;
            let bytes = match String::from_utf8(bytes) {
                Ok(text) => self.fill(&rewrite(&text)?).into_bytes(),
                Err(error) => error.into_bytes(),
            };
            fs::write(&target, bytes).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// What the proxy wrote so far.
    pub fn log(&self) -> String {
        let read = |name| fs::read(self.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("out.log"), read("error.log")].concat()).into_owned()
    }
}

/// A proxy and the file it is to be started with.
pub struct Launch<'a> {
    pub proxy: Proxy,
    pub entry: PathBuf,
    pub scratch: &'a Scratch,
    /// The proxy sees the scratch file `hosts` as `/etc/hosts`.
    pub own_hosts: bool,
}

impl Launch<'_> {
    fn command(&self, words: &[&str]) -> Result<Command, String> {
        let dir = self.scratch.path();
        let program = find_program(self.proxy.program()).ok_or("proxy not installed")?;
        let mut command = if self.own_hosts {
            let mut command = Command::new("unshare");
            let script = format!("mount --bind {}/hosts /etc/hosts && exec \"$@\"", dir.display());
            command.args(["-m", "sh", "-c", &script, "sh"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        match self.proxy {
            Proxy::Nginx => {
                let globals = format!("daemon off; pid {}/nginx.pid;", dir.display());
                command.arg("-p").arg(dir).arg("-c").arg(&self.entry).arg("-e").arg(dir.join("error.log"));
                command.arg("-g").arg(globals).args(words);
            }
            Proxy::Haproxy => {
                command.args(words).arg("-f").arg(&self.entry);
            }
            Proxy::Kubernetes => return Err("objects of a cluster are not started here".to_owned()),
        }
        command.current_dir(dir).stdin(Stdio::null());
        Ok(command)
    }

    /// The proxy's own check of the configuration.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn check(&self) -> Result<Output, String> {
        let words: &[&str] = match self.proxy {
            Proxy::Nginx => &["-t"],
            Proxy::Haproxy => &["-c"],
            Proxy::Kubernetes => &[],
        };
        self.command(words)?.output().map_err(|e| e.to_string())
    }

    /// # Errors
    /// When it cannot be started at all (a proxy that gives up at once is a `Process` that has ended).
    pub fn start(&self) -> Result<Process, String> {
        let words: &[&str] = match self.proxy {
            Proxy::Nginx => &[],
            Proxy::Haproxy => &["-db"],
            Proxy::Kubernetes => &[],
        };
        let mut command = self.command(words)?;
        let out = File::create(self.scratch.path().join("out.log")).map_err(|e| e.to_string())?;
        command.stdout(out.try_clone().map_err(|e| e.to_string())?).stderr(out);
        Process::start(command, false)
    }
}

/// A child that is ended on drop, in a panic too: asked first, so that it takes its workers along, then killed.
pub struct Process {
    child: Child,
    group: bool,
}

impl Process {
    /// `group`: the command leads a process group, which ends as a whole.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, group: bool) -> Result<Self, String> {
        let child = command.spawn().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
        Ok(Self { child, group })
    }

    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the port answers (true), or the process has ended (false).
    ///
    /// # Errors
    /// When neither happens.
    pub fn wait_for(&mut self, port: u16) -> Result<bool, String> {
        let end = Instant::now() + PATIENCE;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while Instant::now() < end {
            if !self.running() {
                return Ok(false);
            }
            if TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok() {
                return Ok(self.running());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the proxy neither listens on port {port} nor ends"))
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // It may have ended in this moment: nothing to do then.
        let _ = if self.group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.running() {
            self.signal(Signal::TERM);
            let end = Instant::now() + Duration::from_secs(5);
            while self.running() && Instant::now() < end {
                thread::sleep(Duration::from_millis(10));
            }
            if self.running() {
                self.signal(Signal::KILL);
                let _ = self.child.wait();
            }
        }
    }
}
