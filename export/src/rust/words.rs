//! The words of an exported file that are not the program's.
//!
//! Invariant: none is a name of the listing. Those never end with an underscore, so a word of ours
//! that is taken gets one.

use std::collections::BTreeSet;

use crate::listing::Listing;

/// Our names next to those of a listing.
#[derive(Debug)]
pub(super) struct Words {
    taken: BTreeSet<String>,
    /// The hyperparameters.
    pub settings: String,
    /// The index of an element.
    pub element: String,
    /// Rows and columns of every tensor.
    pub shapes: String,
    /// What every tensor is in its network.
    pub roles: String,
    /// The learning rate in the program's own unit.
    pub rate: String,
}

impl Words {
    pub(super) fn of(listing: &Listing) -> Words {
        let lines = listing.lines.iter().map(|line| line.name.clone());
        let states = listing.states.iter().map(|state| state.name.clone());
        let parameters = [listing.weight.clone(), listing.gradient.clone()];
        let taken = lines.chain(states).chain(parameters).collect();
        let mut words = Words {
            taken,
            settings: String::new(),
            element: String::new(),
            shapes: String::new(),
            roles: String::new(),
            rate: String::new(),
        };
        words.settings = words.own("h");
        words.element = words.own("i");
        words.shapes = words.own("shapes");
        words.roles = words.own("roles");
        words.rate = words.own("normalized_rate");
        words
    }

    /// A word that is no name of the listing.
    pub(super) fn own(&self, word: &str) -> String {
        if self.taken.contains(word) { format!("{word}_") } else { word.to_owned() }
    }

    /// Whether a name is not in the style of Rust, which its compiler warns about.
    pub(super) fn any_is_unusual(&self) -> bool {
        let unusual = |name: &String| name.contains("__") || name.contains(char::is_uppercase);
        self.taken.iter().any(unusual)
    }
}

/// Whether a statement holds a name, as a whole and not as a part of another.
pub(super) fn mentions(statement: &str, name: &str) -> bool {
    let of_a_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    statement.split(|letter| !of_a_name(letter)).any(|word| word == name)
}
