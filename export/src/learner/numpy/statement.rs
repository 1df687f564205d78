//! A statement of a learner as a statement of Python.

use evo_dsl::{LearnerOp, LearnerStatement, LearnerType};

use super::super::{Address, Memory, arguments, target, word};

/// The line of a statement; `None` for one that does nothing.
pub(super) fn line(memory: &Memory, statement: &LearnerStatement) -> Option<String> {
    let place = |address: Address| match memory.is_field(address) {
        true => format!("self.{}", word(address)),
        false => word(address),
    };
    let own = place(target(statement)?);
    let [a, b, c] = statement.constants;
    Some(match statement.op {
        LearnerOp::VectorConstSet => format!("{own}[_place({a:?}, n)] = {b:?}"),
        LearnerOp::MatrixConstSet => format!("{own}[_place({a:?}, n), _place({b:?}, n)] = {c:?}"),
        op => {
            let args: Vec<String> = arguments(statement).map(place).collect();
            let value = match args.as_slice() {
                [x] => of_one(op, x),
                [a, b] => of_two(op, a, b),
                _ => set(statement),
            };
            format!("{own} = {value}")
        }
    })
}

fn of_one(op: LearnerOp, x: &str) -> String {
    use LearnerOp as L;
    match op {
        L::ScalarReciprocal | L::VectorReciprocal | L::MatrixReciprocal => format!("1.0 / {x}"),
        L::ScalarHeavyside => format!("np.float64({x} >= 0.0)"),
        L::VectorHeavyside | L::MatrixHeavyside => format!("np.where({x} > 0.0, 1.0, 0.0)"),
        L::ScalarBroadcast => format!("np.full(n, {x})"),
        L::VectorColumnBroadcast => format!("np.repeat({x}[:, None], n, axis=1)"),
        L::VectorRowBroadcast => format!("np.tile({x}, (n, 1))"),
        L::MatrixTranspose => format!("{x}.T.copy()"),
        L::VectorNorm | L::MatrixRowNorm => format!("np.sqrt(_sum({x} * {x}))"),
        L::MatrixNorm => format!("np.sqrt(_sum(({x} * {x}).ravel()))"),
        L::MatrixColumnNorm => format!("np.sqrt(_sum(({x} * {x}).T))"),
        L::VectorMean | L::MatrixRowMean => format!("_sum({x}) / n"),
        L::MatrixMean => format!("_sum({x}.ravel()) / (n * n)"),
        L::VectorStDev | L::MatrixRowStDev => format!("_std({x})"),
        L::MatrixStDev => format!("_std({x}.ravel())"),
        L::ScalarSin => format!("np.sin({x})"),
        L::ScalarCos => format!("np.cos({x})"),
        L::ScalarTan => format!("np.tan({x})"),
        L::ScalarArcsin => format!("np.arcsin({x})"),
        L::ScalarArccos => format!("np.arccos({x})"),
        L::ScalarArctan => format!("np.arctan({x})"),
        L::ScalarExp => format!("np.exp({x})"),
        L::ScalarLog => format!("np.log({x})"),
        _ => format!("np.abs({x})"),
    }
}

fn of_two(op: LearnerOp, a: &str, b: &str) -> String {
    use LearnerOp as L;
    match op {
        L::ScalarSum | L::VectorSum | L::MatrixSum => format!("{a} + {b}"),
        L::ScalarDiff | L::VectorDiff | L::MatrixDiff => format!("{a} - {b}"),
        L::ScalarDivision | L::VectorDivision | L::MatrixDivision => format!("{a} / {b}"),
        L::VectorInnerProduct | L::MatrixVectorProduct => format!("_sum({a} * {b})"),
        L::VectorOuterProduct => format!("np.outer({a}, {b})"),
        L::MatrixMatrixProduct => format!("_sum({a}[:, None, :] * {b}.T[None, :, :])"),
        // A comparison with NaN is false, which decides what is taken.
        L::ScalarMin => format!("{b} if {b} < {a} else {a}"),
        L::ScalarMax => format!("{b} if {a} < {b} else {a}"),
        L::VectorMin => format!("np.where({b} < {a}, {b}, {a})"),
        L::VectorMax => format!("np.where({a} < {b}, {b}, {a})"),
        L::MatrixMin => format!("np.where({a} < {b}, {a}, {b})"),
        L::MatrixMax => format!("np.where({a} > {b}, {a}, {b})"),
        _ => format!("{a} * {b}"),
    }
}

fn set(statement: &LearnerStatement) -> String {
    use LearnerOp as L;
    let [a, b, _] = statement.constants;
    let (shape, behind) = match statement.op.info().output {
        Some(LearnerType::Vector) => ("n", ", n"),
        Some(LearnerType::Matrix) => ("(n, n)", ", (n, n)"),
        _ => ("", ""),
    };
    match statement.op {
        L::ScalarConstSet => format!("np.float64({a:?})"),
        L::ScalarUniformSet | L::VectorUniformSet | L::MatrixUniformSet => {
            format!("_between({a:?}, {b:?}, self.rng{behind})")
        }
        L::ScalarGaussianSet => format!("np.float64({a:?} + {b:?} * self.rng.standard_normal())"),
        _ => format!("{a:?} + {b:?} * self.rng.standard_normal({shape})"),
    }
}
