//! The outline of a RON text: which key stands where.
//!
//! Invariant: reading an outline never fails; of a text that is not RON it is the outline of the
//! part before the damage. serde reports where a value ended, not which key it belongs to, and
//! checks after parsing know the key but not the place; the outline joins the two, and tells
//! `--set` which bytes to replace.

use std::ops::Range;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// The bytes of the value.
    pub span: Range<usize>,
    entries: Vec<Entry>,
    /// Where a new entry could be written: behind the opening bracket.
    pub inside: Option<usize>,
}

/// A keyed or numbered part of a value.
#[derive(Debug)]
struct Entry {
    key: String,
    /// From the key, if there is one, to the end of the value.
    span: Range<usize>,
    value: Node,
}

impl Entry {
    /// Adds this entry to a path.
    fn extend(&self, path: &mut String) {
        if self.key.starts_with(|first: char| first.is_ascii_digit()) {
            path.push_str(&format!("[{}]", self.key));
        } else {
            let dot = if path.is_empty() { "" } else { "." };
            path.push_str(&format!("{dot}{}", self.key));
        }
    }
}

impl Node {
    /// The outline of a whole text.
    pub(super) fn of(text: &str) -> Node {
        let mut scanner = Scanner { text, at: 0 };
        scanner.skip();
        scanner.value()
    }

    /// The value at a path such as `evaluation.tasks[0].steps`, or the innermost value on the way
    /// there; the second result tells which.
    pub(super) fn find(&self, path: &str) -> (&Node, bool) {
        let mut node = self;
        for part in parts(path) {
            // Newtype variants such as `List([…])` are transparent to paths.
            let inner =
                || node.entries.first().filter(|only| only.key == "0" && node.entries.len() == 1);
            let found = |node: &'_ Node| node.entries.iter().position(|entry| entry.key == part);
            if let Some(index) = found(node) {
                node = &node.entries[index].value;
            } else if let Some(only) = inner()
                && let Some(index) = found(&only.value)
            {
                node = &only.value.entries[index].value;
            } else {
                return (node, false);
            }
        }
        (node, true)
    }

    /// The innermost bracketed value that a byte lies in, and its path.
    pub(super) fn around(&self, byte: usize) -> (&Node, String) {
        let (mut node, mut path) = (self, String::new());
        let holds =
            |entry: &&Entry| entry.value.inside.is_some() && entry.value.span.contains(&byte);
        while let Some(entry) = node.entries.iter().find(holds) {
            entry.extend(&mut path);
            node = &entry.value;
        }
        (node, path)
    }

    /// The path of the innermost entry around, or just before, a byte.
    pub(super) fn path_at(&self, byte: usize) -> String {
        let mut path = String::new();
        let mut node = self;
        while let Some(entry) = node.entries.iter().rev().find(|entry| entry.span.start <= byte) {
            if byte > entry.span.end && !path.is_empty() {
                break;
            }
            entry.extend(&mut path);
            node = &entry.value;
        }
        path
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|part| !part.is_empty())
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips blanks, comments and `#![…]` attributes.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start().len();
            let length = match &rest[blanks..] {
                line if line.starts_with("//") => line.find('\n').unwrap_or(line.len()),
                block if block.starts_with("/*") => block_comment(block),
                attribute if attribute.starts_with("#!") => {
                    attribute.find(']').map_or(attribute.len(), |end| end + 1)
                }
                _ => 0,
            };
            self.at += blanks + length;
            if length == 0 {
                return;
            }
        }
    }

    /// A value, up to the `,` or closing bracket behind it.
    fn value(&mut self) -> Node {
        let start = self.at;
        let mut node = Node { span: start..start, entries: Vec::new(), inside: None };
        while let Some(next) = self.peek() {
            match next {
                ',' | ')' | ']' | '}' | ':' => break,
                '(' | '[' | '{' => {
                    self.at += 1;
                    node.inside = Some(self.at);
                    self.entries(&mut node.entries);
                }
                '"' => self.at += string(self.rest()),
                '\'' => self.at += character(self.rest()),
                'r' if raw_string(self.rest()).is_some() => {
                    self.at += raw_string(self.rest()).unwrap_or(1);
                }
                other => self.at += other.len_utf8(),
            }
            node.span.end = self.at;
            self.skip();
        }
        node
    }

    fn entries(&mut self, entries: &mut Vec<Entry>) {
        loop {
            self.skip();
            let start = self.at;
            match self.peek() {
                None => return,
                Some(')' | ']' | '}') => {
                    self.at += 1;
                    return;
                }
                Some(',' | ':') => self.at += 1,
                Some(_) => {
                    let mut value = self.value();
                    let mut key = entries.len().to_string();
                    if self.peek() == Some(':') {
                        key = self.text[value.span.clone()].trim_matches('"').to_owned();
                        self.at += 1;
                        self.skip();
                        value = self.value();
                    }
                    entries.push(Entry { key, span: start..value.span.end, value });
                }
            }
        }
    }
}

/// Length of the string that `text` starts with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return index + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// Length of the character literal, or of a stray apostrophe.
fn character(text: &str) -> usize {
    let mut rest = text.char_indices().skip(1);
    match rest.next() {
        Some((_, '\\')) => text[2..].find('\'').map_or(1, |end| end + 3),
        Some((index, c)) if text[index + c.len_utf8()..].starts_with('\'') => {
            index + c.len_utf8() + 1
        }
        _ => 1,
    }
}

fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let content = body[hashes..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let end = content.find(&closing).map_or(content.len(), |end| end + closing.len());
    Some(1 + hashes + 1 + end)
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"#![enable(implicit_some)]
// a comment with (brackets
(
    seed: 3, /* and /* nested */ ones ) */
    start: "zoo:a \" ) b",
    tasks: [
        (name: "one", model: Mlp(hidden: [32, 16])),
        (name: r"two", data: Digits),
    ],
    ops: List(["+", "-"]),
)"#;

    fn value(path: &str) -> Option<&'static str> {
        let outline = Node::of(TEXT);
        let (node, found) = outline.find(path);
        found.then(|| &TEXT[node.span.clone()])
    }

    #[test]
    fn values_are_found_by_path() {
        assert_eq!(value("seed"), Some("3"));
        assert_eq!(value("start"), Some(r#""zoo:a \" ) b""#));
        assert_eq!(value("tasks[0].model.hidden[1]"), Some("16"));
        assert_eq!(value("tasks.1.data"), Some("Digits"));
        assert_eq!(value("ops[1]"), Some("\"-\""));
        assert_eq!(value("tasks[2]"), None);
        assert_eq!(value("nothing.here"), None);
    }

    #[test]
    fn bytes_are_named_by_their_path() {
        let at =
            |needle: &str| Node::of(TEXT).path_at(TEXT.find(needle).expect("it is in the text"));
        assert_eq!(at("3,"), "seed");
        assert_eq!(at("16]"), "tasks[0].model.hidden[1]");
        assert_eq!(at("Digits"), "tasks[1].data");
    }

    #[test]
    fn damaged_text_still_has_an_outline() {
        for end in 0..TEXT.len() {
            if let Some(cut) = TEXT.get(..end) {
                let _ = Node::of(cut).path_at(end);
            }
        }
        let _ = Node::of("))]]::,,'\"r#").path_at(3);
    }
}
