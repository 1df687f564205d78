//! Names in exported files: valid, unique identifiers from the program's own names.
//!
//! Invariant: a name given out is an identifier of Python and of Rust, is no keyword of either, is
//! none of the words the exported files use themselves (see [`reserved`]), is not that of the
//! file's own class or function, does not begin or end with an underscore (fields of a Python named
//! tuple may not, and what exported files make of a name ends with one), and is given out once.

mod reserved;

use std::collections::BTreeSet;

/// The names in use.
#[derive(Clone, Debug)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// None in use but the reserved words and those of the file's own class and function.
    pub(super) fn beside(own: &[String]) -> Names {
        let reserved = reserved::words().map(str::to_owned);
        Names { taken: reserved.chain(own.iter().cloned()).collect() }
    }

    /// A name like `wanted` that nothing has yet: itself, or with `_2`, `_3`, … after it.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        self.family(wanted, &[])
    }

    /// A name as [`Names::unique`] gives it that has nothing with one of these endings beside it,
    /// and will not have: a state `m` is next to an `m_next` of our own.
    pub(super) fn family(&mut self, wanted: &str, endings: &[&str]) -> String {
        let base = identifier(wanted);
        // The last value of `update` is the update, so those before it are counted from 1.
        let mut number = if base == "update" { 1 } else { 2 };
        let mut name = base.clone();
        let members = |name: &str| {
            let ending = |ending: &&str| format!("{name}{ending}");
            [name.to_owned()].into_iter().chain(endings.iter().map(ending)).collect::<Vec<_>>()
        };
        while members(&name).iter().any(|member| self.taken.contains(member)) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.taken.extend(members(&name));
        name
    }
}

/// The name with whatever is no letter, digit or inner underscore replaced or dropped.
fn identifier(name: &str) -> String {
    let valid = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let text: String = name.chars().map(valid).collect();
    let text = text.trim_matches('_');
    match text.chars().next() {
        None => "value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("v{text}"),
        Some(_) => text.to_owned(),
    }
}

/// `lion_discovered` and `Lion discovered` as `LionDiscovered`, for a class or a type.
pub(super) fn class_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    let joined: String = words.map(capital).collect();
    let word = if joined.is_empty() { "Optimizer".to_owned() } else { joined };
    // What begins with a digit gets a letter.
    if reserved::holds(&word) || word.starts_with(|c: char| c.is_ascii_digit()) {
        format!("Evolved{word}")
    } else {
        word
    }
}

/// `LionDiscovered` and `Lion discovered` as `lion_discovered`, for a function or a module.
pub(super) fn function_name(name: &str) -> String {
    let letters: Vec<char> = class_name(name).chars().collect();
    let mut text = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let after_lower = index > 0 && !letters[index - 1].is_ascii_uppercase();
        let begins_word = letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && after_lower && begins_word {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    if reserved::holds(&text) { format!("{text}_optimizer") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers_and_stay_unique() {
        let mut names = Names::beside(&["Lion".to_owned()]);
        assert_eq!(names.unique("Lion"), "Lion_2");
        assert_eq!(names.unique("m"), "m");
        assert_eq!(names.unique("m"), "m_2");
        assert_eq!(names.unique("lambda"), "lambda_2");
        assert_eq!(names.unique("update"), "update_1");
        assert_eq!(names.unique("__"), "value");
        assert_eq!(names.unique("_2nd-moment_"), "v2nd_moment");
    }

    #[test]
    fn a_name_with_relatives_has_them_to_itself() {
        let mut names = Names::beside(&[]);
        assert_eq!(names.unique("m_next"), "m_next");
        assert_eq!(names.family("m", &["_next", "_results"]), "m_2");
        assert_eq!(names.unique("m_2_results"), "m_2_results_2");
        assert_eq!(names.unique("m"), "m");
    }

    #[test]
    fn classes_and_functions_are_named_in_the_style_of_their_language() {
        for (given, class, function) in [
            ("Lion", "Lion", "lion"),
            ("lion_discovered", "LionDiscovered", "lion_discovered"),
            ("AdamW", "AdamW", "adamw"),
            ("my best.rule", "MyBestRule", "my_best_rule"),
            ("7", "Evolved7", "evolved7"),
            ("", "EvolvedOptimizer", "evolved_optimizer"),
            ("Sum", "Sum", "sum_optimizer"),
            ("ValueError", "EvolvedValueError", "evolved_value_error"),
            ("vec", "EvolvedVec", "evolved_vec"),
        ] {
            assert_eq!((class_name(given), function_name(given)), (class.into(), function.into()));
        }
    }
}
