//! Files that a user names for a result: written whole, or left as they were.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Writes a file beside its place and moves it there, so that a full disk or an interruption costs nothing that stood there
/// before. What is no regular file (`/dev/stdout`, a pipe), or lies in a folder that only lets its files be written, is written to
/// as it is.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let before = fs::metadata(path);
    if before.as_ref().is_ok_and(|before| !before.is_file()) {
        return fs::write(path, content);
    }
    match replace(path, content, before.ok().as_ref()) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => fs::write(path, content),
        other => other,
    }
}

fn replace(path: &Path, content: &[u8], before: Option<&Metadata>) -> io::Result<()> {
    // Through a symbolic link, which stays.
    let place = if before.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".git-ratchet-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let usual = fs::Permissions::from_mode(0o666);
        builder.permissions(before.map_or(usual, Metadata::permissions));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(place).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
        assert!(write_whole(&folder.path().join("no/folder"), b"x").is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let link = folder.path().join("latest.html");
            std::os::unix::fs::symlink("report.html", &link).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            write_whole(&link, b"three").unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(fs::read(&path).unwrap(), b"three");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
            write_whole(Path::new("/dev/null"), b"x").unwrap();
        }
    }
}
