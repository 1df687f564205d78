//! Files that are whole or not there: written beside their place and then moved to it, so that an
//! interruption leaves what was there before.

use std::path::Path;

use anyhow::Context;

/// Writes a file, whole or not at all.
pub(crate) fn write(place: &Path, content: &[u8]) -> anyhow::Result<()> {
    let name = place.file_name().with_context(|| format!("{}: not a file", place.display()))?;
    let beside = place.with_file_name(format!(".{}.new", name.to_string_lossy()));
    let written = std::fs::write(&beside, content).and_then(|()| std::fs::rename(&beside, place));
    if written.is_err() {
        std::fs::remove_file(&beside).ok();
    }
    written.with_context(|| place.display().to_string())
}
