//! Programs whose names are those of exported files: every identifier that occurs in an export of
//! the zoo, in the place of every parameter and variable, and names that are made of one another.
//!
//! What is exported from one has to do what the engines do, as with any program; a name that is
//! taken twice shows as a file that does not compile or as wrong numbers.

use std::collections::BTreeSet;

use evo_dsl::{Op, Program, zoo};
use evo_export::{ExportTarget, export};

/// Keywords and types that need not occur in an export.
const WORDS: &str = "lambda nonlocal yield match case type async await gen try dyn box union Self self \
    Ok Err None Some Vec Default Clone Iterator f32 usize ValueError RuntimeError NamedTuple Any next \
    vars hash input filter iter index count fields replace asdict";

/// Where a program has a name of its own: three parameters that are no states, three that are, and
/// variables.
const PLACES: usize = 9;

/// Exported names and programs.
pub(crate) fn hostile() -> Vec<(String, Program)> {
    let words: Vec<String> = words().into_iter().collect();
    let mut all = Vec::new();
    // Twice, so that each is a state or a parameter and a variable as well.
    for shift in [0, PLACES / 2] {
        for (index, start) in (0..words.len()).step_by(PLACES).enumerate() {
            let names = std::array::from_fn(|place| {
                words[(start + (place + shift) % PLACES).min(words.len() - 1)].as_str()
            });
            all.extend(program(names, index + shift).map(|program| (names[2].to_owned(), program)));
        }
    }
    for (name, names) in [
        ("X", ["w", "g", "XState", "X", "x", "lr", "a", "b", "c"]),
        ("moment", ["m_next", "g", "m", "m_results", "v_next", "lr", "m_2", "v", "m_next_2"]),
        (
            "lion",
            ["lion", "Lion", "LionState", "LION_LEARNING_RATE", "lion_2", "lr", "h", "i", "h_"],
        ),
        ("update", ["update", "update_", "update_1", "updates", "next", "lr", "next_", "a", "_a"]),
        ("beta", ["beta", "beta1", "beta2", "c1", "eps", "lr", "weight_decay", "decay", "decay_2"]),
        ("a b", ["a_all", "a", "a_factor", "a_square_a", "leaf_of_row", "lr", "a_", "A", "AB"]),
    ] {
        all.extend((0..2).filter_map(|kind| Some((name.to_owned(), program(names, kind)?))));
    }
    assert!(all.len() > 60, "only {} programs were made", all.len());
    all
}

/// Every name that a program may have, of those in exports and those above.
fn words() -> BTreeSet<String> {
    let mut words: BTreeSet<String> = WORDS.split_whitespace().map(str::to_owned).collect();
    for entry in zoo::entries() {
        for target in ExportTarget::ALL {
            let text = export(&entry.program(), "Some rule", target);
            let found = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let names =
                found.filter(|word| !word.is_empty() && !word.starts_with(char::is_numeric));
            words.extend(names.map(str::to_owned));
        }
    }
    // Words of the language, and parameters that have their place.
    words.retain(|word| {
        Op::from_name(word).is_none()
            && !["w", "g", "lr", "t", "def", "return"].contains(&word.as_str())
    });
    words
}

/// A program with these names, of one of two kinds; none if the language refuses a name.
fn program([w, g, r, s, t, lr, a, b, c]: [&str; PLACES], kind: usize) -> Option<Program> {
    let sum = if kind.is_multiple_of(2) { "norm" } else { "global_norm" };
    let (step, corrected) =
        if kind % 4 < 2 { ("", "") } else { (", steps", " * power(0.5, steps)") };
    let text = format!(
        "def train({w}, {g}, {r}, {s}, {t}, {lr}{step}):
  {a} = interp({g}, {r}, 0.9)
  {b} = {g} * {g}
  {s} = interp({b}, {s}, 0.99)
  {c} = sqrt({s}) + 1e-6
  {c} = {a} / {c}
  {t} = {t} * 0.75 + {a}
  {b} = {sum}({a}) * 0.1{corrected}
  {b} = {t} * {b} + row_mean({w}) * 0.3
  {c} = {c} + {b}
  {r} = {w} * 0.01
  {c} = {c} + {r}
  {lr} = {lr} * 0.001
  {c} = {c} * {lr}
  return {c}, {a}, {s}, {t}
"
    );
    Program::parse(&text).ok()
}
