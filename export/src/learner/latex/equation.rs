//! What a statement of a learner computes, as an expression in LaTeX.

use evo_dsl::{LearnerOp, LearnerStatement, Op};

use crate::latex::expression::{Expression, Level, call, fraction, number, of, product};

/// The value of a statement that overwrites all of its target.
pub(super) fn value(statement: &LearnerStatement, args: &[Expression]) -> Expression {
    match args {
        [x] => of_one(statement.op, x),
        [a, b] => of_two(statement.op, a, b),
        _ => set(statement),
    }
}

/// The equation of a statement that sets one place of its target.
pub(super) fn update(statement: &LearnerStatement, symbol: &str) -> String {
    let [a, b, c] = statement.constants;
    let place = |fraction: f64| match fraction {
        fraction if fraction <= 0.0 => "0".to_owned(),
        fraction if fraction >= 1.0 => "n - 1".to_owned(),
        fraction => format!("\\lfloor {} n \\rfloor", number(fraction).text),
    };
    let (places, value) = match statement.op {
        LearnerOp::VectorConstSet => (place(a), b),
        _ => (format!("{}, {}", place(a), place(b)), c),
    };
    format!("({symbol})_{{{places}}} &\\leftarrow {}", number(value).text)
}

fn of_one(op: LearnerOp, x: &Expression) -> Expression {
    use LearnerOp as L;
    let text = x.text.as_str();
    let norm = |of: &str| format!("\\left\\lVert {text} \\right\\rVert{of}");
    let transposed = |x: &Expression| format!("{}^{{\\top}}", x.at_least(Level::Atom));
    Expression::atom(match op {
        L::ScalarAbs | L::VectorAbs | L::MatrixAbs => {
            return of(Op::Abs, std::slice::from_ref(x));
        }
        L::ScalarReciprocal | L::VectorReciprocal | L::MatrixReciprocal => {
            return fraction(&number(1.0), x);
        }
        L::ScalarSin => call("\\sin", &[text]),
        L::ScalarCos => call("\\cos", &[text]),
        L::ScalarTan => call("\\tan", &[text]),
        L::ScalarArcsin => call("\\arcsin", &[text]),
        L::ScalarArccos => call("\\arccos", &[text]),
        L::ScalarArctan => call("\\arctan", &[text]),
        L::ScalarExp => return of(Op::Exp, std::slice::from_ref(x)),
        L::ScalarLog => call("\\ln", &[text]),
        L::ScalarHeavyside => format!("\\mathbf{{1}}\\left[ {text} \\ge 0 \\right]"),
        L::VectorHeavyside | L::MatrixHeavyside => {
            format!("\\mathbf{{1}}\\left[ {text} > 0 \\right]")
        }
        L::ScalarBroadcast => return product(x, &Expression::atom("\\mathbf{1}".to_owned())),
        L::VectorColumnBroadcast => {
            return product(x, &Expression::atom("\\mathbf{1}^{\\top}".to_owned()));
        }
        L::VectorRowBroadcast => {
            let row = Expression::atom(transposed(x));
            return product(&Expression::atom("\\mathbf{1}".to_owned()), &row);
        }
        L::MatrixTranspose => return Expression::new(transposed(x), Level::Power),
        L::VectorNorm => norm(""),
        L::MatrixNorm => norm("_\\mathrm{F}"),
        L::MatrixColumnNorm => norm("_\\mathrm{columns}"),
        L::MatrixRowNorm => norm("_\\mathrm{rows}"),
        L::VectorMean | L::MatrixMean => call("\\operatorname{mean}", &[text]),
        L::MatrixRowMean => call("\\operatorname{mean}_\\mathrm{rows}", &[text]),
        L::MatrixRowStDev => call("\\operatorname{std}_\\mathrm{rows}", &[text]),
        _ => call("\\operatorname{std}", &[text]),
    })
}

fn of_two(op: LearnerOp, a: &Expression, b: &Expression) -> Expression {
    use LearnerOp as L;
    let both = [a.clone(), b.clone()];
    match op {
        L::ScalarSum | L::VectorSum | L::MatrixSum => of(Op::Add, &both),
        L::ScalarDiff | L::VectorDiff | L::MatrixDiff => of(Op::Sub, &both),
        L::ScalarDivision | L::VectorDivision | L::MatrixDivision => fraction(a, b),
        L::ScalarProduct | L::ScalarVectorProduct | L::ScalarMatrixProduct => product(a, b),
        L::VectorInnerProduct => of(Op::Dot, &both),
        L::VectorOuterProduct => grouped("\\otimes", a, b),
        L::MatrixVectorProduct | L::MatrixMatrixProduct => {
            let (a, b) = (a.at_least(Level::Power), b.at_least(Level::Power));
            Expression::new(format!("{a} {b}"), Level::Product)
        }
        L::ScalarMin | L::VectorMin | L::MatrixMin => of(Op::Min, &both),
        L::ScalarMax | L::VectorMax | L::MatrixMax => of(Op::Max, &both),
        _ => grouped("\\odot", a, b),
    }
}

/// A product that stands in parentheses wherever it is a factor of another.
fn grouped(sign: &str, a: &Expression, b: &Expression) -> Expression {
    let (a, b) = (a.at_least(Level::Power), b.at_least(Level::Power));
    Expression::new(format!("{a} {sign} {b}"), Level::Sum)
}

fn set(statement: &LearnerStatement) -> Expression {
    use LearnerOp as L;
    let [a, b, _] = statement.constants;
    match statement.op {
        L::ScalarConstSet => number(a),
        L::ScalarUniformSet | L::VectorUniformSet | L::MatrixUniformSet => {
            Expression::atom(call("\\mathcal{U}", &[&number(a).text, &number(b).text]))
        }
        _ => {
            let square = format!("{}^{{2}}", number(b).at_least(Level::Atom));
            Expression::atom(call("\\mathcal{N}", &[&number(a).text, &square]))
        }
    }
}
