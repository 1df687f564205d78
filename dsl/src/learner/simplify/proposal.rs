//! Learners that might be the same and shorter.
//!
//! Invariant: every proposal is a learner; whether it is the same is for a proof to say. Which are
//! worth one is told by the values: a statement that makes what is there already, or a constant.

use super::equal::Trace;
use crate::learner::{
    LearnerConstants, LearnerFunction, LearnerOp, LearnerProgram, LearnerStatement, LearnerType,
};

/// A type and an address of it.
type Address = (LearnerType, u8);

/// All proposals for a learner with this trace, those that take more away first.
pub(super) fn all<'p>(
    program: &'p LearnerProgram,
    trace: &'p Trace,
) -> impl Iterator<Item = LearnerProgram> + 'p {
    let indices = 0..program.statements().len();
    let merged = merged(program, trace);
    let dropped = indices.clone().flat_map(move |index| dropped(program, trace, index));
    let retargeted = indices.clone().flat_map(move |index| retargeted(program, trace, index));
    let constant = indices.filter_map(move |index| constant(program, trace, index));
    merged.chain(dropped).chain(retargeted).chain(constant)
}

fn target(statement: &LearnerStatement) -> Option<Address> {
    statement.op.shape().output.map(|ty| (ty, statement.output))
}

/// Makes a statement read another address in place of one.
fn substitute(statement: &mut LearnerStatement, (ty, from): Address, to: u8) {
    for (input, of) in statement.inputs.iter_mut().zip(statement.op.shape().inputs) {
        if of == Some(ty) && *input == from {
            *input = to;
        }
    }
}

/// Statements by their functions, one of them left out.
fn rebuilt(
    program: &LearnerProgram,
    statements: &[LearnerStatement],
    without: Option<usize>,
) -> LearnerProgram {
    let functions = LearnerFunction::ALL.map(|function| {
        let range = program.range(function);
        let kept = range.filter(|index| Some(*index) != without);
        kept.map(|index| statements[index]).collect::<Vec<_>>()
    });
    let [setup, predict, learn] = &functions;
    LearnerProgram::of_valid([setup, predict, learn])
}

/// Reads of one carried address become those of another that holds the same before an example:
/// what writes the one is then dead.
fn merged<'p>(
    program: &'p LearnerProgram,
    trace: &'p Trace,
) -> impl Iterator<Item = LearnerProgram> + 'p {
    let carried = program.carried();
    let held = |(ty, address): Address| trace.entry[ty as usize][usize::from(address)];
    let pairs = carried.clone().into_iter().flat_map(move |from| {
        let same = move |to: &Address| to.0 == from.0 && to.1 != from.1 && held(*to) == held(from);
        carried.clone().into_iter().filter(same).map(move |to| (from, to))
    });
    pairs.map(move |(from, to)| {
        let mut statements = program.statements().to_vec();
        statements.iter_mut().for_each(|it| substitute(it, from, to.1));
        rebuilt(program, &statements, None)
    })
}

/// A statement goes, and what read its result reads the same elsewhere, or where it stood before.
fn dropped<'p>(
    program: &'p LearnerProgram,
    trace: &'p Trace,
    index: usize,
) -> impl Iterator<Item = LearnerProgram> + 'p {
    let output = target(&program.statements()[index]);
    let holders = output.into_iter().flat_map(move |(ty, own)| {
        let memory = &trace.before[index][ty as usize];
        let holds = move |address: &u8| memory[usize::from(*address)] == trace.ids[index];
        // Where it stood before comes first.
        let all =
            [own].into_iter().chain((0..LearnerProgram::ADDRESSES).filter(move |it| *it != own));
        all.filter(holds).map(move |address| ((ty, own), address))
    });
    holders.take(8).map(move |(own, holder)| {
        let mut statements = program.statements().to_vec();
        for statement in &mut statements[index + 1..behind(program, index)] {
            substitute(statement, own, holder);
            if target(statement) == Some(own) {
                break;
            }
        }
        rebuilt(program, &statements, Some(index))
    })
}

/// Up to where a value of a statement may be read before the next example.
fn behind(program: &LearnerProgram, index: usize) -> usize {
    let setup = program.range(LearnerFunction::Setup).end;
    if index < setup { setup } else { program.statements().len() }
}

/// A statement goes that makes what an earlier one of its function has made, and that one writes
/// where it wrote.
fn retargeted<'p>(
    program: &'p LearnerProgram,
    trace: &'p Trace,
    index: usize,
) -> impl Iterator<Item = LearnerProgram> + 'p {
    let all = program.statements();
    let functions = LearnerFunction::ALL.map(|function| program.range(function));
    let start = functions.into_iter().find(|it| it.contains(&index)).map_or(0, |it| it.start);
    let earlier = (start..index).rev().filter(move |earlier| {
        let types = [index, *earlier].map(|it| target(&all[it]).map(|(ty, _)| ty));
        let same = trace.ids[*earlier] == trace.ids[index] && types[0] == types[1];
        same && types[0].is_some() && !all[*earlier].op.shape().updates
    });
    earlier.map(move |earlier| {
        let mut statements = all.to_vec();
        let (own, to) = (target(&all[earlier]), all[index].output);
        statements[earlier].output = to;
        for statement in &mut statements[earlier + 1..behind(program, index)] {
            if let Some(own) = own {
                substitute(statement, own, to);
            }
            if target(statement) == own {
                break;
            }
        }
        rebuilt(program, &statements, Some(index))
    })
}

/// A statement whose result is always one number sets that.
fn constant(program: &LearnerProgram, trace: &Trace, index: usize) -> Option<LearnerProgram> {
    let statement = &program.statements()[index];
    let number = trace.fills[index].filter(|number| number.is_finite())?;
    let is_set = statement.op.info().constants != LearnerConstants::None;
    if is_set || target(statement)?.0 != LearnerType::Scalar {
        return None;
    }
    let mut statements = program.statements().to_vec();
    statements[index] = LearnerStatement {
        op: LearnerOp::ScalarConstSet,
        output: statement.output,
        constants: [number, 0.0, 0.0],
        ..LearnerStatement::NO_OP
    };
    Some(rebuilt(program, &statements, None))
}
