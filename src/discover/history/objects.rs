//! Texts of a repository's objects, from one `git cat-file --batch` that is started when the first one is asked for.

use super::git::Git;
use crate::syntax::limits::MAX_FILE_BYTES;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// Objects by their names.
#[derive(Debug, Default)]
pub struct Objects {
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Closed to end it.
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    /// The bytes of an object; `Ok(None)` for one that is larger than what is read of a file.
    ///
    /// # Errors
    /// When the object is not there, or git gives up, in words.
    pub fn read(&mut self, git: &Git, name: &str) -> Result<Option<Vec<u8>>, String> {
        let process = match &mut self.process {
            Some(process) => process,
            none => none.insert(Process::start(git).map_err(|error| super::super::words(&error))?),
        };
        process.read(name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "it is not in this clone".into(),
            _ => super::super::words(&error),
        })
    }
}

impl Process {
    fn start(git: &Git) -> io::Result<Self> {
        let mut command = git.command(&["cat-file", "--batch"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (ask, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.ok_or_else(|| io::Error::other("git gives no answers"))?);
        Ok(Self { child, ask, answers })
    }

    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let ended = || io::Error::other("git ended early");
        let ask = self.ask.as_mut().ok_or_else(ended)?;
        writeln!(ask, "{name}")?;
        ask.flush()?;
        // `name type size`, or `name missing`.
        let mut head = String::new();
        if (&mut self.answers).take(1024).read_line(&mut head)? == 0 {
            return Err(ended());
        }
        let mut words = head.split_whitespace().skip(1);
        let (Some("blob"), Some(size)) = (words.next(), words.next().and_then(|size| size.parse::<u64>().ok())) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        // A line end follows.
        if size > MAX_FILE_BYTES {
            io::copy(&mut (&mut self.answers).take(size + 1), &mut io::sink())?;
            return Ok(None);
        }
        let mut bytes = Vec::new();
        (&mut self.answers).take(size + 1).read_to_end(&mut bytes)?;
        if bytes.pop() != Some(b'\n') || bytes.len() as u64 != size {
            return Err(ended());
        }
        Ok(Some(bytes))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.ask.take());
        let _ = self.child.wait();
    }
}
