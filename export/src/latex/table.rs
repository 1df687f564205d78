//! A table of rules: the fittest programs of a run, one a row.
//!
//! Invariant: a row needs no other text to be read. Settings stand in it as numbers, of as many
//! digits as asked for, and the learning rate as the program's own factor of its schedule.

use evo_dsl::Program;

use super::{Equations, notes};
use crate::listing::Listing;

/// A program and how it fared.
#[derive(Clone, Debug)]
pub struct TableRow {
    /// Its fitness: higher is better.
    pub fitness: f64,
    /// What it is.
    pub program: Program,
}

/// A LaTeX table of programs, in the order given and numbered from 1: rank, fitness, live length
/// and the update rule. A part of a document, which needs the package `amsmath`. Fitness has
/// `digits` digits behind the point; constants are rounded to `digits` significant ones, or to as
/// many of what they lack to 1, and written with no more than they need.
///
/// # Panics
/// If a program is an expression, or `digits` is 0.
pub fn latex_table(rows: &[TableRow], digits: usize) -> String {
    assert!(digits > 0, "numbers have digits");
    let mut lines = Vec::new();
    let mut all_notes: Vec<&str> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        assert!(!row.program.signature().is_expression(), "optimizers have update rules");
        let listing = Listing::of(&row.program, "rule");
        let rule = Equations::of(&listing).with_numbers(digits).all().join(" \\\\\n  ");
        lines.push(format!(
            "{} & ${}$ & {} &\n  $\\begin{{aligned}}[t]\n  {rule}\n  \\end{{aligned}}$",
            index + 1,
            fitness(row.fitness, digits),
            row.program.live_length(),
        ));
        for note in notes(&listing) {
            if !all_notes.contains(&note) {
                all_notes.push(note);
            }
        }
    }
    let here = match all_notes.as_slice() {
        [] => String::new(),
        all => format!(" Here {}.", all.join("; ")),
    };
    format!(
        "% Exported from evo; needs \\usepackage{{amsmath}}.\n\\begin{{tabular}}{{rrrl}}\n\\hline\n\
         Rank & Fitness & Length & Update rule \\\\\n\\hline\n{} \\\\\n\\hline\n\
         \\end{{tabular}}\n\n\
         \\noindent\nThe factor $\\eta_t$ is the schedule of the learning rate, at most 1.{here}\n",
        lines.join(" \\\\[1ex]\n")
    )
}

/// A number with as many digits behind the point, and no sign where they are zeros.
fn fitness(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let is_zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if is_zero { text.replace('-', "") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, fitness: f64) -> TableRow {
        let program = evo_dsl::zoo::get(name).expect("it is in the zoo").program();
        TableRow { fitness, program }
    }

    #[test]
    fn a_row_has_its_numbers_and_as_many_digits_as_asked_for() {
        let text = latex_table(&[row("lion_raw", 0.98765), row("adagrad", -0.5)], 3);
        assert!(text.contains("1 & $0.988$ & "), "{text}");
        assert!(text.contains("2 & $-0.500$ & "), "{text}");
        // 0.8999999761581421 and 1.109133005142212, with no more zeros than needed.
        assert!(text.contains("0.9 v_{t-1}") && text.contains("1.11 m"), "{text}");
        assert!(!text.contains("\\beta") && !text.contains("\\bar"), "{text}");
        assert_eq!(text.matches("$\\epsilon = 10^{-8}$").count(), 1, "{text}");
        assert_eq!(text.matches("\\begin{aligned}").count(), 2, "{text}");
        assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
    }

    #[test]
    fn a_decay_rate_is_not_rounded_to_one() {
        let text = latex_table(&[row("adamw", -0.04)], 1);
        assert!(text.contains("0.9 m_{t-1} + (1 - 0.9) g_{t}"), "{text}");
        assert!(text.contains("0.999 v_{t-1} + (1 - 0.999) g_{t}^{2}"), "{text}");
        assert!(text.contains("1 - 0.999^{t}"), "{text}");
        assert!(text.contains("1 & $0.0$ & "), "a fitness has no sign at 0: {text}");
    }

    #[test]
    fn the_learning_rate_is_a_number_too() {
        let text = latex_table(&[row("lion", 0.0)], 2);
        let update = "w_{t} &= w_{t-1} - 0.0001 \\eta_t \\left( \\operatorname{sign}";
        assert!(text.contains(update), "{text}");
        assert!(text.contains("0.99 m_{t-1}") && text.contains("0.1 w_{t-1}"), "{text}");
    }
}
