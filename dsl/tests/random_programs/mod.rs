//! Valid programs from random draws, for property tests.

use std::ops::Range;

use evo_dsl::{Op, Operand, Program, Signature, Statement, Type, Variable};
use proptest::prelude::*;

/// A statement drawn at random; it may not type-check where it lands.
pub(crate) type Draw = (prop::sample::Index, u16, [(bool, u16, f64); 3]);

/// Statements drawn at random, their constants from a strategy.
pub(crate) fn draws<S: Strategy<Value = f64>>(
    count: Range<usize>,
    constants: impl Fn() -> S,
) -> impl Strategy<Value = Vec<Draw>> {
    let operand = (prop::bool::weighted(0.3), any::<u16>(), constants());
    let draw = (any::<prop::sample::Index>(), any::<u16>(), prop::array::uniform3(operand));
    prop::collection::vec(draw, count)
}

/// A valid program from random draws: those that do not check are left out. `outputs` are variable
/// numbers, taken modulo the number of parameters; one in three programs has a readout.
pub(crate) fn random_program(
    states: usize,
    step: bool,
    ops: &[Op],
    draws: &[Draw],
    outputs: &[u16],
) -> Program {
    let signature = Signature::optimizer(states, step).expect("at most 4 states");
    let sum: u32 = outputs.iter().map(|output| u32::from(*output)).sum();
    let signature = signature.with_readout(sum % 3 == 2);
    let parameters = signature.parameters();
    let names = parameters.iter().map(|role| Signature::default_name(*role).into()).collect();
    let count = parameters.len() as u16;
    let readout = signature.has_readout().then_some((sum / 3) as u16);
    let outputs = outputs[..=states].iter().chain(&readout);
    let outputs = outputs.map(|output| Variable(output % count)).collect();
    let empty = Program::new(signature, names, outputs, Vec::new()).expect("outputs are inputs");
    draws.iter().fold(empty, |program, (op, target, args)| {
        let op = *op.get(ops);
        let variables = program.variables() as u16 + 1;
        let args = args.map(|(constant, variable, value)| match constant {
            true => Operand::Constant(value),
            false => Operand::Variable(Variable(variable % variables)),
        });
        let target = Variable(target % variables);
        let statement = Statement::new(op, target, &args[..op.arity()]);
        let statements = program.statements().iter().copied().chain([statement]).collect();
        program.with_statements(statements).unwrap_or(program)
    })
}

/// Constants of every magnitude, negative zero and the extremes included.
pub(crate) fn constants() -> impl Strategy<Value = f64> {
    let special = [0.0, -0.0, 1.0, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1e16, 0.1];
    let finite = prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL;
    prop_oneof![finite, prop::sample::select(special.to_vec()), -10.0..10.0]
}

/// As [`random_program`], with many live statements: they mostly read what was assigned lately, ops
/// of several arguments are more frequent, and what is returned was assigned last, trees first.
#[allow(dead_code, reason = "not every test needs long live programs")]
pub(crate) fn deep_program(states: usize, step: bool, ops: &[Op], draws: &[Draw]) -> Program {
    let shallow = random_program(states, step, ops, &[], &[0, 1, 2, 3, 4]);
    let mut assigned: Vec<Variable> = Vec::new();
    let several = ops.iter().filter(|op| op.arity() > 1);
    let ops: Vec<Op> = ops.iter().chain(several.clone()).chain(several).copied().collect();
    let program = draws.iter().fold(shallow, |program, (op, target, args)| {
        let op = *op.get(&ops);
        let variables = program.variables() as u16;
        let args = args.map(|(constant, variable, value)| match variable % 4 {
            _ if constant => Operand::Constant(value),
            0 => Operand::Variable(Variable(variable / 4 % variables)),
            back => {
                let index = assigned.len().checked_sub(usize::from(back));
                Operand::Variable(index.map_or(Variable(variable / 4 % variables), |i| assigned[i]))
            }
        });
        let target = if target % 4 == 0 { target / 4 % variables } else { variables };
        let statement = Statement::new(op, Variable(target), &args[..op.arity()]);
        let statements = program.statements().iter().copied().chain([statement]).collect();
        let Ok(longer) = program.with_statements(statements) else { return program };
        assigned.retain(|variable| *variable != Variable(target));
        assigned.push(Variable(target));
        longer
    });
    let parameters = program.signature().parameters().len() as u16;
    let types = program.types_at(program.statements().len());
    let rest = (0..parameters).map(Variable).filter(|parameter| !assigned.contains(parameter));
    let mut outputs: Vec<Variable> = assigned.iter().rev().copied().chain(rest).collect();
    outputs.sort_by_key(|output| types[usize::from(output.0)] != Some(Type::Tree));
    let signature = program.signature().clone().with_readout(draws.len() % 3 == 2);
    outputs.truncate(signature.outputs());
    let names = (0..parameters).map(|index| program.name(Variable(index)).into()).collect();
    let statements = program.statements().to_vec();
    let longest = Program::new(signature, names, outputs, statements);
    longest.expect("what was assigned is defined")
}
