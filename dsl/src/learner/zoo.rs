//! Known learners as text, in `learners/*.py`.
//!
//! Invariant: every entry parses, and its first line is a comment with its source.

use super::LearnerProgram;

/// A known learner.
#[derive(Clone, Copy, Debug)]
pub struct LearnerZooEntry {
    /// Its name, as in `zoo:NAME`; no optimizer has it.
    pub name: &'static str,
    /// Its text, comments included.
    pub text: &'static str,
}

macro_rules! entries {
    ($($name:literal)*) => {
        [$(LearnerZooEntry {
            name: $name,
            text: include_str!(concat!("../../learners/", $name, ".py")),
        }),*]
    };
}

const ENTRIES: [LearnerZooEntry; 5] = entries![
    "linear_learner" "affine_learner" "logistic_learner" "network_learner"
    "discovered_linear_learner"
];

impl LearnerZooEntry {
    /// What it is and where it comes from: its first line, for lists.
    pub fn description(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// The learner.
    pub fn program(&self) -> LearnerProgram {
        LearnerProgram::parse(self.text).expect("a test parses every entry")
    }

    /// All entries, in a fixed order.
    pub fn all() -> &'static [LearnerZooEntry] {
        &ENTRIES
    }

    /// The entry of this name; case does not matter.
    pub fn named(name: &str) -> Option<&'static LearnerZooEntry> {
        ENTRIES.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_parses_is_live_but_for_what_it_says_and_has_a_name_of_its_own() {
        for entry in LearnerZooEntry::all() {
            let program = entry.program();
            assert_eq!(program.live(), program, "{}", entry.name);
            assert!(entry.description().len() > 20, "{}", entry.name);
            assert!(crate::zoo::get(entry.name).is_none(), "{}", entry.name);
        }
    }
}
