//! What `git diff --raw -z` writes: which files are not what they were.

/// What a path held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing: the file came later.
    Nothing,
    /// A file, by the name of its object.
    File(String),
    /// A symbolic link; the object says where to.
    Link(String),
}

/// A path that is not what it was.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The path, from the top of the repository.
    pub path: String,
    /// What it held.
    pub then: Then,
    /// The name that the file had.
    pub renamed_from: Option<String>,
    /// Whether there is nothing there any more.
    pub gone: bool,
}

/// Reads the list. What cannot be read ends it.
///
/// # Errors
/// When it is not such a list, in words.
pub fn read(bytes: &[u8]) -> Result<Vec<Change>, String> {
    let mut fields = bytes.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let mut changes = Vec::new();
    while let Some(head) = fields.next() {
        let head = String::from_utf8_lossy(head).into_owned();
        let strange = || format!("git wrote a list that cannot be read: {head}");
        let parts: Vec<&str> = head.strip_prefix(':').unwrap_or_default().split(' ').collect();
        let [mode, _, object, _, status] = parts[..] else { return Err(strange()) };
        if !object.bytes().all(|byte| byte.is_ascii_hexdigit()) || object.len() < 40 {
            return Err(strange());
        }
        let mut path = || fields.next().map(|path| String::from_utf8_lossy(path).into_owned()).ok_or_else(strange);
        let then = match mode {
            "100644" | "100755" | "100664" => Then::File(object.to_owned()),
            "120000" => Then::Link(object.to_owned()),
            // A submodule, or nothing.
            _ => Then::Nothing,
        };
        let change = |path, then| Change { path, then, renamed_from: None, gone: false };
        match status.chars().next() {
            Some('A') => changes.push(change(path()?, Then::Nothing)),
            Some('D') => changes.push(Change { gone: true, ..change(path()?, then) }),
            Some('M' | 'T') => changes.push(change(path()?, then)),
            Some('R') => {
                let (from, to) = (path()?, path()?);
                changes.push(Change { gone: true, ..change(from.clone(), then) });
                changes.push(Change { renamed_from: Some(from), ..change(to, Then::Nothing) });
            }
            Some('C') => {
                path()?;
                changes.push(change(path()?, Then::Nothing));
            }
            // Not merged yet: the line with the old object comes beside it.
            _ => {
                path()?;
            }
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_change_is_read() {
        let (a, b) = ("a".repeat(40), "0".repeat(40));
        let list = format!(
            ":100644 100644 {a} {b} M\0m.conf\0:000000 100644 {b} {a} A\0a b\n.conf\0:100755 000000 {a} {b} D\0d\0\
             :100644 100644 {a} {a} R090\0old\0new\0:120000 100644 {a} {b} T\0link\0:160000 160000 {a} {b} M\0module\0\
             :000000 000000 {b} {b} U\0both\0:100644 100644 {a} {a} C100\0of\0copy\0"
        );
        let changes = read(list.as_bytes()).unwrap();
        let file = || Then::File(a.clone());
        let all: Vec<_> = changes
            .iter()
            .map(|change| (&*change.path, change.then.clone(), change.gone, change.renamed_from.as_deref()))
            .collect();
        assert_eq!(
            all,
            [
                ("m.conf", file(), false, None),
                ("a b\n.conf", Then::Nothing, false, None),
                ("d", file(), true, None),
                ("old", file(), true, None),
                ("new", Then::Nothing, false, Some("old")),
                ("link", Then::Link(a.clone()), false, None),
                ("module", Then::Nothing, false, None),
                ("copy", Then::Nothing, false, None),
            ]
        );
        assert_eq!(read(b""), Ok(Vec::new()));
        for wrong in ["warning: x\0", ":100644 100644 abc def M\0x\0", &format!(":100644 100644 {a} {b} M\0")] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
