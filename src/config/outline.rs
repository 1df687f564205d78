//! The outline of a RON text: which key stands where.
//!
//! Invariant: reading an outline never fails; of a text that is not RON it is the outline of the
//! part before the damage. serde reports where a value ended, not which key it belongs to, and
//! checks after parsing know the key but not the place; the outline joins the two, and tells
//! `--set` which bytes to replace.
//!
//! A second parser of RON, because the first cannot tell: `ron::Value` keeps neither places nor the
//! names of structs and variants, and `ron` has no type that reads with its place, as `toml` has
//! (`serde_spanned`). Crates with whole syntax trees were weighed and not taken: `ron2` refuses
//! damaged text, of which the place of the damage is asked; `ronin-core` does not, but is in its
//! first version and brings `rowan`; `ron-edit` and `tree-sitter-ron` have not been kept up. What
//! is needed is brackets, commas, colons and what may hide them. Nothing is accepted or refused by
//! it: `ron` reads the text in any case.

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
                    self.entries(closing(next), &mut node.entries);
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

    /// What is between brackets. Behind one that closes another nothing can be told any more.
    fn entries(&mut self, closing: char, entries: &mut Vec<Entry>) {
        loop {
            self.skip();
            let start = self.at;
            match self.peek() {
                None => return,
                Some(bracket @ (')' | ']' | '}')) => {
                    match bracket == closing {
                        true => self.at += 1,
                        false => self.text = &self.text[..self.at],
                    }
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

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
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
        Some((_, '\\')) => {
            // What is escaped may be an apostrophe itself.
            let mut rest = text.char_indices().skip(3);
            rest.find(|(_, c)| *c == '\'').map_or(1, |(end, _)| end + 1)
        }
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
    fn damaged_text_still_has_the_outline_of_what_is_before_the_damage() {
        let values = [
            "seed",
            "start",
            "tasks[0].name",
            "tasks[0].model.hidden[1]",
            "tasks[1].data",
            "ops[1]",
        ];
        let whole = Node::of(TEXT);
        for path in values {
            let span = &whole.find(path).0.span;
            let named = whole.path_at(span.start);
            for end in span.end..=TEXT.len() {
                let (before, rest) = TEXT.split_at(end);
                // Cut off, broken by a bracket that is not its own, and by a string without end.
                for damaged in
                    [before.to_owned(), format!("{before}}}{rest}"), format!("{before}\"")]
                {
                    let outline = Node::of(&damaged);
                    let (node, found) = outline.find(path);
                    assert!(found && node.span.start == span.start, "{path} in\n{damaged}");
                    assert_eq!(outline.path_at(span.start), named, "in\n{damaged}");
                    // A string behind it belongs to it, as far as anyone can tell.
                    let end = if damaged.ends_with('"') { span.start } else { node.span.end };
                    assert!(end <= span.end, "{path} in\n{damaged}");
                }
            }
        }
    }

    #[test]
    fn no_text_is_beyond_an_outline_and_no_value_beyond_its_text() {
        fn check(node: &Node, within: &Range<usize>, text: &str) {
            let inside = within.start <= node.span.start && node.span.end <= within.end;
            assert!(inside && text.get(node.span.clone()).is_some(), "{node:?} in\n{text}");
            node.entries.iter().for_each(|entry| check(&entry.value, &node.span, text));
        }
        let mut texts = vec!["))]]::,,'\"r#".to_owned(), String::new()];
        for at in 0..TEXT.len() {
            for stray in
                ["(", ")", "[", "}", ",", ":", "\"", "'", "'\\", "r#\"", "/*", "//", "#!", "ä"]
            {
                texts.push(format!("{}{stray}{}", &TEXT[..at], &TEXT[at + 1..]));
                texts.push(format!("{}{stray}", &TEXT[..at]));
            }
        }
        for text in texts {
            let outline = Node::of(&text);
            check(&outline, &(0..text.len()), &text);
            for byte in [0, text.len() / 2, text.len()] {
                let (node, path) = outline.around(byte);
                assert!(node.span.contains(&byte) || path.is_empty(), "{path} in\n{text}");
                let path = outline.path_at(byte);
                assert!(path.is_empty() || !outline.entries.is_empty(), "{path} in\n{text}");
            }
        }
    }

    #[test]
    fn what_hides_a_bracket_hides_it() {
        for hidden in [
            "'('",
            "'\\''",
            "['\\'','(']",
            "'\\\\'",
            "'\\u{28}'",
            "\"\\\")\"",
            "r#\")\"]\"#",
            "b\"(\"",
        ] {
            let text = format!("(a: {hidden}, b: 1)");
            let outline = Node::of(&text);
            let value = |path| &text[outline.find(path).0.span.clone()];
            assert_eq!((value("a"), value("b")), (hidden, "1"), "{text}");
        }
    }
}
