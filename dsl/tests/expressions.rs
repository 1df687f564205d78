//! Expressions: their text, both engines on them, what the hashes join, mutation, simplification.

mod numbers;

use std::sync::Arc;

use evo_dsl::{
    Executor, ExpressionMutation, ExpressionProbe, Expressions, FunctionalHasher, Interpreter,
    Layout, Op, OpChoice, Operand, Optimizers, Program, Rounding, Signature, Statement, Type,
    Variable, simplify, structural_hash,
};
use evo_hashes::Seed;
use numbers::{awkward, bits};
use proptest::prelude::*;

use evo_domain::Domain;

fn expression(text: &str) -> Program {
    Program::parse_expression(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn formula(text: &str) -> Program {
    Program::parse_formula(&["x", "y"], text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn what_is_printed_reads_back_and_prints_the_same() {
    let nested = "def f(mass, speed):\n  return 0.5 * mass * speed ** 2 - max(mass, 1)\n";
    let printed = expression(nested).to_string();
    assert_eq!(
        printed,
        "def f(mass, speed):\n  v4 = 0.5 * mass\n  v5 = power(speed, 2.0)\n  v3 = v4 * v5\n  \
         v6 = max(mass, 1.0)\n  v2 = v3 - v6\n  return v2\n"
    );
    assert_eq!(expression(&printed).to_string(), printed);
    let canonical = expression(nested).canonical();
    assert!(canonical.to_string().starts_with("def f(x, y):\n"), "{canonical}");
    assert_eq!(expression(&canonical.to_string()).canonical(), canonical);
    // Names of an optimizer's parameters mean nothing here.
    let any = "def f(lr, w, g, t, f):\n  z = lr * w\n  return z\n";
    assert_eq!(expression(any).to_string(), any);
    assert_eq!(formula("x * y"), expression("def f(x, y):\n  return x * y\n"));
    let most = "def f(a, b, c, d, e, g, h, i, j, k):\n  z = a * k\n  return z\n";
    let canonical = expression(most).canonical().to_string();
    assert_eq!(canonical, "def f(x, y, z, u, v, w, a, b, c, d):\n  x1 = x * d\n  return x1\n");
}

#[test]
fn errors_name_line_and_column() {
    for (text, expected) in [
        (
            "def train(w, g, lr):\n  return w\n",
            "1:5: `def train` begins an optimizer, where an expression is expected; an expression",
        ),
        (
            "def g(x):\n  return x\n",
            "1:5: expected the function name `f`, found `g`; an expression starts",
        ),
        ("def f(x):\n  z = sin(y)\n  return z\n", "2:11: unknown variable `y`"),
        ("def f(x):\n  z = norm(x)\n  return z\n", "2:7: `norm` is no op of an expression"),
        ("def f(x):\n  return x + dot(x, x)\n", "2:14: `dot` is no op of an expression"),
        ("def f(x):\n  return bias_correct(x, 0.9)\n", "2:10: `bias_correct` is no op"),
        ("def f(x):\n  return x, x\n", "2:3: an expression returns one value, not 2"),
        ("def f():\n  return 1.0\n", "2:3: an expression has 1 to 10 inputs, not 0"),
        ("def f(x, x):\n  return x\n", "1:10: two parameters are called `x`"),
        (
            "def f(x):\n  z = x\n",
            "3:1: the program ends without a `return`; end it with `return z`",
        ),
    ] {
        let error = Program::parse_expression(text).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{error}\n{text}");
    }
    let error = Program::parse("def f(x):\n  return x\n").expect_err("an expression").to_string();
    assert!(
        error.starts_with("1:5: `def f` begins an expression, where an optimizer is"),
        "{error}"
    );
    for (text, expected) in [
        ("sin(z)", "1:5: unknown variable `z`"),
        ("x + ", "1:5: expected a variable"),
        ("x\nx", "2:1: expected nothing behind the formula, found `x`"),
        ("norm(x)", "1:1: `norm` is no op of an expression"),
    ] {
        let error = Program::parse_formula(&["x", "y"], text).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = Program::parse_formula(&["a b"], "1.0").expect_err("no name").to_string();
    assert!(error.contains("`a b` cannot be the name of an input"), "{error}");
}

#[test]
fn each_domain_reads_its_own() {
    let text = "def f(x, y):\n  z = x * y\n  return z\n";
    let expressions = Expressions::default();
    let program = expressions.read(text).expect("an expression");
    assert_eq!(expressions.text(&program), text);
    assert!(Optimizers::default().read(text).is_err());
    let error = expressions.of_inputs(3).read(text).expect_err("two inputs");
    assert_eq!(error, "an expression of 3 inputs is expected, and this has 2");
    let start = Expressions::start(&["z", "x"]).expect("two names").to_string();
    assert_eq!(start, "def f(z, x):\n  out = z * 1.0\n  return out\n");
    assert!(Expressions::start(&[]).is_err() && Expressions::start(&["sin"]).is_err());
}

/// Values of an expression by both engines, which must agree to the bit.
fn values(program: &Program, inputs: &[&[f32]]) -> Vec<f32> {
    let layout = Layout::new([vec![inputs[0].len()]]);
    let mut values = vec![0.0; layout.len()];
    let mut executor = Executor::new(program, &layout);
    executor.evaluate(inputs, &mut values);
    let expected = Interpreter::<f32>::new(program, &layout).evaluate(inputs);
    assert_eq!(bits(&expected), bits(&values), "{program}");
    let mut again = vec![1.0; layout.len()];
    executor.evaluate(inputs, &mut again);
    assert_eq!(bits(&again), bits(&values), "a second time: {program}");
    values
}

#[test]
fn a_value_depends_on_its_point_alone() {
    let program = formula("where(x - y, sin(x) / y, 2.0) + clamp(y, x, 1.0) * interp(x, y, 0.3)");
    let points: Vec<f32> = (0..3000).map(|i| libm::sinf(i as f32) * 3.0).collect();
    let (x, y) = (&points[..1500], &points[1500..]);
    let all = values(&program, &[x, y]);
    for start in [0, 1, 777, 1499] {
        let alone = values(&program, &[&x[start..=start], &y[start..=start]]);
        assert_eq!(bits(&alone), bits(&all[start..=start]));
    }
    assert_eq!(values(&formula("y"), &[x, y]), y);
    assert_eq!(values(&formula("1.5 * 2.0"), &[x, y]), vec![3.0; 1500]);
}

/// A statement drawn at random; it may not check where it lands.
type Draw = (prop::sample::Index, u16, [(bool, u16, f64); 3]);

/// An expression of two inputs from random draws: those that do not check are left out.
fn random_expression(draws: &[Draw]) -> Program {
    let ops: Vec<Op> = Op::all().filter(|op| op.is_elementwise() && op.is_usable()).collect();
    let signature = Signature::expression(2).expect("two inputs");
    let names = ["x", "y"].map(Into::into).to_vec();
    let empty = Program::new(signature.clone(), names, vec![Variable(0)], Vec::new());
    let program = draws.iter().fold(empty.expect("an input"), |program, (op, target, args)| {
        let op = *op.get(&ops);
        let variables = program.variables() as u16;
        let args = args.map(|(constant, variable, value)| match constant {
            true => Operand::Constant(value),
            false => Operand::Variable(Variable(variables.saturating_sub(1 + variable % 4))),
        });
        let target = if target % 4 == 0 { target / 4 % variables } else { variables };
        let statement = Statement::new(op, Variable(target), &args[..op.arity()]);
        let statements = program.statements().iter().copied().chain([statement]).collect();
        program.with_statements(statements).unwrap_or(program)
    });
    let last = program.statements().last().map_or(Variable(0), |statement| statement.target);
    let names = ["x", "y"].map(Into::into).to_vec();
    Program::new(signature, names, vec![last], program.statements().to_vec())
        .expect("it is defined")
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let operand = (prop::bool::weighted(0.3), any::<u16>(), -2.0..2.0);
    let draw = (any::<prop::sample::Index>(), any::<u16>(), prop::array::uniform3(operand));
    prop::collection::vec(draw, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(47),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_expressions_agree_round_trip_and_keep_their_bits(draws in draws()) {
        let program = random_expression(&draws);
        let layout = Layout::new([vec![2100]]);
        let ordinary: Vec<f32> = (0..4200).map(|i| libm::sinf(i as f32) * 4.0).collect();
        let (x, y) = (&ordinary[..2100], &ordinary[2100..]);
        let expected = values(&program, &[x, y]);
        let strange = awkward(&layout, 1);
        values(&program, &[&strange, &awkward(&layout, 2)]);
        prop_assert_eq!(&expression(&program.to_string()).to_string(), &program.to_string());
        let canonical = program.canonical();
        prop_assert_eq!(structural_hash(&canonical), structural_hash(&program));
        prop_assert_eq!(bits(&values(&canonical, &[x, y])), bits(&expected));
        let exact = simplify(&program, Rounding::Exact).program;
        prop_assert!(exact.live_length() <= program.live_length());
        prop_assert_eq!(bits(&values(&exact, &[x, y])), bits(&expected), "{}{}", program, exact);
    }

    #[test]
    fn children_are_valid_and_hold_elementwise_ops_alone(seed: u64, draws in draws()) {
        let mut mutation = ExpressionMutation::default();
        mutation.0.ops = OpChoice::Modern;
        let hasher = Expressions::default().hasher().clone();
        let domain = Expressions::new(&mutation, hasher).expect("a named set is filtered");
        let start = random_expression(&draws);
        let (mut program, mut rng) = (start.clone(), Seed(seed).stream("test", 0));
        for _ in 0..30 {
            let child = domain.mutate(&program, &mut rng).0;
            prop_assert!(child.statements().iter().all(|statement| statement.op.is_elementwise()));
            let types = child.types_at(child.statements().len());
            prop_assert!(types.iter().flatten().all(|ty| matches!(ty, Type::Scalar | Type::Tree)));
            let decoded = domain.decode(&domain.encode(&child), &start);
            prop_assert_eq!(decoded.as_ref(), Some(&child));
            let edit = domain.edit(&program, &child);
            prop_assert_eq!(domain.apply(&domain.text(&program), &edit), Some(domain.text(&child)));
            domain.behaviour(&child, &domain.analyse(&child));
            program = child;
        }
    }
}

#[test]
fn a_list_with_an_op_that_is_not_elementwise_is_refused() {
    let mut mutation = ExpressionMutation::default();
    mutation.0.ops = OpChoice::List(vec!["+".into(), "norm".into()]);
    let hasher = Expressions::default().hasher().clone();
    let error = Expressions::new(&mutation, hasher).expect_err("norm is no elementwise op");
    assert_eq!(error.to_string(), "mutation.ops[1]: `norm` does not work point by point");
}

#[test]
fn a_tuner_changes_constants_alone() {
    let domain = Expressions::default();
    let start = formula("x * 2.0 + y");
    let tuner = domain.tuner(&start).expect("it has a constant");
    let (child, _) = tuner.mutate(&start, &mut Seed(1).stream("test", 0));
    let ops = |program: &Program| program.statements().iter().map(|it| it.op).collect::<Vec<_>>();
    assert_eq!(ops(&child), ops(&start));
    assert!(domain.tuner(&formula("x * y")).is_err());
}

#[test]
fn the_structural_hash_joins_equal_dataflows_and_keeps_the_rest_apart() {
    let base = structural_hash(&formula("x * y + sin(x)"));
    let renamed =
        "def f(u, v):\n  dead = cos(v)\n  s = sin(u)\n  p = v * u\n  q = s + p\n  return q\n";
    assert_eq!(base, structural_hash(&expression(renamed)));
    for other in ["x * x + sin(x)", "x * y + sin(y)", "x * y - sin(x)", "x * y + cos(x)"] {
        assert_ne!(base, structural_hash(&formula(other)), "{other}");
    }
    let three = Program::parse_formula(&["x", "y", "z"], "x * y + sin(x)").expect("it parses");
    assert_ne!(base, structural_hash(&three), "the number of inputs counts");
}

#[test]
fn an_expression_and_an_optimizer_never_have_one_hash() {
    let optimizer = Program::parse("def train(w, g, lr):\n  u = w * 2.0\n  return u\n");
    let optimizer = structural_hash(&optimizer.expect("it parses"));
    for inputs in 1..=Signature::MAX_INPUTS {
        let names: Vec<String> = (0..inputs).map(|input| format!("x{input}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let program = Program::parse_formula(&names, "x0 * 2.0").expect("it parses");
        assert_ne!(optimizer, structural_hash(&program));
    }
}

fn hasher(ranges: &[(f64, f64)]) -> FunctionalHasher {
    let probe = Arc::new(ExpressionProbe::new(ranges));
    FunctionalHasher::with_probe(8, probe).expect("8 is between 1 and 23")
}

#[test]
fn algebraic_rewrites_have_one_functional_hash() {
    for ranges in [&[(-1.0, 1.0), (-1.0, 1.0)], &[(0.0, 3.0), (1.0, 5.0)]] {
        let hasher = hasher(ranges);
        for (one, other) in [
            ("x * x + x", "x * (x + 1.0)"),
            ("x ** 2 - y ** 2", "(x - y) * (x + y)"),
            ("cube(x) + square(x) + x", "x * (x * (x + 1.0) + 1.0)"),
            ("x - -2.0 * y", "2.0 * y + x"),
            ("sin(x) * 2.0", "sin(x) + sin(x)"),
        ] {
            let hashes = [one, other].map(|text| hasher.hash(&formula(text)));
            assert!(hashes[0].is_some() && hashes[0] == hashes[1], "{one} and {other}");
        }
    }
}

#[test]
fn different_expressions_have_different_functional_hashes() {
    let texts = [
        "x",
        "abs(x)",
        "y",
        "x * 1.0001",
        "x + 0.0001",
        "max(x, y)",
        "min(x, y)",
        "where(x - y, x, y * 2.0)",
        "sin(x)",
        "x - cube(x) / 6.0",
        "x - cube(x) / 6.0 + x ** 5 / 120.0",
        "x * x",
        "x * y",
        "square(x) + 0.0001 * x",
        "sqrt(x)",
        "exp(x)",
        "0.0 * x",
        "1.0 + 0.0 * x",
        "x / y",
        "max(x, 0.0)",
        "tanh(x)",
        "sign(x)",
        "heaviside(x)",
    ];
    for ranges in [&[(-1.0, 1.0), (-1.0, 1.0)], &[(0.0, 1.0), (0.0, 1.0)]] {
        let hasher = hasher(ranges);
        let hashes: Vec<_> = texts.iter().map(|text| hasher.hash(&formula(text))).collect();
        for (index, hash) in hashes.iter().enumerate() {
            assert!(hash.is_some(), "{}", texts[index]);
            let twin = hashes[..index].iter().position(|other| other == hash);
            assert_eq!(twin.map(|twin| texts[twin]), None, "{}", texts[index]);
        }
    }
}

#[test]
fn what_is_finite_almost_nowhere_is_known_by_its_structure_alone() {
    let hasher = hasher(&[(2.0, 5.0), (2.0, 5.0)]);
    assert_eq!(hasher.hash(&formula("arcsin(x)")), None);
    assert_eq!(hasher.hash(&formula("exp(exp(exp(x)))")), None);
    // A pole at a point is not everywhere.
    assert!(hasher.hash(&formula("reciprocal(x - 2.0)")).is_some());
}

#[test]
fn simplification_takes_expressions() {
    let simplified = simplify(&formula("sqrt(x * x) + y - y * 1.0"), Rounding::Allow);
    assert!(simplified.after < simplified.before, "{}", simplified.program);
    assert_eq!(simplified.program.to_string().lines().next(), Some("def f(x, y):"));
}
