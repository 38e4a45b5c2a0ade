//! From a path to bytes: what may be opened, how much of it is read, and a look at heads.

use super::Candidate;
use crate::lower::kubernetes::{is_manifest, is_manifest_name};
use crate::lower::scripts::{is_script_name, may_write_configuration};
use crate::syntax::limits::MAX_FILE_BYTES;
use crate::topology::Dialect;
use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// How much of a large file is looked at before the rest is read.
pub(super) const HEAD_BYTES: u64 = 256 * 1024;

/// How much of a YAML file is looked at to see whether it describes objects of Kubernetes.
const MANIFEST_HEAD_BYTES: u64 = 16 * 1024;

/// Whether a file's head is to be looked at, by its name.
pub(super) fn is_worth_a_look(path: &str) -> bool {
    is_manifest_name(path) || is_script_name(path)
}

/// How much of such a file is looked at.
pub(super) fn head_of(path: &str) -> u64 {
    if is_script_name(path) { HEAD_BYTES } else { MANIFEST_HEAD_BYTES }
}

/// Whether the head of such a file shows an object of Kubernetes, or that a script may write configuration.
pub(super) fn shows_use(path: &str, head: &[u8]) -> bool {
    if is_script_name(path) { may_write_configuration(head) } else { is_manifest(path, head) }
}

thread_local! {
    /// Where heads are read into: there are thousands of such files in some trees, and to clear a buffer for each of
    /// them took half of the time.
    static HEAD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Whether the head of a file shows that it is of use. One that cannot be read shows nothing. `regular`: see [`open`].
pub(super) fn is_of_use(at: &Path, path: &str, regular: bool) -> bool {
    let Ok((mut file, length)) = open(at, regular) else { return false };
    HEAD.with_borrow_mut(|head| {
        let most = length.min(head_of(path)) as usize;
        if head.len() < most {
            head.resize(most, 0);
        }
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..most).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        shows_use(path, &head[..filled])
    })
}

/// The bytes of a candidate and its dialect, unless it turns out to be something else. Of a large file only the head
/// is read to see that.
pub(super) fn read(candidate: &Candidate) -> Result<Option<(Vec<u8>, Dialect)>, String> {
    let (mut file, length) = open(&candidate.at, candidate.regular)?;
    let mut bytes = Vec::new();
    if length > HEAD_BYTES {
        fill(&mut file, &mut bytes, HEAD_BYTES)?;
        if candidate.promise.settle(&bytes, candidate.named).is_none() {
            return Ok(None);
        }
    }
    read_rest(&mut file, &mut bytes, length)?;
    let dialect = candidate.promise.settle(&bytes, candidate.named);
    Ok(dialect.map(|dialect| (bytes, dialect)))
}

/// Opens a regular file of a bearable size; never a FIFO, a device or a socket, which may have no end or never answer.
/// Gives its length, too. `regular`: whether a walk has just seen that it is one, so that it need not be looked at first.
pub(super) fn open(path: &Path, regular: bool) -> Result<(File, u64), String> {
    if !regular {
        check(&fs::metadata(path).map_err(|error| words(&error))?)?;
    }
    // It may have been exchanged in between: for a FIFO, whose opening waits for somebody to write.
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path).map_err(|error| words(&error))?;
    let length = check(&file.metadata().map_err(|error| words(&error))?)?;
    Ok((file, length))
}

fn check(metadata: &fs::Metadata) -> Result<u64, String> {
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err("is a folder, not a file".into());
    }
    if !kind.is_file() {
        return Err(format!("is {}, not a file", special(kind)));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    Ok(metadata.len())
}

#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_kind: fs::FileType) -> &'static str {
    "something else"
}

pub(super) fn too_large() -> String {
    format!("is larger than {} MiB", MAX_FILE_BYTES >> 20)
}

pub(super) fn fill(file: &mut File, bytes: &mut Vec<u8>, most: u64) -> Result<(), String> {
    file.take(most).read_to_end(bytes).map(drop).map_err(|error| words(&error))
}

/// Reads as much as the file held when it was opened: nothing is asked for once more only to hear that there is no more.
/// Where that is nothing, reads to the end, or to the limit: the system's own files hold more than they say.
fn read_rest(file: &mut File, bytes: &mut Vec<u8>, length: u64) -> Result<(), String> {
    if length == 0 {
        fill(file, bytes, MAX_FILE_BYTES + 1)?;
        return if bytes.len() as u64 > MAX_FILE_BYTES { Err(too_large()) } else { Ok(()) };
    }
    let missing = length.saturating_sub(bytes.len() as u64);
    bytes.try_reserve_exact(missing as usize).map_err(|_| "does not fit into memory".to_owned())?;
    fill(file, bytes, missing)
}

/// The text of a file that belongs to this program, of at most so many bytes.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn read_text(path: &Path, most: u64) -> Result<String, String> {
    if fs::metadata(path).map_err(|error| words(&error))?.len() > most {
        return Err(format!("is larger than {} MiB", most >> 20));
    }
    String::from_utf8(read_whole(path, false)?).map_err(|_| "is not UTF-8".into())
}

/// The whole of a regular file. `regular`: see [`open`].
pub(super) fn read_whole(path: &Path, regular: bool) -> Result<Vec<u8>, String> {
    let (mut file, length) = open(path, regular)?;
    let mut bytes = Vec::new();
    read_rest(&mut file, &mut bytes, length)?;
    Ok(bytes)
}

/// An error of the system in words, without its number.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::NotFound => "there is no such file".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
