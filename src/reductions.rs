//! Reductions: programs that a program could be cut down to, each by one step.
//!
//! Invariant: every reduction is a valid program, no longer than what it comes from, and another
//! one; whether it is as good is for studies to say. A statement is dropped by letting one of its
//! arguments stand for it, so what read it goes on reading something of its kind.

mod learner;

pub use learner::{LearnerReduction, learner_reductions};

use evo_dsl::{
    Op, Operand, Program, Role, Rounding, Statement, Variable, simplify, structural_hash,
};
use evo_hashes::Hash;

/// A program cut down by one step.
#[derive(Clone, Debug)]
pub struct Reduction {
    /// What was done, in words.
    pub step: String,
    /// The program, without what became dead.
    pub program: Program,
}

/// Digits that constants are rounded to, the fewest first.
const DIGITS: [usize; 2] = [0, 1];

/// Steps at which what follows from the step alone is held.
const HELD: [f64; 3] = [100.0, 300.0, 1000.0];

/// All reductions of a program: statements dropped, or what follows from the step held at one,
/// those that leave the fewest statements first, since a tolerance is soon used up by small ones;
/// then constants rounded to one digit and to two.
pub fn reductions(program: &Program) -> Vec<Reduction> {
    let program = simplify(program, Rounding::Exact).program.live();
    let count = program.statements().len();
    let dropped = (0..count).rev().flat_map(|index| drops(&program, index));
    let held = (0..count).flat_map(|index| held_steps(&program, index));
    let rounded = (0..count).flat_map(|index| roundings(&program, index));
    let mut seen = vec![structural_hash(&program)];
    let mut shorter = others(&program, dropped.chain(held), &mut seen);
    shorter.sort_by_key(|it| it.program.live_length());
    shorter.extend(others(&program, rounded, &mut seen));
    shorter
}

/// The programs of these statements that are no longer than `program`, each once.
fn others(
    program: &Program,
    steps: impl Iterator<Item = (String, Vec<Statement>)>,
    seen: &mut Vec<Hash>,
) -> Vec<Reduction> {
    let mut found = Vec::new();
    for (step, statements) in steps {
        let Ok(other) = program.with_statements(statements) else { continue };
        let other = simplify(&other, Rounding::Exact).program.live();
        let structure = structural_hash(&other);
        if other.live_length() <= program.live_length() && !seen.contains(&structure) {
            seen.push(structure);
            found.push(Reduction { step, program: other });
        }
    }
    found
}

/// The program with a number in place of the step that a statement reads: what follows from that
/// number is constant.
fn held_steps(program: &Program, index: usize) -> Vec<(String, Vec<Statement>)> {
    let roles = program.signature().parameters();
    let Some(place) = roles.iter().position(|&role| role == Role::Step) else { return Vec::new() };
    let (step, statement) = (Variable(place as u16), &program.statements()[index]);
    if !statement.args().contains(&Operand::Variable(step)) {
        return Vec::new();
    }
    let held = |number: f64| {
        let mut statements = program.statements().to_vec();
        for arg in statements[index].args_mut() {
            if *arg == Operand::Variable(step) {
                *arg = Operand::Constant(number);
            }
        }
        let text = program.statement_text(statement);
        (format!("{number:?} for {} in `{}`", program.name(step), text.trim()), statements)
    };
    HELD.into_iter().map(held).collect()
}

/// The program with each argument of a statement in place of its result.
fn drops(program: &Program, index: usize) -> Vec<(String, Vec<Statement>)> {
    let statement = &program.statements()[index];
    let mut args: Vec<Operand> = statement.args().to_vec();
    args.retain(|arg| matches!(arg, Operand::Variable(_)));
    args.dedup();
    let replaced = |arg: Operand| {
        let Operand::Variable(variable) = arg else { unreachable!("others were left out") };
        let copy = Statement::new(Op::Mul, statement.target, &[arg, Operand::Constant(1.0)]);
        let mut statements = program.statements().to_vec();
        statements[index] = copy;
        let text = program.statement_text(statement);
        (format!("{} for `{}`", program.name(variable), text.trim()), statements)
    };
    args.into_iter().map(replaced).collect()
}

/// The program with each constant of a statement rounded.
fn roundings(program: &Program, index: usize) -> Vec<(String, Vec<Statement>)> {
    let statement = &program.statements()[index];
    let mut found = Vec::new();
    for (place, arg) in statement.args().iter().enumerate() {
        let Operand::Constant(value) = *arg else { continue };
        for digits in DIGITS {
            let rounded: f64 =
                format!("{value:.digits$e}").parse().expect("what was printed is a number");
            if rounded == value {
                break;
            }
            let mut statements = program.statements().to_vec();
            statements[index].args_mut()[place] = Operand::Constant(rounded);
            let text = program.statement_text(statement);
            found.push((format!("{rounded:?} for {value:?} in `{}`", text.trim()), statements));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Program {
        Program::parse(text).expect("the test's text parses")
    }

    #[test]
    fn every_statement_can_go_and_every_constant_be_rounded() {
        let text = "def train(w, g, m, lr):\n  m = interp(g, m, 0.9123)\n  s = sign(m)\n  \
                    u = s * lr\n  return u, m\n";
        let found = reductions(&program(text));
        let steps: Vec<&str> = found.iter().map(|it| it.step.as_str()).collect();
        assert!(steps.iter().any(|it| it.starts_with("m for `s = sign(m)`")), "{steps:?}");
        assert!(steps.iter().any(|it| it.starts_with("g for `m = interp")), "{steps:?}");
        assert!(steps.iter().any(|it| it.starts_with("0.9 for 0.9123")), "{steps:?}");
        assert!(steps.iter().any(|it| it.starts_with("0.91 for 0.9123")), "{steps:?}");
        let without = found.iter().find(|it| it.step.starts_with("g for")).expect("it was found");
        assert_eq!(without.program.live_length(), 2, "{}", without.program);
        for reduction in &found {
            assert!(reduction.program.live_length() <= 3);
        }
    }

    #[test]
    fn the_step_can_be_held_and_what_saves_most_comes_first() {
        let text = "def train(w, g, s, lr, t):\n  u = g * lr\n  later = t + 8.0\n  \
                    share = 5.5 / later\n  keep = 1.0 - share\n  s = s - u\n  s = s * keep\n  \
                    r = u + s\n  return (u, r), s\n";
        let found = reductions(&program(text));
        let lengths: Vec<usize> = found.iter().map(|it| it.program.live_length()).collect();
        let rounded = found.iter().position(|it| it.step.contains("5.5")).expect("5.5 has a digit");
        assert!(lengths[..rounded].is_sorted(), "{lengths:?}");
        let held: Vec<_> = found.iter().filter(|it| it.step.contains("for t in")).collect();
        assert_eq!(held.len(), 3);
        for reduction in held {
            let text = reduction.program.to_string();
            assert_eq!(reduction.program.live_length(), 4, "keep is a constant: {text}");
        }
    }

    #[test]
    fn the_zoo_has_reductions_and_none_is_the_rule_itself_or_longer() {
        for entry in evo_dsl::zoo::entries() {
            let own = entry.program();
            let found = reductions(&own);
            assert!(!found.is_empty(), "{}", entry.name);
            for reduction in found {
                assert_ne!(structural_hash(&reduction.program), structural_hash(&own));
                assert!(reduction.program.live_length() <= own.live_length());
            }
        }
    }
}
