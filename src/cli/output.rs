//! Where the output goes: standard output, or a file that is there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

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

/// Writes to standard error. Where nobody can be told, nobody is.
pub fn to_stderr(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stderr().lock());
    let _ = write(&mut out).and_then(|()| out.flush());
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
            OpenOptions::new().write(true).open(path).and_then(|mut file| written(&mut file, write))
        }
        // A symbolic link stays; what it leads to is replaced.
        Ok(_) => fs::canonicalize(path).and_then(|target| replace(&target, write)),
        Err(_) => replace(path, write),
    };
    done.map_err(|error| format!("cannot write {}: {}", path.display(), crate::discover::words(&error)))
}

/// Puts a file in the place of another one, which keeps its mode and its owner: it is there whole or not at all, also
/// after a power failure.
pub fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gw502-lint-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Those of any new file, less the umask.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    if let Ok(found) = fs::metadata(path) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, fchown};
            let own = file.as_file().metadata()?;
            if (own.uid(), own.gid()) != (found.uid(), found.gid()) {
                // Only root may give a file away; what others write is theirs.
                let _ = fchown(file.as_file(), Some(found.uid()), Some(found.gid()));
            }
        }
        file.as_file().set_permissions(found.permissions())?;
    }
    written(file.as_file_mut(), write)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name lasts only when the folder is written, too. Not every file system knows that.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn written(file: &mut File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, file);
    write(&mut out)?;
    out.flush()
}
