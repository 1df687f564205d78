//! Misses: programs made equal by a rewrite that the functional hash takes for two.
//!
//! A rewrite that keeps every bit must never be missed: what is observed is the same. One that
//! keeps values up to rounding may be, where a value lies at the edge of what the hash rounds to;
//! each such miss costs an evaluation.

use evo_dsl::{
    FunctionalHasher, MutationConfig, Mutator, Op, OpChoice, Operand, Program, Statement, Variable,
    structural_hash, zoo,
};
use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

/// Statements in place of one; the operands are its arguments, and a fresh variable follows
/// another.
type Rewrite = fn(&Statement, Variable) -> Option<Vec<Statement>>;

fn next(variable: Variable) -> Variable {
    Variable(variable.0 + 1)
}

fn unary(op: Op, target: Variable, arg: Operand) -> Statement {
    Statement::new(op, target, &[arg])
}

fn binary(op: Op, target: Variable, a: Operand, b: Operand) -> Statement {
    Statement::new(op, target, &[a, b])
}

/// The statement with its first argument computed by two others.
fn by_detour(
    it: &Statement,
    fresh: Variable,
    there: fn(Variable, Operand) -> Statement,
    back: fn(Variable, Operand) -> Statement,
) -> Option<Vec<Statement>> {
    let first = *it.args().first()?;
    let mut last = *it;
    last.args_mut()[0] = Operand::Variable(next(fresh));
    Some(vec![there(fresh, first), back(next(fresh), Operand::Variable(fresh)), last])
}

/// They keep every bit: signs and powers of two move no mantissa, and the order of the arguments of
/// what commutes does not count.
const EXACT: [(&str, Rewrite); 7] = [
    ("a - b = a + -b", |it, fresh| {
        let (Op::Sub, [a, b]) = (it.op, it.args()) else { return None };
        let negative = unary(Op::Negative, fresh, *b);
        Some(vec![negative, binary(Op::Add, it.target, *a, Operand::Variable(fresh))])
    }),
    ("a + b = a - -b", |it, fresh| {
        let (Op::Add, [a, b]) = (it.op, it.args()) else { return None };
        let negative = unary(Op::Negative, fresh, *b);
        Some(vec![negative, binary(Op::Sub, it.target, *a, Operand::Variable(fresh))])
    }),
    ("a * b = -a * -b", |it, fresh| {
        let (Op::Mul, [a, b]) = (it.op, it.args()) else { return None };
        let (one, two) = (unary(Op::Negative, fresh, *a), unary(Op::Negative, next(fresh), *b));
        let [x, y] = [fresh, next(fresh)].map(Operand::Variable);
        Some(vec![one, two, binary(Op::Mul, it.target, x, y)])
    }),
    ("square(a) = a * a", |it, _| {
        let (Op::Square, [a]) = (it.op, it.args()) else { return None };
        Some(vec![binary(Op::Mul, it.target, *a, *a)])
    }),
    ("abs(a) = abs(-a)", |it, fresh| {
        let (Op::Abs, [a]) = (it.op, it.args()) else { return None };
        let negative = unary(Op::Negative, fresh, *a);
        Some(vec![negative, unary(Op::Abs, it.target, Operand::Variable(fresh))])
    }),
    ("a = --a", |it, fresh| {
        let negative = |target, arg| unary(Op::Negative, target, arg);
        by_detour(it, fresh, negative, negative)
    }),
    ("a = 1 * a * 1", |it, fresh| {
        let same = |target, arg| binary(Op::Mul, target, arg, Operand::Constant(1.0));
        by_detour(it, fresh, same, same)
    }),
];

/// They keep values to a few roundings.
const ROUNDED: [(&str, Rewrite); 5] = [
    ("a * b = (a * 7) * (b * (1 / 7))", |it, fresh| {
        let (Op::Mul, [a, b]) = (it.op, it.args()) else { return None };
        let seven = binary(Op::Mul, fresh, *a, Operand::Constant(7.0));
        let seventh = binary(Op::Mul, next(fresh), *b, Operand::Constant(1.0 / 7.0));
        let [x, y] = [fresh, next(fresh)].map(Operand::Variable);
        Some(vec![seven, seventh, binary(Op::Mul, it.target, x, y)])
    }),
    ("a = a * 3 * (1 / 3)", |it, fresh| {
        let there = |target, arg| binary(Op::Mul, target, arg, Operand::Constant(3.0));
        let back = |target, arg| binary(Op::Mul, target, arg, Operand::Constant(1.0 / 3.0));
        by_detour(it, fresh, there, back)
    }),
    ("square(a) = power(a, 2)", |it, _| {
        let (Op::Square, [a]) = (it.op, it.args()) else { return None };
        Some(vec![binary(Op::Power, it.target, *a, Operand::Constant(2.0))])
    }),
    ("a + b = (a * 5 + b * 5) * 0.2", |it, fresh| {
        let (Op::Add, [a, b]) = (it.op, it.args()) else { return None };
        let five = Operand::Constant(5.0);
        let third = next(next(fresh));
        let [x, y, z] = [fresh, next(fresh), third].map(Operand::Variable);
        let times = binary(Op::Mul, next(fresh), *b, five);
        let sum = binary(Op::Add, third, x, y);
        let fifth = binary(Op::Mul, it.target, z, Operand::Constant(0.2));
        Some(vec![binary(Op::Mul, fresh, *a, five), times, sum, fifth])
    }),
    ("interp(a, b, c) = b * c + a * (1 - c)", |it, fresh| {
        let (Op::Interp, [a, b, c]) = (it.op, it.args()) else { return None };
        let third = next(next(fresh));
        let [x, y, z] = [fresh, next(fresh), third].map(Operand::Variable);
        let rest = binary(Op::Sub, fresh, Operand::Constant(1.0), *c);
        let first = binary(Op::Mul, next(fresh), *a, x);
        let second = binary(Op::Mul, third, *b, *c);
        Some(vec![rest, first, second, binary(Op::Add, it.target, z, y)])
    }),
];

/// Live optimizers as a search of them has: some mutations away from one of the zoo.
fn bred(index: u64) -> Program {
    let config =
        MutationConfig { ops: OpChoice::Modern, max_statements: 20, ..MutationConfig::default() };
    let mutator = Mutator::new(&config).expect("it is valid");
    let mut rng = Seed(11).stream("bred", index);
    let entries = zoo::entries();
    let mut program = entries[rng.random_range(0..entries.len())].program();
    for _ in 0..rng.random_range(1..=12) {
        program = mutator.mutate(&program, &mut rng);
    }
    program.live()
}

/// The program with one of its statements rewritten; `None` where that cannot be drawn.
fn rewritten(
    program: &Program,
    rewrites: &[(&'static str, Rewrite)],
    rng: &mut StreamRng,
) -> Option<(&'static str, Program)> {
    let (name, rewrite) = rewrites[rng.random_range(0..rewrites.len())];
    let statements = program.statements();
    if statements.is_empty() {
        return None;
    }
    let at = rng.random_range(0..statements.len());
    let beyond = Variable(u16::try_from(program.variables()).ok()?);
    let instead = rewrite(&statements[at], beyond)?;
    let mut all = statements[..at].to_vec();
    all.extend(instead);
    all.extend(&statements[at + 1..]);
    Some((name, program.with_statements(all).ok()?))
}

/// Pairs of programs, of two structures each, that `rewrites` make equal and the hash tells apart.
fn misses(pairs: usize, rewrites: &[(&'static str, Rewrite)]) -> Vec<(&'static str, String)> {
    let hasher = FunctionalHasher::new(8).expect("8 is between 1 and 23");
    let (mut seen, mut missed) = (0, Vec::new());
    for index in 0.. {
        if seen == pairs {
            break;
        }
        let (program, mut rng) = (bred(index), Seed(12).stream("rewrite", index));
        let Some((name, other)) = rewritten(&program, rewrites, &mut rng) else { continue };
        if structural_hash(&program) == structural_hash(&other) {
            continue;
        }
        // What has no functional identity is known by its structure.
        let Some(hash) = hasher.hash(&program) else { continue };
        seen += 1;
        if hasher.hash(&other) != Some(hash) {
            missed.push((name, format!("{program}{other}")));
        }
    }
    missed
}

#[test]
fn of_ten_thousand_pairs_with_the_same_bits_none_is_missed() {
    let missed = misses(10_000, &EXACT);
    assert!(missed.is_empty(), "{}: {:?} {}", missed.len(), missed[0].0, missed[0].1);
}

#[test]
fn of_pairs_that_are_equal_up_to_rounding_a_quarter_is_missed_and_no_more() {
    let missed = misses(10_000, &ROUNDED);
    let of = |name: &str| missed.iter().filter(|it| it.0 == name).count();
    let each: Vec<_> = ROUNDED.iter().map(|(name, _)| (*name, of(name))).collect();
    println!("{} of 10000 missed: {each:?}", missed.len());
    // 2,307 as measured (docs/records/2026-12-01-functional-hashing.md).
    assert!(missed.len() < 2_500, "{each:?}");
}
