//! Every rule on values of every type its variables can have.

use egg::{EGraph, Id, Var};

use super::{Agreement, all};
use crate::simplify::fact::Slots;
use crate::simplify::rule::{Compiled, Rule};
use crate::simplify::term::{Graph, Term};
use crate::text::{Expression, ExpressionKind, expressions};
use crate::{Interpreter, Layout, Op, Type};

type Typed = (Type, Vec<f64>);

/// Zeros, subnormals of both formats, what rounds to a zero or an infinity of float32, and the
/// rest.
const AWKWARD: [f64; 34] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    -2.0,
    3.0,
    0.1,
    -0.3,
    0.9,
    7.75,
    1e-8,
    -1e-8,
    1.000_000_1,
    1e-3,
    1e-20,
    -1e-20,
    1e-45,
    -1e-40,
    1e-50,
    -1e-50,
    5e-324,
    1e20,
    -1e20,
    3e38,
    1e39,
    -1e300,
    88.5,
    -745.0,
    1e-300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Constants of rules, which are finite.
const CONSTANTS: [f64; 14] =
    [0.9, 0.1, -0.3, 1.109, 2.0, 0.5, -4.0, 1e-3, 0.0, -0.0, 1.0, 1e-50, -1e-50, 3.0];

/// A small generator; its numbers only have to differ.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn uniform(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 31) as f64
    }

    fn value(&mut self, agreement: Agreement) -> f64 {
        let sign = if self.next().is_multiple_of(2) { 1.0 } else { -1.0 };
        match agreement {
            Agreement::Bits if self.next().is_multiple_of(3) => {
                AWKWARD[self.next() as usize % AWKWARD.len()]
            }
            Agreement::Bits => sign * self.uniform() * [1e-3, 1.0, 1e4][self.next() as usize % 3],
            Agreement::Rounding => sign * (0.25 + 1.5 * self.uniform()),
            Agreement::Within => 0.25 + 0.65 * self.uniform(),
        }
    }

    fn constant(&mut self, agreement: Agreement) -> f64 {
        match agreement {
            Agreement::Bits => CONSTANTS[self.next() as usize % CONSTANTS.len()],
            // Some of which add up to 1, or are it nearly.
            Agreement::Rounding if self.next().is_multiple_of(3) => {
                [0.9, 0.1, 0.3, 0.7, 0.999_999_99][self.next() as usize % 5]
            }
            agreement => self.value(agreement),
        }
    }
}

fn layout() -> Layout {
    Layout::new([vec![4, 3], vec![5], vec![], vec![2, 2, 2]])
}

/// A variable of a rule.
struct Variable {
    letter: char,
    class: Id,
    value: Typed,
}

fn letters(expression: &Expression<'_>, found: &mut Vec<char>) {
    match &expression.kind {
        ExpressionKind::Number(_) | ExpressionKind::Name("step") => {}
        ExpressionKind::Name(name) => {
            let letter = name.chars().next().expect("a name has a letter");
            if !found.contains(&letter) {
                found.push(letter);
            }
        }
        ExpressionKind::Call(_, args) => args.iter().for_each(|arg| letters(arg, found)),
    }
}

fn evaluate(expression: &Expression<'_>, variables: &[Variable]) -> Typed {
    match &expression.kind {
        ExpressionKind::Number(number) => (Type::Scalar, vec![*number]),
        ExpressionKind::Name("step") => (Type::Scalar, vec![3.0]),
        ExpressionKind::Name(name) => {
            let variable = variables.iter().find(|variable| name.starts_with(variable.letter));
            variable.expect("all letters are bound").value.clone()
        }
        ExpressionKind::Call(op, args) => {
            let args: Vec<Typed> = args.iter().map(|arg| evaluate(arg, variables)).collect();
            Interpreter::value_of(&layout(), *op, &args)
        }
    }
}

/// The class of the left side, `None` where it does not type-check.
fn instantiate(
    expression: &Expression<'_>,
    variables: &[Variable],
    graph: &mut Graph,
) -> Option<Id> {
    Some(match &expression.kind {
        ExpressionKind::Number(number) => graph.add(Term::constant(*number)),
        ExpressionKind::Name("step") => graph.add(Term::Input(3)),
        ExpressionKind::Name(name) => {
            variables.iter().find(|variable| name.starts_with(variable.letter))?.class
        }
        ExpressionKind::Call(op, args) => {
            let args: Option<Vec<Id>> =
                args.iter().map(|arg| instantiate(arg, variables, graph)).collect();
            let args = args?;
            let types: Vec<Type> = args.iter().map(|arg| graph[*arg].data.ty).collect();
            op.result_type(&types)?;
            graph.add(Term::apply(*op, &args))
        }
    })
}

/// A class of a type of which nothing else is known; different ones for different places.
fn opaque(ty: Type, place: usize, graph: &mut Graph) -> Id {
    let input = graph.add(Term::Input(4 + place as u16));
    let op = match ty {
        Type::Tree => return input,
        Type::Scalar => {
            let w = graph.add(Term::Input(0));
            return graph.add(Term::apply(Op::Dot, &[input, w]));
        }
        Type::PerRow => Op::RowMean,
        Type::PerColumn => Op::ColumnMean,
        Type::PerLeaf => {
            let rows = graph.add(Term::apply(Op::RowMean, &[input]));
            return graph.add(Term::apply(Op::ColumnMean, &[rows]));
        }
    };
    graph.add(Term::apply(op, &[input]))
}

fn variable(
    (letter, ty, place): (char, Type, usize),
    agreement: Agreement,
    draws: &mut Draws,
    graph: &mut Graph,
) -> Variable {
    if "cdpq".contains(letter) {
        let constant = draws.constant(agreement);
        let constant = if "pq".contains(letter) { constant.abs().max(1e-3) } else { constant };
        let class = graph.add(Term::constant(constant));
        return Variable { letter, class, value: (Type::Scalar, vec![constant]) };
    }
    let mut class = opaque(ty, place, graph);
    let round = |value: f64| if ty == Type::Tree { f64::from(value as f32) } else { value };
    let mut values: Vec<f64> =
        (0..layout().count(ty)).map(|_| round(draws.value(agreement))).collect();
    match letter {
        'n' => {
            class = graph.add(Term::apply(Op::Abs, &[class]));
            values.iter_mut().for_each(|value| *value = value.abs());
        }
        'o' => {
            class = opaque(ty, 3, graph);
            values.fill(0.0);
        }
        _ => {}
    }
    Variable { letter, class, value: (ty, values) }
}

fn agree(agreement: Agreement, a: f64, b: f64) -> bool {
    match agreement {
        Agreement::Bits => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        _ if a.is_nan() || b.is_nan() => a.is_nan() && b.is_nan(),
        _ => a == b || (a - b).abs() <= 1e-4 * a.abs().max(1.0),
    }
}

/// The `index`th of all ways to choose one of each.
fn combination(choices: &[&[Type]], mut index: usize) -> Vec<Type> {
    let one = |types: &&[Type]| {
        let ty = types[index % types.len()];
        index /= types.len();
        ty
    };
    choices.iter().map(one).collect()
}

/// Whether a rule may be used on its own left side.
fn may_be_used(compiled: &Compiled, graph: &Graph, left: Id, variables: &[Variable]) -> bool {
    let bound = |subst: &egg::Subst| {
        variables.iter().all(|variable| {
            let found = subst.get(Var::from_u32(variable.letter.into()));
            found.is_some_and(|id| graph.find(*id) == graph.find(variable.class))
        })
    };
    let left = graph.find(left);
    let matches = compiled.search(graph, usize::MAX);
    let matches = matches.iter().filter(|found| found.eclass == left);
    let mut substs = matches.flat_map(|found| &found.substs).filter(|subst| bound(subst));
    substs.any(|subst| compiled.fits(graph, left, subst))
}

fn assert_agree(rule: Rule, sides: &[Expression<'_>], variables: &[Variable]) {
    let (expected, found) = (evaluate(&sides[0], variables), evaluate(&sides[1], variables));
    let values: Vec<_> =
        variables.iter().map(|variable| (variable.letter, &variable.value)).collect();
    assert_eq!(expected.0, found.0, "{} on {values:?}", rule.name);
    for (expected, found) in expected.1.iter().zip(&found.1) {
        assert!(
            agree(rule.agreement, *expected, *found),
            "{}: {} gives {expected:e}, {} gives {found:e} for {values:?}",
            rule.name,
            rule.left,
            rule.right
        );
    }
}

/// Tries a rule on all types and many values; how often it applied.
fn try_rule(rule: Rule) -> usize {
    let text = format!("def train(x):\n  return {}, {}\n", rule.left, rule.right);
    let sides = expressions(&text).expect("every rule parses");
    let (mut free, compiled) = (Vec::new(), Compiled::new(rule));
    letters(&sides[0], &mut free);
    let kinds = |letter: &char| match letter {
        's' | 't' | 'c' | 'd' | 'p' | 'q' => &[Type::Scalar][..],
        _ => &Type::ALL[..],
    };
    let choices: Vec<&[Type]> = free.iter().map(kinds).collect();
    let combinations: usize = choices.iter().map(|types| types.len()).product();
    let mut draws = Draws(rule.left.bytes().map(u64::from).sum());
    let mut applied = 0;
    for index in 0..combinations {
        let types = combination(&choices, index);
        for _ in 0..(3_000 / combinations).clamp(25, 1_000) {
            let slots = Slots { zero: [false, false, false, true], ..Slots::default() };
            let mut graph: Graph = EGraph::new(slots);
            let places = free.iter().zip(&types).enumerate();
            let variables: Vec<Variable> = places
                .map(|(place, (letter, ty))| {
                    variable((*letter, *ty, place), rule.agreement, &mut draws, &mut graph)
                })
                .collect();
            let Some(left) = instantiate(&sides[0], &variables, &mut graph) else { break };
            graph.rebuild();
            if may_be_used(&compiled, &graph, left, &variables) {
                applied += 1;
                assert_agree(rule, &sides, &variables);
            }
        }
    }
    applied
}

#[test]
fn every_rule_holds_for_all_types_of_its_variables() {
    let mut wrong = Vec::new();
    for rule in all() {
        match std::panic::catch_unwind(|| try_rule(rule)) {
            Ok(0) => wrong.push(format!("{} never applied", rule.name)),
            Ok(_) => {}
            Err(error) => wrong.push(
                error.downcast_ref::<String>().cloned().unwrap_or_else(|| rule.name.to_owned()),
            ),
        }
    }
    assert!(wrong.is_empty(), "{} rules fail:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn rules_have_names_of_their_own_and_say_where_they_differ() {
    let mut names: Vec<&str> =
        all().map(|rule| rule.name).filter(|name| *name != "commute").collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for rule in all() {
        assert_eq!(rule.agreement == Agreement::Within, !rule.differs.is_empty(), "{}", rule.name);
    }
}
