//! LaTeX: the three functions as equations, in a document of their own.
//!
//! Invariant: read from top to bottom, the equations are the live program, exactly. A variable that
//! is read once is written where it is read, as long as nothing in it has been overwritten by then
//! and the equation stays short; all else has an equation of its own.

mod equation;

use std::collections::BTreeSet;

use evo_dsl::{LearnerFunction, LearnerOp, LearnerStatement, LearnerType};

use super::{Address, FEATURES, LABEL, Memory, PREDICTION, arguments, draws, target, updates};
use crate::latex::escaped;
use crate::latex::expression::{Expression, number};

/// Most operations that are written inside of another one.
const MOST_INSIDE: usize = 4;

/// The learner as text.
pub(super) fn emit(memory: &Memory, name: &str) -> String {
    let mut text = format!(
        "% A learner exported from evo.\n\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\
         \\allowdisplaybreaks\n\\begin{{document}}\n\n\\section*{{{}}}\n\n\\noindent\nAll that is \
         kept is zero at first. \\emph{{Setup}} is done once. For features $\\mathbf{{x}}$,\n\
         \\emph{{Predict}} gives the prediction $\\hat{{y}}$; in training \\emph{{Learn}} follows, \
         with the label $y$.\n",
        escaped(name)
    );
    for function in LearnerFunction::ALL {
        let equations = equations(memory, function);
        if equations.is_empty() {
            continue;
        }
        text += &format!(
            "\n\\subsection*{{{}}}\n\\begin{{align*}}\n{}\n\\end{{align*}}\n",
            function.name(),
            equations.join(" \\\\\n")
        );
    }
    let notes = notes(memory);
    if !notes.is_empty() {
        text += &format!("\n\\noindent\nHere {}.\n", notes.join("; "));
    }
    text + "\n\\end{document}\n"
}

/// What a variable stands for where it is written as an expression.
struct Inside {
    address: Address,
    expression: Expression,
    operations: usize,
    /// All that the expression reads.
    reads: BTreeSet<Address>,
}

fn equations(memory: &Memory, function: LearnerFunction) -> Vec<String> {
    let statements = memory.statements(function);
    let mut inside: Vec<Inside> = Vec::new();
    let mut out = Vec::new();
    let given = if function == LearnerFunction::Setup { [LABEL, FEATURES] } else { [LABEL; 2] };
    for address in memory.zeros(function).into_iter().filter(|it| !given.contains(it)) {
        out.push(format!("{} &\\leftarrow {}", symbol(address), zero(address.0)));
    }
    for (index, statement) in statements.iter().enumerate() {
        let Some(output) = target(statement) else { continue };
        let (mut operations, mut reads, mut args) = (1, BTreeSet::new(), Vec::new());
        for address in arguments(statement) {
            match inside.iter().position(|it| it.address == address) {
                Some(place) => {
                    let part = inside.swap_remove(place);
                    operations += part.operations;
                    reads.extend(part.reads);
                    args.push(part.expression);
                }
                None => {
                    reads.insert(address);
                    args.push(read(memory, function, address));
                }
            }
        }
        if !updates(statement.op) {
            let expression = equation::value(statement, &args);
            let fits = operations <= MOST_INSIDE && !draws(statement.op);
            if fits && is_read_once(memory, &statements[index..], output, &reads) {
                inside.push(Inside { address: output, expression, operations, reads });
            } else {
                let sign = if draws(statement.op) { "\\sim" } else { "\\leftarrow" };
                out.push(format!("{} &{sign} {}", symbol(output), expression.text));
            }
            continue;
        }
        out.push(equation::update(statement, &symbol(output)));
    }
    out
}

/// Whether what the first statement writes is read by one of the others alone, at one place, with
/// everything in it as it was.
fn is_read_once(
    memory: &Memory,
    statements: &[LearnerStatement],
    output: Address,
    reads: &BTreeSet<Address>,
) -> bool {
    let (mut count, mut stands) = (0, true);
    for statement in &statements[1..] {
        let here = arguments(statement).filter(|it| *it == output).count();
        // What was overwritten before it is read is lost.
        if here > 0 && !stands {
            return false;
        }
        count += here;
        let written = target(statement);
        if written == Some(output) {
            return count == 1 && !updates(statement.op) && !memory.is_field(output);
        }
        stands &= !written.is_some_and(|it| reads.contains(&it));
    }
    count == 1 && !memory.is_field(output)
}

/// What is read at an address.
fn read(memory: &Memory, function: LearnerFunction, address: Address) -> Expression {
    let is_zero = match address {
        LABEL => function != LearnerFunction::Learn,
        FEATURES => function == LearnerFunction::Setup,
        _ => memory.is_field(address) && memory.stays_zero(address),
    };
    match is_zero {
        true if address.0 == LearnerType::Scalar => number(0.0),
        true => Expression::atom(zero(address.0).to_owned()),
        false => Expression::atom(symbol(address)),
    }
}

fn zero(ty: LearnerType) -> &'static str {
    if ty == LearnerType::Scalar { "0" } else { "\\mathbf{0}" }
}

fn symbol(address: Address) -> String {
    let number = address.1;
    match address {
        LABEL => "y".to_owned(),
        PREDICTION => "\\hat{y}".to_owned(),
        FEATURES => "\\mathbf{x}".to_owned(),
        (LearnerType::Scalar, _) => format!("s_{{{number}}}"),
        (LearnerType::Vector, _) => format!("\\mathbf{{v}}_{{{number}}}"),
        (LearnerType::Matrix, _) => format!("\\mathbf{{M}}_{{{number}}}"),
    }
}

/// What the notation means where a reader may not know it.
fn notes(memory: &Memory) -> Vec<&'static str> {
    use LearnerOp as L;
    let known: [(&[LearnerOp], &'static str); 7] = [
        (
            &[
                L::VectorProduct,
                L::MatrixProduct,
                L::VectorDivision,
                L::MatrixDivision,
                L::VectorReciprocal,
                L::MatrixReciprocal,
            ],
            "$\\odot$ and fractions of vectors and matrices are element by element",
        ),
        (&[L::VectorOuterProduct], "$a \\otimes b$ is the outer product"),
        (
            &[L::MatrixColumnNorm, L::MatrixRowNorm, L::MatrixRowMean, L::MatrixRowStDev],
            "what is of rows or columns is a vector with a number for each",
        ),
        (
            &[L::VectorStDev, L::MatrixStDev, L::MatrixRowStDev],
            "$\\operatorname{std}$ is that of the whole population",
        ),
        (
            &[L::VectorConstSet, L::MatrixConstSet],
            "places are counted from 0 among the $n$ features",
        ),
        (
            &[L::ScalarBroadcast, L::VectorColumnBroadcast, L::VectorRowBroadcast],
            "$\\mathbf{1}$ is the vector of ones",
        ),
        (
            &[L::VectorHeavyside, L::MatrixHeavyside, L::ScalarHeavyside],
            "$\\mathbf{1}[\\cdot]$ is 1 where the condition holds, else 0, element by element",
        ),
    ];
    let uses =
        |ops: &[LearnerOp]| memory.program.statements().iter().any(|it| ops.contains(&it.op));
    known.into_iter().filter(|(ops, _)| uses(ops)).map(|(_, note)| note).collect()
}

#[cfg(test)]
mod tests {
    use evo_dsl::{LearnerProgram, LearnerZooEntry};

    use super::*;

    fn equations_of(program: &LearnerProgram) -> [Vec<String>; 3] {
        let memory = Memory::of(program);
        LearnerFunction::ALL.map(|function| equations(&memory, function))
    }

    #[test]
    fn gradient_descent_is_written_as_in_a_textbook() {
        let linear = LearnerZooEntry::named("linear_learner").expect("it is in the zoo").program();
        let [setup, predict, learn] = equations_of(&linear);
        assert_eq!(setup, ["s_{2} &\\leftarrow 0.1"]);
        let dot = "\\left\\langle \\mathbf{v}_{1}, \\mathbf{x} \\right\\rangle";
        assert_eq!(predict, [format!("\\hat{{y}} &\\leftarrow {dot}")]);
        assert_eq!(
            learn,
            ["\\mathbf{v}_{1} &\\leftarrow \\mathbf{v}_{1} + s_{2} \\left( y - \\hat{y} \\right) \
              \\mathbf{x}"]
        );
    }

    #[test]
    fn what_is_overwritten_before_it_is_read_keeps_its_equation() {
        let text = "def Setup():\ndef Predict():\n  s3 = s2 + s2\n  s2 = norm(v0)\n  s1 = s3 * s2\n\
                    def Learn():\n";
        let program = LearnerProgram::parse(text).expect("it is one");
        let [_, predict, _] = equations_of(&program);
        assert_eq!(predict.len(), 3, "{predict:?}");
    }
}
