//! Standard output: results, written whole; a reader that has gone away is no error.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

/// Writes a text to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A table with aligned columns; the first is set to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    aligned(rows, 1)
}

/// A table with aligned columns, all set to the left.
pub(crate) fn left_table(rows: &[Vec<String>]) -> String {
    aligned(rows, usize::MAX)
}

/// A table with its first columns set to the left, the others to the right.
fn aligned(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            let written = if column < left {
                write!(line, "{gap}{cell:<width$}")
            } else {
                write!(line, "{gap}{cell:>width$}")
            };
            written.expect("a string can always grow");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
