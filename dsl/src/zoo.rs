//! The zoo: known optimizers as program text, in `zoo/*.py`.
//!
//! Invariant: every entry parses, and its first line is a comment with its source. Learning rates
//! are constants of the programs, so that an incoming learning rate of 1 is the usual setting.

use crate::Program;

/// A known optimizer.
#[derive(Clone, Copy, Debug)]
pub struct ZooEntry {
    /// Its name, as in `zoo:NAME`.
    pub name: &'static str,
    /// Its text, comments included.
    pub text: &'static str,
}

macro_rules! entries {
    ($($name:literal)*) => {
        [$(ZooEntry { name: $name, text: include_str!(concat!("../zoo/", $name, ".py")) }),*]
    };
}

const ENTRIES: [ZooEntry; 11] = entries![
    "sgd" "momentum" "nesterov" "adagrad" "rmsprop" "adam" "adamw" "adamw_uncorrected" "signsgd"
    "lion" "lion_discovered"
];

impl ZooEntry {
    /// What it is and where it comes from.
    pub fn description(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches(['#', ' '])
    }

    /// The program.
    pub fn program(&self) -> Program {
        Program::parse(self.text).expect("a test parses every entry")
    }
}

/// All entries, in a fixed order.
pub fn entries() -> &'static [ZooEntry] {
    &ENTRIES
}

/// The entry of this name; case does not matter.
pub fn get(name: &str) -> Option<&'static ZooEntry> {
    ENTRIES.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_parses_prints_back_and_names_its_source() {
        for entry in entries() {
            let printed = entry.program().to_string();
            let again = Program::parse(&printed).expect("printed text parses");
            assert_eq!(again.to_string(), printed, "{}", entry.name);
            assert!(entry.description().len() > 20, "{}", entry.name);
        }
    }
}
