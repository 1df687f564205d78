//! Known cells as text, in `zoo/*.py`.
//!
//! Invariant: every entry parses, and its first line is a comment with its source.

use crate::Graph;

/// A known graph.
#[derive(Clone, Copy, Debug)]
pub struct GraphZooEntry {
    /// Its name, as in `zoo:NAME`; no optimizer and no learner has it.
    pub name: &'static str,
    /// Its text, comments included.
    pub text: &'static str,
}

macro_rules! entries {
    ($($name:literal)*) => {
        [$(GraphZooEntry {
            name: $name,
            text: include_str!(concat!("../zoo/", $name, ".py")),
        }),*]
    };
}

const ENTRIES: [GraphZooEntry; 3] = entries!["plain_cell" "resnet_cell" "inception_cell"];

impl GraphZooEntry {
    /// What it is and where it comes from: its first line, for lists.
    pub fn description(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// The graph.
    pub fn graph(&self) -> Graph {
        Graph::parse(self.text).expect("a test parses every entry")
    }

    /// All entries, in a fixed order.
    pub fn all() -> &'static [GraphZooEntry] {
        &ENTRIES
    }

    /// The entry of this name; case does not matter.
    pub fn named(name: &str) -> Option<&'static GraphZooEntry> {
        ENTRIES.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_parses_is_live_and_found_by_its_name() {
        for entry in GraphZooEntry::all() {
            let graph = entry.graph();
            assert_eq!(graph.live(), graph, "{}", entry.name);
            let named = GraphZooEntry::named(&entry.name.to_uppercase()).map(|it| it.text);
            assert_eq!(named, Some(entry.text));
            assert!(!entry.description().is_empty() && entry.text.starts_with('#'));
        }
    }
}
