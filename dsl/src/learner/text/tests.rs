use super::*;

/// Every op once, as the released program prints it.
const RELEASED: &str = "def Setup():
  NoOp()
  s2 = 0.1
  s3 = -1e-05
  v1[0.25] = 1.5
  m1[0.25, 0.75] = -0.5
  s2 = gaussian(0.1, 0.2)
  v2 = gaussian(0, 0.1, n_features)
  m0 = gaussian(-0.5, 0.1, (n_features, n_features))
  s2 = uniform(-1, 1)
  v2 = uniform(0.1, 0.2, n_features)
  m0 = uniform(0.1, 0.2, (n_features, n_features))
def Predict():
  s1 = s2 + s3
  s1 = s2 - s3
  s1 = s2 * s3
  s1 = s2 / s3
  s1 = abs(s2)
  s1 = 1 / s2
  s1 = sin(s2)
  s1 = cos(s2)
  s1 = tan(s2)
  s1 = arcsin(s2)
  s1 = arccos(s2)
  s1 = arctan(s2)
  s1 = exp(s2)
  s1 = log(s2)
  s1 = heaviside(s2, 1.0)
  v1 = heaviside(v2, 1.0)
  m1 = heaviside(m2, 1.0)
  v1 = s2 * v2
  v1 = bcast(s2)
  v1 = 1 / v2
  s1 = norm(v2)
  v1 = abs(v2)
  v1 = v2 + v3
  v1 = v2 - v3
  v1 = v2 * v3
  v1 = v2 / v3
  s1 = dot(v2, v3)
  m1 = outer(v2, v3)
def Learn():
  m1 = s2 * m2
  m1 = 1 / m2
  v1 = dot(m2, v3)
  m1 = bcast(v2, axis=0)
  m1 = bcast(v2, axis=1)
  s1 = norm(m2)
  v1 = norm(m2, axis=0)
  v1 = norm(m2, axis=1)
  m1 = transpose(m2)
  m1 = abs(m2)
  m1 = m2 + m3
  m1 = m2 - m3
  m1 = m2 * m3
  m1 = m2 / m3
  m1 = matmul(m2, m3)
  s1 = minimum(s2, s3)
  v1 = minimum(v2, v3)
  m1 = minimum(m2, m3)
  s1 = maximum(s2, s3)
  v1 = maximum(v2, v3)
  m1 = maximum(m2, m3)
  s1 = mean(v2)
  s1 = mean(m2)
  v1 = mean(m2, axis=1)
  v1 = std(m2, axis=1)
  s1 = std(v2)
  s1 = std(m2)
";

#[test]
fn what_the_released_program_prints_is_read_with_every_op() {
    let learner = LearnerProgram::parse(RELEASED).expect("it is printed like this");
    let mut seen: Vec<LearnerOp> = learner.statements().iter().map(|it| it.op).collect();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.into_iter().eq(LearnerOp::all()));
    let printed = learner.to_string();
    let again = LearnerProgram::parse(&printed).expect("printed text is read");
    assert_eq!((again.to_string(), again), (printed.clone(), learner));
    // Numbers alone may be written otherwise.
    let differ = printed.lines().zip(RELEASED.lines()).filter(|(a, b)| a != b).count();
    assert_eq!((differ, printed.lines().count()), (3, RELEASED.lines().count()));
}

#[test]
fn space_comments_and_missing_functions_make_no_difference() {
    let text = "# A comment.\n\ndef Predict( ) :  # here\n\ts1=1.0/s2 # there\r\n  v1 [ .5 ]=+2\n";
    let learner = LearnerProgram::parse(text).expect("it is one");
    assert_eq!(
        learner.to_string(),
        "def Setup():\ndef Predict():\n  s1 = 1 / s2\n  v1[0.5] = 2.0\ndef Learn():\n"
    );
    assert!(LearnerProgram::is_meant_by(text));
    assert!(LearnerProgram::is_meant_by("def setup():\n"));
    assert!(!LearnerProgram::is_meant_by("def train(w, g, lr):\n  return w\n"));
}

#[test]
fn what_some_editors_write_at_the_start_of_a_file_is_no_part_of_a_learner() {
    let text = "def Setup():\n  s2 = 0.5\ndef Predict():\ndef Learn():\n";
    let marked = format!("\u{feff}{text}");
    assert!(LearnerProgram::is_meant_by(&marked));
    assert_eq!(LearnerProgram::parse(&marked).map(|it| it.to_string()), Ok(text.to_owned()));
}

#[test]
fn errors_name_line_and_column() {
    let cases = [
        ("", "1:1: there is no function; a learner starts with `def Setup():`"),
        ("s1 = 1", "1:1: a learner starts with `def Setup():`"),
        ("def Learn():\ndef Setup():", "2:1: the order is Setup, Predict, Learn, each once"),
        ("def Train():", "1:5: a learner has the functions Setup, Predict and Learn"),
        ("def Setup()", "1:12: `:` is expected"),
        ("def Setup():\n  s0 = 1", "2:3: `s0` holds the label, which no statement may write"),
        (
            "def Setup():\n  v0 = v1 + v1",
            "2:3: `v0` holds the features, which no statement may write",
        ),
        ("def Setup():\n  s64 = 1", "2:3: addresses must be below 64"),
        ("def Setup():\n  s2 = s999 + s1", "2:8: addresses must be below 64"),
        ("def Setup():\n  s2 = v1 + v1", "2:8: no op makes a scalar of (vector, vector) like this"),
        (
            "def Setup():\n  s2 = s1",
            "2:10: one of `+`, `-`, `*` and `/` and an argument are missing",
        ),
        ("def Setup():\n  s2 = sine(s1)", "2:8: there is no function `sine`; did you mean `sin`?"),
        (
            "def Setup():\n  s2 = norm(v1, axis=1)",
            "2:8: no op makes a scalar of (vector) like this",
        ),
        ("def Setup():\n  s2 = sin(s1, 1)", "2:8: `sin` cannot have `, 1.0`"),
        ("def Setup():\n  s2 = inf", "2:8: constants must be finite"),
        ("def Setup():\n  s2 = NaN", "2:8: constants must be finite"),
        ("def Setup():\n  s2 = nano(s1)", "2:8: there is no function `nano`"),
        ("def Setup():\n  s2 = heaviside(s3)", "2:8: `heaviside` lacks `, 1.0` at its end"),
        ("def Setup():\n  m1 = bcast(v2, 1)", "2:8: `bcast` cannot have `, 1.0`"),
        (
            "def setup():",
            "1:5: a learner has the functions Setup, Predict and Learn; did you mean `Setup`?",
        ),
        ("def Setup():\n  s2 = -inf", "2:8: constants must be finite"),
        (
            "def Setup():\n  s2[0.5] = 1.0",
            "2:5: no op makes a scalar of (constant, constant) like this",
        ),
        ("def Setup():\n  v2[0.5] = s1", "2:13: a number is expected"),
        ("\u{feff}def Train():", "1:5: a learner has the functions Setup, Predict and Learn"),
        ("def Setup():\n  s2 = 1 2", "2:10: the line should end here"),
        ("def Setup():\n  s2 = ", "2:7: a value is missing"),
        ("def Setup():\n  x = 1", "2:3: an address is expected, as `s1`, `v0` or `m3`"),
    ];
    for (text, expected) in cases {
        let error = LearnerProgram::parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text:?}");
    }
}

#[test]
fn hostile_texts_are_refused_in_bounded_time() {
    let long = |unit: &str| format!("def Setup():\n  s2 = {}", unit.repeat(300_000 / unit.len()));
    for unit in ["(", "s1 + ", "sin(", "1", "e-", "uniform(1, ", "1, ", "é", "[0.1"] {
        assert!(LearnerProgram::parse(&long(unit)).is_err(), "{unit}");
    }
    let calls = format!("def Setup():\n  s2 = sin(s1{})", ", s1".repeat(200_000));
    assert!(LearnerProgram::parse(&calls).is_err());
    let many = format!("def Setup():\n{}", "  NoOp()\n".repeat(100_000));
    let error = LearnerProgram::parse(&many).expect_err("it is too long");
    assert_eq!(error.to_string(), "1002:3: a function has at most 1000 statements");
    assert!(LearnerProgram::parse(&" ".repeat(LONGEST + 1)).is_err());
}
