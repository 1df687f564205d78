//! A statement of a learner as statements of Rust.

use evo_dsl::{LearnerFunction, LearnerOp, LearnerStatement, LearnerType};

use super::super::{Address, FEATURES, Memory, arguments, target, updates, word};

/// The lines of a statement.
pub(super) fn lines(
    memory: &Memory,
    function: LearnerFunction,
    statement: &LearnerStatement,
) -> Vec<String> {
    let Some(output) = target(statement) else { return Vec::new() };
    let holder = if function == LearnerFunction::Setup { "memory" } else { "self" };
    let place = |address: Address| match memory.is_field(address) {
        true => format!("{holder}.{}", word(address)),
        false => word(address),
    };
    let own = place(output);
    if updates(statement.op) {
        let [a, b, c] = statement.constants;
        let mut lines = Vec::new();
        if !memory.is_field(output) {
            lines.push(format!("let mut {own} = {own};"));
        }
        lines.push(match statement.op {
            LearnerOp::VectorConstSet => format!("{own}[ops::place({a:?}, N)] = {b:?};"),
            _ => format!("{own}[ops::place({a:?}, N)][ops::place({b:?}, N)] = {c:?};"),
        });
        return lines;
    }
    // Features are handed over by reference.
    let is_reference = |it: Address| it == FEATURES && function != LearnerFunction::Setup;
    let arguments: Vec<Argument> = arguments(statement)
        .map(|it| Argument { place: place(it), is_reference: is_reference(it) })
        .collect();
    let value = value(statement, &arguments);
    vec![match memory.is_field(output) {
        true => format!("{own} = {value};"),
        false => format!("let {own}{} = {value};", annotation(statement.op, output.0)),
    }]
}

/// The type where it does not follow from the value.
fn annotation(op: LearnerOp, ty: LearnerType) -> String {
    let is_literal = matches!(op, LearnerOp::ScalarConstSet | LearnerOp::ScalarHeavyside);
    match ty {
        LearnerType::Scalar if !is_literal => String::new(),
        _ => format!(": {}", super::ty(ty)),
    }
}

struct Argument {
    place: String,
    is_reference: bool,
}

impl Argument {
    fn reference(&self) -> String {
        if self.is_reference { self.place.clone() } else { format!("&{}", self.place) }
    }

    fn value(&self) -> String {
        if self.is_reference { format!("*{}", self.place) } else { self.place.clone() }
    }
}

/// For every element of a vector, and of a matrix.
fn each(ty: LearnerType, element: &str) -> String {
    match ty {
        LearnerType::Scalar => element.to_owned(),
        LearnerType::Vector => format!("std::array::from_fn(|i| {element})"),
        LearnerType::Matrix => {
            format!("std::array::from_fn(|i| std::array::from_fn(|j| {element}))")
        }
    }
}

/// An element of a value.
fn element(ty: LearnerType, place: &str) -> String {
    match ty {
        LearnerType::Scalar => place.to_owned(),
        LearnerType::Vector => format!("{place}[i]"),
        LearnerType::Matrix => format!("{place}[i][j]"),
    }
}

fn value(statement: &LearnerStatement, args: &[Argument]) -> String {
    let (op, info) = (statement.op, statement.op.info());
    let output = info.output.unwrap_or(LearnerType::Scalar);
    let elements: Vec<String> =
        info.inputs.iter().zip(args).map(|(ty, arg)| element(*ty, &arg.place)).collect();
    match (elements.as_slice(), args) {
        ([x], [arg]) => match unary(op, x) {
            Some(element) => each(output, &element),
            None => of_one(op, arg),
        },
        ([a, b], [left, right]) => match binary(op, a, b) {
            Some(element) => each(output, &element),
            None => product(op, left, right),
        },
        _ => set(statement, output),
    }
}

/// Elementwise ops of one argument.
fn unary(op: LearnerOp, x: &str) -> Option<String> {
    use LearnerOp as L;
    Some(match op {
        L::ScalarAbs | L::VectorAbs | L::MatrixAbs => format!("{x}.abs()"),
        L::ScalarReciprocal | L::VectorReciprocal | L::MatrixReciprocal => format!("1.0 / {x}"),
        L::ScalarSin => format!("{x}.sin()"),
        L::ScalarCos => format!("{x}.cos()"),
        L::ScalarTan => format!("{x}.tan()"),
        L::ScalarArcsin => format!("{x}.asin()"),
        L::ScalarArccos => format!("{x}.acos()"),
        L::ScalarArctan => format!("{x}.atan()"),
        L::ScalarExp => format!("{x}.exp()"),
        L::ScalarLog => format!("{x}.ln()"),
        L::ScalarHeavyside => format!("if {x} >= 0.0 {{ 1.0 }} else {{ 0.0 }}"),
        L::VectorHeavyside | L::MatrixHeavyside => {
            format!("if {x} > 0.0 {{ 1.0 }} else {{ 0.0 }}")
        }
        _ => return None,
    })
}

/// Elementwise ops of two arguments, and products with a scalar.
fn binary(op: LearnerOp, a: &str, b: &str) -> Option<String> {
    use LearnerOp as L;
    let either = |test: &str, first: &str, second: &str| {
        format!("if {test} {{ {first} }} else {{ {second} }}")
    };
    Some(match op {
        L::ScalarSum | L::VectorSum | L::MatrixSum => format!("{a} + {b}"),
        L::ScalarDiff | L::VectorDiff | L::MatrixDiff => format!("{a} - {b}"),
        L::ScalarProduct | L::VectorProduct | L::MatrixProduct => format!("{a} * {b}"),
        L::ScalarVectorProduct | L::ScalarMatrixProduct => format!("{a} * {b}"),
        L::ScalarDivision | L::VectorDivision | L::MatrixDivision => format!("{a} / {b}"),
        L::ScalarMin | L::VectorMin => either(&format!("{b} < {a}"), b, a),
        L::ScalarMax | L::VectorMax => either(&format!("{a} < {b}"), b, a),
        L::MatrixMin => either(&format!("{a} < {b}"), a, b),
        L::MatrixMax => either(&format!("{a} > {b}"), a, b),
        _ => return None,
    })
}

/// Reductions, and ops that put the numbers of a value elsewhere.
fn of_one(op: LearnerOp, arg: &Argument) -> String {
    use LearnerOp as L;
    let x = &arg.place;
    let function = match op {
        L::VectorNorm | L::MatrixNorm | L::MatrixRowNorm | L::MatrixColumnNorm => "ops::norm",
        L::VectorMean | L::MatrixMean | L::MatrixRowMean => "ops::mean",
        _ => "ops::deviation",
    };
    match op {
        L::ScalarBroadcast => format!("[{x}; N]"),
        L::VectorColumnBroadcast => format!("std::array::from_fn(|i| [{x}[i]; N])"),
        L::VectorRowBroadcast => format!("[{}; N]", arg.value()),
        L::MatrixTranspose => each(LearnerType::Matrix, &format!("{x}[j][i]")),
        L::MatrixRowNorm | L::MatrixRowMean | L::MatrixRowStDev => {
            each(LearnerType::Vector, &format!("{function}({x}[i].iter().copied())"))
        }
        L::MatrixColumnNorm => {
            each(LearnerType::Vector, &format!("{function}({x}.iter().map(|row| row[i]))"))
        }
        L::VectorNorm | L::VectorMean | L::VectorStDev => {
            format!("{function}({x}.iter().copied())")
        }
        _ => format!("{function}({x}.iter().flatten().copied())"),
    }
}

/// Products that are not elementwise in both.
fn product(op: LearnerOp, a: &Argument, b: &Argument) -> String {
    let (x, y) = (&a.place, &b.place);
    match op {
        LearnerOp::VectorInnerProduct => {
            format!("ops::dot({}, {})", a.reference(), b.reference())
        }
        LearnerOp::VectorOuterProduct => each(LearnerType::Matrix, &format!("{x}[i] * {y}[j]")),
        LearnerOp::MatrixVectorProduct => {
            each(LearnerType::Vector, &format!("ops::dot(&{x}[i], {})", b.reference()))
        }
        _ => {
            let terms = format!("ops::sum((0..N).map(|k| {x}[i][k] * {y}[k][j]))");
            each(LearnerType::Matrix, &terms)
        }
    }
}

/// Ops that read no argument and overwrite all of their target.
fn set(statement: &LearnerStatement, output: LearnerType) -> String {
    use LearnerOp as L;
    let [a, b, _] = statement.constants;
    let number = match statement.op {
        L::ScalarConstSet => return format!("{a:?}"),
        L::ScalarUniformSet | L::VectorUniformSet | L::MatrixUniformSet => {
            format!("ops::between({a:?}, {b:?}, draw)")
        }
        _ => format!("{a:?} + {b:?} * draw.normal()"),
    };
    match output {
        LearnerType::Scalar => number,
        LearnerType::Vector => format!("std::array::from_fn(|_| {number})"),
        LearnerType::Matrix => {
            format!("std::array::from_fn(|_| std::array::from_fn(|_| {number}))")
        }
    }
}
