//! Symbols: the names of a listing as a paper would write them.
//!
//! Invariant: no two things have the same symbol. Everything that changes from step to step has the
//! step in its subscript.

use std::collections::BTreeSet;

use crate::listing::{Argument, Listing};

/// A letter or a word, and its number where it has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Symbol {
    letter: String,
    number: String,
}

impl Symbol {
    /// The symbol of a name; `word` writes it out as it is.
    fn of(name: &str, word: bool) -> Symbol {
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = name[base.len()..].to_owned();
        let base = base.trim_end_matches('_');
        match letter(base) {
            Some(letter) if !word => Symbol { letter, number },
            _ => Symbol { letter: format!("\\mathrm{{{}}}", escaped(name)), number: String::new() },
        }
    }

    /// With a step in its subscript, or without.
    fn at(&self, step: &str) -> String {
        let Symbol { letter, number } = self;
        match (number.as_str(), step) {
            ("", "") => letter.clone(),
            ("", index) | (index, "") => format!("{letter}_{{{index}}}"),
            (number, step) => format!("{letter}_{{{number},{step}}}"),
        }
    }
}

/// The letter of a name without its number, if it has one.
fn letter(base: &str) -> Option<String> {
    if let Some(inner) = base.strip_suffix("_hat") {
        return letter(inner).map(|inner| format!("\\hat{{{inner}}}"));
    }
    Some(match base {
        "weight_decay" => "\\lambda".to_owned(),
        "lr_scale" => "\\kappa".to_owned(),
        "eps" => "\\varepsilon".to_owned(),
        "decay" => "\\gamma".to_owned(),
        "update" => "u".to_owned(),
        "alpha" | "beta" | "gamma" | "delta" | "zeta" | "theta" | "kappa" | "lambda" | "mu"
        | "nu" | "xi" | "rho" | "sigma" | "tau" | "phi" | "chi" | "psi" | "omega" => {
            format!("\\{base}")
        }
        _ if base.len() == 1 => base.to_owned(),
        _ => return None,
    })
}

/// Text in which nothing is a command of LaTeX; what is not ASCII is left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()) {
        match c {
            '\\' => out += "\\textbackslash{}",
            '^' => out += "\\textasciicircum{}",
            '~' => out += "\\textasciitilde{}",
            '_' | '&' | '%' | '$' | '#' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// The symbols of a listing.
#[derive(Debug)]
pub(super) struct Symbols {
    weight: Symbol,
    gradient: Symbol,
    states: Vec<Symbol>,
    settings: Vec<Symbol>,
    /// The symbol of each line, as it is written.
    lines: Vec<String>,
}

impl Symbols {
    pub(super) fn of(listing: &Listing) -> Symbols {
        let own = ["\\eta", "\\epsilon", "t", "e"]
            .map(|letter| Symbol { letter: letter.to_owned(), number: String::new() });
        let mut taken: BTreeSet<Symbol> = own.into();
        let mut unique = |name: &str| {
            let symbol = Symbol::of(name, false);
            let symbol = if taken.contains(&symbol) { Symbol::of(name, true) } else { symbol };
            taken.insert(symbol.clone());
            symbol
        };
        let (weight, gradient) = (unique(&listing.weight), unique(&listing.gradient));
        let states: Vec<Symbol> = listing.states.iter().map(|state| unique(&state.name)).collect();
        let settings =
            listing.hyperparameters.iter().map(|setting| unique(&setting.name)).collect();
        let lines = listing.lines.iter().enumerate().map(|(index, line)| {
            let own = listing.states.iter().position(|state| state.next == Argument::Line(index));
            own.map_or_else(|| unique(&line.name), |state| states[state].clone()).at("t")
        });
        let lines = lines.collect();
        Symbols { weight, gradient, states, settings, lines }
    }

    pub(super) fn weight_before(&self) -> String {
        self.weight.at("t-1")
    }

    pub(super) fn weight_after(&self) -> String {
        self.weight.at("t")
    }

    pub(super) fn state_after(&self, index: usize) -> String {
        self.states[index].at("t")
    }

    pub(super) fn state_at(&self, index: usize, step: &str) -> String {
        self.states[index].at(step)
    }

    pub(super) fn line(&self, index: usize) -> &str {
        &self.lines[index]
    }

    pub(super) fn normalized_rate(&self) -> &'static str {
        "\\bar{\\eta}_t"
    }

    /// What an argument is written as, a number aside.
    pub(super) fn of_argument(&self, argument: Argument) -> String {
        match argument {
            Argument::Weight => self.weight_before(),
            Argument::Gradient => self.gradient.at("t"),
            Argument::State(index) => self.states[index].at("t-1"),
            Argument::LearningRate => "\\eta_t".to_owned(),
            Argument::NormalizedRate => self.normalized_rate().to_owned(),
            Argument::Step => "t".to_owned(),
            Argument::Line(index) => self.lines[index].clone(),
            Argument::Hyperparameter(index) => self.settings[index].at(""),
            Argument::Constant(value) => format!("{value}"),
        }
    }
}
