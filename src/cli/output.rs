//! Where the output goes: standard output, or a file that is there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes to standard output. A reader that went away (`| head`) is no error.
///
/// # Errors
/// Any other error, in words.
pub fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let done = write(&mut out).and_then(|()| out.flush());
    // What could not be written must not be tried again when the buffer is dropped.
    let (_, _) = out.into_parts();
    match done {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {}", crate::discover::words(&error)))
        }
        _ => Ok(()),
    }
}

/// Writes a file: beside it first, then in its place. What is no ordinary file (`/dev/stderr`, a pipe) is written
/// to as it is.
///
/// # Errors
/// What went wrong, in words.
pub fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    let done = match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::Error::other("it is a folder")),
        Ok(found) if !found.is_file() => {
            OpenOptions::new().write(true).open(path).and_then(|file| written(file, write)).map(drop)
        }
        // A symbolic link stays; what it leads to is replaced.
        Ok(_) => fs::canonicalize(path).and_then(|target| replace(&target, write)),
        Err(_) => replace(path, write),
    };
    done.map_err(|error| format!("cannot write {}: {}", path.display(), crate::discover::words(&error)))
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let beside = beside(path);
    let done = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)
        .and_then(|file| {
            if let Ok(found) = fs::metadata(path) {
                file.set_permissions(found.permissions())?;
            }
            written(file, write)
        })
        .and_then(|file| {
            drop(file);
            fs::rename(&beside, path)
        });
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn written(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<File> {
    let mut out = BufWriter::with_capacity(64 * 1024, file);
    write(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)
}
