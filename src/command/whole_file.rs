//! Files that are whole or not there: written beside their place and then moved to it, so that an
//! interruption leaves what was there before.

use std::path::Path;

use anyhow::Context;

/// Writes a file, whole or not at all. A link stays one, and what is no file (a device, a pipe) is
/// written to and not replaced.
pub(crate) fn write(place: &Path, content: &[u8]) -> anyhow::Result<()> {
    // What is not there yet has its name.
    let place = &place.canonicalize().unwrap_or_else(|_| place.to_owned());
    if place.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return std::fs::write(place, content).with_context(|| place.display().to_string());
    }
    let name = place.file_name().with_context(|| format!("{}: not a file", place.display()))?;
    let beside = place.with_file_name(beside(&name.to_string_lossy()));
    let written = std::fs::write(&beside, content).and_then(|()| std::fs::rename(&beside, place));
    if written.is_err() {
        std::fs::remove_file(&beside).ok();
    }
    written.with_context(|| place.display().to_string())
}

/// The whole lines of a file that grows by a line at a time; nothing of one that is not there. A
/// last line that was cut off is dropped, from the file as well.
pub(crate) fn whole_lines(path: &Path) -> anyhow::Result<String> {
    let mut text = match path.exists() {
        true => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
        false => String::new(),
    };
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        text.truncate(whole);
        write(path, text.as_bytes())?;
    }
    Ok(text)
}

/// The name of a file as long as it is not whole.
pub(crate) fn beside(name: &str) -> String {
    format!(".{name}.new")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};

    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_dropped_from_the_file_as_well() {
        let scratch = tempfile::TempDir::new().expect("there is room");
        let path = scratch.path().join("lines");
        assert_eq!(whole_lines(&path).expect("it need not be there"), "");
        for (there, whole) in [("a\nb\n", "a\nb\n"), ("a\nb", "a\n"), ("a", "")] {
            std::fs::write(&path, there).expect("there is room");
            assert_eq!(whole_lines(&path).expect("it is there"), whole);
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), whole);
        }
    }

    #[test]
    fn links_and_what_is_no_file_stay_what_they_are() {
        let scratch = tempfile::TempDir::new().expect("there is room");
        let at = |name: &str| scratch.path().join(name);
        let read = |name: &str| std::fs::read_to_string(at(name)).expect("it is there");
        std::fs::write(at("file"), "old").expect("there is room");
        symlink("file", at("link")).expect("there is room");
        write(&at("link"), b"new").expect("it can be written");
        assert!(at("link").is_symlink());
        assert_eq!(read("file"), "new");
        symlink("/dev/null", at("nothing")).expect("there is room");
        write(&at("nothing"), b"lost").expect("it takes everything");
        let device = std::fs::metadata("/dev/null").expect("there is one");
        assert!(device.file_type().is_char_device());
        write(&at("later"), b"first").expect("it can be written");
        assert_eq!(read("later"), "first");
    }
}
