//! The expression evaluator: what scores the least error, what is invalid, fits, files.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use evo_domain::Evaluator;
use evo_dsl::Program;

use super::*;
use crate::{Equation, EquationInput, ExpressionData, ExpressionTask};

fn config(data: ExpressionData) -> ExpressionConfig {
    ExpressionConfig::new(vec![ExpressionTask::new(data)])
}

fn evaluator(config: &ExpressionConfig) -> ExpressionEvaluator {
    ExpressionEvaluator::new(config, Path::new(".")).unwrap_or_else(|error| panic!("{error}"))
}

fn formula(text: &str, inputs: &[(&str, f64, f64)]) -> ExpressionData {
    ExpressionData::Formula {
        formula: text.to_owned(),
        inputs: inputs.iter().map(|(name, a, b)| EquationInput((*name).into(), *a, *b)).collect(),
        points: NonZeroUsize::new(50).expect("50"),
        test_points: None,
        test_ranges: Vec::new(),
    }
}

fn expression(evaluator: &ExpressionEvaluator, text: &str) -> Program {
    let names: Vec<&str> = evaluator.inputs().iter().map(String::as_str).collect();
    Program::parse_formula(&names, text).unwrap_or_else(|error| panic!("{error}"))
}

fn fitness(evaluator: &ExpressionEvaluator, text: &str) -> f64 {
    evaluator.evaluate(&[Trial::of(&expression(evaluator, text))])[0].fitness()
}

fn most() -> f64 {
    -libm::log(LEAST_ERROR)
}

#[test]
fn points_held_out_are_scored_as_the_others_are_with_constants_fitted_to_those() {
    let mut config = config(formula("2.5 * x + 1.0", &[("x", -1.0, 1.0)]));
    config.fit_constants = 5;
    let evaluator = evaluator(&config);
    let held_out = evaluator.held_out().expect("as many again");
    let of = |text: &str| held_out.evaluate(&[Trial::of(&expression(&evaluator, text))]).remove(0);
    assert_eq!(of("2.5 * x + 1.0").fitness(), most());
    assert!(of("2.0 * x + 2.0").fitness() > 20.0, "its constants are fitted");
    let Outcome::Scored(score) = of("x") else { panic!("it is finite") };
    let loss = evaluator.test_loss(&expression(&evaluator, "x")).expect("held out");
    assert_eq!(score.losses, [loss.expect("finite")]);
    assert!(score.fitness != fitness(&evaluator, "x"), "the points are others");
    assert!(matches!(of("exp(exp(exp(x * 100.0)))"), Outcome::Invalid(_)));
    let none = ExpressionData::Formula {
        formula: "x".to_owned(),
        inputs: vec![EquationInput("x".to_owned(), -1.0, 1.0)],
        points: NonZeroUsize::new(50).expect("50"),
        test_points: Some(0),
        test_ranges: Vec::new(),
    };
    assert!(self::evaluator(&self::config(none)).held_out().is_none());
}

#[test]
fn every_published_equation_scores_the_least_error_with_its_own_formula() {
    for equation in Equation::all() {
        let number = equation.name.strip_prefix("Feynman ");
        let data = match number {
            Some(number) => ExpressionData::Feynman(number.to_owned()),
            None => ExpressionData::Nguyen(equation.name[7..].parse().expect("a number")),
        };
        let evaluator = evaluator(&config(data));
        assert_eq!((evaluator.task(), evaluator.points()), (equation.name, [equation.points; 2]));
        assert_eq!(fitness(&evaluator, equation.formula), most(), "{}", equation.name);
        let program = expression(&evaluator, equation.formula);
        assert!(evaluator.test_loss(&program).expect("held out").expect("finite") < 1e-10);
        assert_eq!(evaluator.start().signature().inputs(), equation.inputs.len());
    }
}

#[test]
fn fitness_is_the_logarithm_of_the_share_of_variance_left() {
    let mut config = config(formula("2 * x", &[("x", -1.0, 1.0)]));
    config.loss = ExpressionLoss::Normalised;
    let evaluator = evaluator(&config);
    // Half the slope leaves a quarter of the variance, the mean being near 0.
    let program = expression(&evaluator, "x");
    let loss = evaluator.train_loss(&program).expect("it is finite");
    assert!((loss - 0.25).abs() < 0.05, "{loss}");
    let outcome = &evaluator.evaluate(&[Trial::of(&program)])[0];
    assert_eq!(outcome.fitness(), -libm::log(loss));
}

#[test]
fn what_is_not_finite_at_one_point_is_invalid() {
    let evaluator = evaluator(&config(formula("x", &[("x", 0.0, 1.0)])));
    for text in ["x + 1e39 * x", "x + 0.0 / (x - x) * 1e39", "arcsin(x + 0.2)", "x + exp(100 * x)"]
    {
        let program = expression(&evaluator, text);
        match &evaluator.evaluate(&[Trial::of(&program)])[0] {
            Outcome::Invalid(invalid) => assert_eq!(invalid.reason, InvalidReason::NonFinite),
            other => panic!("{text}: {other:?}"),
        }
    }
    // Huge errors are finite, and as bad as they are.
    assert!(fitness(&evaluator, "x * 1e38") < -170.0);
    let other = Program::parse_formula(&["x", "y"], "x").expect("it parses");
    assert!(matches!(evaluator.evaluate(&[Trial::of(&other)])[0], Outcome::Failed { .. }));
}

#[test]
fn constants_are_fitted_and_the_program_stays() {
    let mut config = config(formula("1.7 * sin(2.3 * x) - 0.4", &[("x", -2.0, 2.0)]));
    let plain = evaluator(&config);
    config.fit_constants = 20;
    let fitting = evaluator(&config);
    assert_eq!(
        (plain.depends_on(), fitting.depends_on()),
        (DependsOn::Behaviour, DependsOn::Structure)
    );
    let text = "1.0 * sin(2.0 * x) + 0.1";
    assert!(fitness(&plain, text) < 3.0);
    assert_eq!(fitness(&fitting, text), most());
    let program = expression(&fitting, text);
    let found = fitting.fitted(&program);
    assert_eq!(found.live_length(), program.live_length());
    assert_eq!(fitness(&plain, "1.7 * sin(2.3 * x) - 0.4"), most());
    let printed = found.to_string();
    assert!(printed.contains("2.3") || printed.contains("2.29"), "{printed}");
    assert!(printed.starts_with("def f(x):"), "{printed}");
    // What fitting cannot improve, or cannot begin, is scored as it is.
    for text in ["x", "sin(x) * 0.0", "where(x, 1.0, 2.0)", "power(x + 3.0, 2.0) * 1e30"] {
        assert!(fitness(&fitting, text) >= fitness(&plain, text), "{text}");
    }
}

#[test]
fn a_fit_depends_on_the_dataflow_alone() {
    let mut config = config(formula("1.7 * x + 0.3 * square(x)", &[("x", -2.0, 2.0)]));
    config.fit_constants = 2;
    let evaluator = evaluator(&config);
    let one = "def f(x):\n  a = x * 0.5\n  b = cos(a)\n  c = a * b\n  d = c + 0.1\n  return d\n";
    let other = "def f(x):\n  dead = x * 9.0\n  a = 0.5 * x\n  b = x * 0.5\n  b = cos(b)\n  \
                 c = b * a\n  d = 0.1 + c\n  return d\n";
    let [one, other] = [one, other].map(|text| {
        let program = Program::parse_expression(text).expect("it parses");
        evaluator.evaluate(&[Trial::of(&program)])[0].fitness()
    });
    assert_eq!(one.to_bits(), other.to_bits());
}

fn table(text: &str) -> (tempfile::TempDir, ExpressionConfig) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.csv");
    std::fs::write(&path, text).expect("it is written");
    let config = config(ExpressionData::Csv {
        path: PathBuf::from("table.csv"),
        target: "z".into(),
        inputs: Vec::new(),
        test_share: 0.25,
    });
    (folder, config)
}

#[test]
fn a_table_is_fitted_and_a_part_of_it_held_out() {
    let rows = (0..20).map(|i| format!("{i}, {}, {}\n", i * i, 3 * i + i * i));
    let text = format!("a, z, b\n{}", rows.collect::<String>().replace(", ", ","));
    // Columns: a, z = a², b = 3a + a².
    let (folder, mut config) = table(&text);
    let evaluator = ExpressionEvaluator::new(&config, folder.path()).expect("a table");
    assert_eq!((evaluator.inputs(), evaluator.points()), (&["a".into(), "b".into()][..], [15, 5]));
    assert_eq!(fitness(&evaluator, "b - 3 * a"), most());
    let program = expression(&evaluator, "b - 3 * a");
    assert_eq!(evaluator.test_loss(&program), Some(Ok(0.0)));
    if let ExpressionData::Csv { inputs, .. } = &mut config.tasks[0].data {
        *inputs = vec!["b".into()];
    }
    let evaluator = ExpressionEvaluator::new(&config, folder.path()).expect("a table");
    assert_eq!(evaluator.inputs(), ["b"]);
}

#[test]
fn errors_of_a_table_name_file_line_and_column() {
    for (text, expected) in [
        ("x,z\n1,2\n3,four\n", "line 3, column `z`: `four` is no number"),
        ("x,z\n1,2\n,4\n", "line 3, column `x`: `` is no number"),
        ("x,z\n1,2\n1e39,4\n", "line 3, column `x`: `1e39` is no number that float32 can hold"),
        ("x,zz\n1,2\n", "line 1 has no column `z`; there are x, zz"),
        ("x,z\n1,2\n3\n", "line: 3"),
        ("x,z\n1,2\n1,2\n", "the target must differ"),
        ("x,z\n", "two rows of numbers at least, and there are 0"),
        ("z\n1\n2\n", "an expression has 1 to 10 inputs, not 0"),
    ] {
        let (folder, config) = table(text);
        let error = ExpressionEvaluator::new(&config, folder.path()).expect_err(text).to_string();
        assert!(error.contains(expected) && error.starts_with("tasks[0].data."), "{error}");
        assert!(
            error.contains("table.csv")
                || error.contains("target must")
                || error.contains("two rows")
                || error.contains("inputs"),
            "{error}"
        );
    }
    let (_folder, config) = table("");
    let error = ExpressionEvaluator::new(&config, Path::new("/nowhere")).expect_err("no file");
    assert!(error.to_string().starts_with("tasks[0].data.path: /nowhere/table.csv"), "{error}");
}

#[test]
fn configurations_that_make_no_sense_are_refused_at_their_key() {
    let x = &[("x", -1.0, 1.0)];
    for (data, expected) in [
        (ExpressionData::Nguyen(13), "tasks[0].data.Nguyen: no equation is called `Nguyen-13`"),
        (ExpressionData::Feynman("I.12.2".into()), "tasks[0].data.Feynman: no equation"),
        (formula("x +", x), "tasks[0].data.formula: 1:4: expected a variable"),
        (formula("log(x - x)", x), "tasks[0].data.formula: it is not finite at"),
        (
            formula("x", &[("x", 1.0, 0.0)]),
            "tasks[0].data.inputs[0]: 1.0 to 0.0 is no range of float32",
        ),
        (formula("1.0 + 0 * x", x), "tasks[0].data.formula: the target must differ"),
        (formula("def f(x, y):\n  return x\n", x), "tasks[0].data.inputs: the formula has 2"),
    ] {
        let error = ExpressionEvaluator::new(&config(data), Path::new(".")).expect_err(expected);
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    let mut two = config(ExpressionData::Nguyen(1));
    two.tasks.push(ExpressionTask::new(ExpressionData::Nguyen(99)));
    let error = ExpressionEvaluator::new(&two, Path::new(".")).expect_err("one is none");
    assert!(error.to_string().starts_with("tasks[1].data.Nguyen: no equation"), "{error}");
    let tasks = [1, 2].map(|number| ExpressionTask::new(ExpressionData::Nguyen(number)));
    let mut config = ExpressionConfig::new(tasks.to_vec());
    assert_eq!(evaluator(&config).task(), "Nguyen-1");
    config.task = Some("Nguyen-2".into());
    assert_eq!(evaluator(&config).task(), "Nguyen-2");
    config.task = Some("Nguyen2".into());
    let error = ExpressionEvaluator::new(&config, Path::new(".")).expect_err("a slip").to_string();
    assert!(
        error.starts_with("task: there is no task `Nguyen2`; did you mean `Nguyen-"),
        "{error}"
    );
}

#[test]
fn a_configuration_reads_as_it_is_written_in_the_documentation() {
    let text = r#"(
        tasks: [
            (data: Nguyen(1)),
            (data: Feynman("I.12.1")),
            (name: "mine", data: Formula(
                formula: "x ** 2 + sin(y)", inputs: [("x", -1.0, 1.0), ("y", 0.0, 3.0)], points: 50,
                test_ranges: [(-2.0, 2.0), (0.0, 6.0)],
            )),
            (data: Csv(path: "table.csv", target: "z")),
        ],
        task: "mine", loss: Normalised, fit_constants: 3,
    )"#;
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let config: ExpressionConfig = options.from_str(text).expect("it reads");
    let evaluator = evaluator(&config);
    assert_eq!((evaluator.task(), evaluator.points()), ("mine", [50, 50]));
    let names: Vec<String> = config.tasks.iter().map(ExpressionTask::name).collect();
    assert_eq!(names, ["Nguyen-1", "Feynman I.12.1", "mine", "table.csv"]);
}
