//! Reductions: programs that a program could be cut down to, each by one step.
//!
//! Invariant: every reduction is a valid program, no longer than what it comes from, and another
//! one; whether it is as good is for studies to say. A statement is dropped by letting one of its
//! arguments stand for it, so what read it goes on reading something of its kind.

use evo_dsl::{Op, Operand, Program, Rounding, Statement, simplify, structural_hash};

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

/// All reductions of a program: statements dropped, from the last to the first, then constants
/// rounded to one digit and to two.
pub fn reductions(program: &Program) -> Vec<Reduction> {
    let program = simplify(program, Rounding::Exact).program.live();
    let count = program.statements().len();
    let dropped = (0..count).rev().flat_map(|index| drops(&program, index));
    let rounded = (0..count).flat_map(|index| roundings(&program, index));
    let mut seen = vec![structural_hash(&program)];
    let mut found = Vec::new();
    for (step, statements) in dropped.chain(rounded) {
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
