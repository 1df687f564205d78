//! Names in exported files: valid, unique identifiers from the program's own names.
//!
//! Invariant: a name given out is an identifier of Python and of Rust, is no keyword of either, is
//! none of the words the exported files use themselves, does not begin or end with an underscore
//! (fields of a Python named tuple may not), and is given out once.

use std::collections::BTreeSet;

/// Keywords of Python and Rust, and builtins that exported code calls.
const KEYWORDS: &str = "False None True and as assert async await break class continue def del elif \
    else except finally for from global if import in is lambda nonlocal not or pass raise return \
    try while with yield match case type print abs max min pow range len list tuple dict zip sum \
    float int str bool super isinstance callable all any map set id sorted enumerate \
    abstract become box const crate do dyn enum extern false final fn gen impl let loop macro mod \
    move mut override priv pub ref self Self static struct trait true typeof union unsafe unsized \
    use virtual where f32 f64 i32 i64 u32 u64 usize isize u8 u16 i8 i16 char Vec Some Box Option \
    String";

/// Words that exported files use for themselves.
const OWN_WORDS: &str = "torch math jax jnp np numpy optax scalar tree leaf leaves lr t step count \
    update updates param params parameter parameters group groups state states grad grads gradient \
    gradients weight weights closure foreach learning_rate loss defaults init apply rows columns row \
    column dtype shape out cls main test dot exp log sqrt sign power clip norm interp \
    where tensors relative_lr LR_UNIT structure results settings";

/// The names in use.
#[derive(Clone, Debug)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// None in use but the reserved words.
    pub(super) fn new() -> Names {
        let reserved = KEYWORDS.split_whitespace().chain(OWN_WORDS.split_whitespace());
        Names { taken: reserved.map(str::to_owned).collect() }
    }

    /// Takes `name` as it is, reserved or not, for a word of ours such as `lr`.
    pub(super) fn reserve(&mut self, name: &str) -> String {
        self.taken.insert(name.to_owned());
        name.to_owned()
    }

    /// A name like `wanted` that nothing has yet: itself, or with `_2`, `_3`, … after it.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let base = identifier(wanted);
        // The last value of `update` is the update, so those before it are counted from 1.
        let first = if base == "update" { 1 } else { 2 };
        let mut name = base.clone();
        let mut number = first;
        while self.taken.contains(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.taken.insert(name.clone());
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
    // Keywords that begin with a capital; what begins with a digit gets a letter.
    let word = if joined.is_empty() { "Optimizer".to_owned() } else { joined };
    let clash = ["False", "None", "True", "Self", "Optimizer"].contains(&word.as_str());
    if clash || word.starts_with(|c: char| c.is_ascii_digit()) {
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
    let reserved = KEYWORDS.split_whitespace().chain(OWN_WORDS.split_whitespace());
    if reserved.into_iter().any(|word| word == text) { format!("{text}_optimizer") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers_and_stay_unique() {
        let mut names = Names::new();
        assert_eq!(names.unique("m"), "m");
        assert_eq!(names.unique("m"), "m_2");
        assert_eq!(names.unique("lambda"), "lambda_2");
        assert_eq!(names.unique("update"), "update_1");
        assert_eq!(names.unique("__"), "value");
        assert_eq!(names.unique("_2nd-moment_"), "v2nd_moment");
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
        ] {
            assert_eq!((class_name(given), function_name(given)), (class.into(), function.into()));
        }
    }
}
