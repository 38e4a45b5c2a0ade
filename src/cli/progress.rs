//! A line for whoever waits.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// A line on standard error, when it is a terminal and the run takes longer than a moment.
pub struct Progress {
    shared: &'static AtomicUsize,
    thread: Option<(mpsc::Sender<()>, std::thread::JoinHandle<()>)>,
}

/// How many files are being linted; 0 while they are searched.
static FILES: AtomicUsize = AtomicUsize::new(0);

impl Progress {
    pub fn start() -> Self {
        let thread = io::stderr().is_terminal().then(|| {
            let (stop, stopped) = mpsc::channel();
            (stop, std::thread::spawn(move || Self::show(&stopped)))
        });
        Self { shared: &FILES, thread }
    }

    pub fn linting(&self, files: usize) {
        self.shared.store(files, Ordering::Relaxed);
    }

    fn show(stopped: &mpsc::Receiver<()>) {
        let mut shown = false;
        while stopped.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout) {
            let _ = match FILES.load(Ordering::Relaxed) {
                0 => write!(io::stderr(), "\r\x1b[Kreading files …"),
                files => write!(io::stderr(), "\r\x1b[Klinting {files} files …"),
            };
            shown = true;
        }
        if shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}
