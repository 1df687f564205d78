//! Values of a learner, numbered: equal numbers are equal bits.
//!
//! Invariant: two values have one number only if they are equal to the bit for any number of
//! features, NaN being equal to NaN. The identities are those that IEEE arithmetic keeps: `x - 0`
//! is `x`, `x + 0` only where `x` is never -0, and nothing is known of `x * 0` or `x - x`.

use std::collections::BTreeMap;

use crate::learner::{Draw, LearnerFunction, LearnerOp, LearnerStatement, LearnerType};

/// The number of a value.
pub(super) type Id = u32;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    /// One number everywhere, by its bits.
    Fill(LearnerType, u64),
    Features,
    Label,
    /// What the task has left where the prediction was.
    Prediction,
    /// What a class of addresses holds before an example.
    Carried(usize),
    /// The result of a random op, by its place among those of its function.
    Drawn(LearnerFunction, usize),
    /// The result of an op; of one that sets a place, what it left of the rest is the argument.
    Op(LearnerOp, Vec<Id>, Vec<u64>),
}

/// What is known of every number in a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Never -0.
    pub(super) no_negative_zero: bool,
    /// The sign bit is clear, or it is NaN.
    pub(super) no_sign: bool,
}

/// The values that are known.
#[derive(Default)]
pub(super) struct Values {
    numbers: BTreeMap<Term, Id>,
    terms: Vec<(Term, Facts)>,
}

const POSITIVE_ZERO: u64 = 0;
const NEGATIVE_ZERO: u64 = 1 << 63;

/// Of ops that draw nothing.
struct Nothing;

impl Draw for Nothing {
    fn uniform(&mut self) -> f64 {
        unreachable!("only ops that draw nothing are folded")
    }

    fn normal(&mut self) -> f64 {
        unreachable!("only ops that draw nothing are folded")
    }
}

impl Values {
    pub(super) fn facts(&self, id: Id) -> Facts {
        self.terms[id as usize].1
    }

    fn term(&self, id: Id) -> &Term {
        &self.terms[id as usize].0
    }

    /// The number that a value is everywhere, where it is one.
    pub(super) fn fill_of(&self, id: Id) -> Option<f64> {
        self.bits(id).map(f64::from_bits)
    }

    pub(super) fn bits(&self, id: Id) -> Option<u64> {
        match self.term(id) {
            Term::Fill(_, bits) => Some(*bits),
            _ => None,
        }
    }

    pub(super) fn insert(&mut self, term: Term, facts: Facts) -> Id {
        if let Some(id) = self.numbers.get(&term) {
            return *id;
        }
        let id = self.terms.len() as Id;
        self.numbers.insert(term.clone(), id);
        self.terms.push((term, facts));
        id
    }

    pub(super) fn fill(&mut self, ty: LearnerType, number: f64) -> Id {
        let number = if number.is_nan() { f64::NAN } else { number };
        let no_sign = number.is_nan() || number.is_sign_positive();
        let no_negative_zero = number.to_bits() != NEGATIVE_ZERO;
        self.insert(Term::Fill(ty, number.to_bits()), Facts { no_negative_zero, no_sign })
    }

    /// The value of a statement without random numbers, `args` being those of its arguments and
    /// `before` what stands where it writes.
    pub(super) fn of(&mut self, statement: &LearnerStatement, args: &[Id], before: Id) -> Id {
        let (op, shape) = (statement.op, statement.op.shape());
        if shape.updates {
            return self.updated(statement, before);
        }
        let output = shape.output.expect("the callers leave out what writes nothing");
        if shape.constants > 0 {
            // Set to a number; of a range without a length the low end.
            return self.fill(output, statement.constants[0]);
        }
        if let Some(number) = self.folded(op, args) {
            return self.fill(output, number);
        }
        if let Some(same) = self.identity(op, args) {
            return same;
        }
        let mut args = args.to_vec();
        if shape.commutes {
            args.sort_unstable();
        }
        let facts = self.facts_of(op, &args);
        self.insert(Term::Op(op, args, Vec::new()), facts)
    }

    /// A value one place of which is set. Places in it that are the same for every number of
    /// features are known by the same bits.
    fn updated(&mut self, statement: &LearnerStatement, before: Id) -> Id {
        let (op, count) = (statement.op, usize::from(statement.op.shape().constants));
        let value = statement.constants[count - 1];
        if self.bits(before) == Some(value.to_bits()) {
            return before;
        }
        let places = &statement.constants[..count - 1];
        let place = |fraction: &f64| (*fraction as f32).clamp(0.0, 1.0).abs().to_bits().into();
        let places: Vec<u64> = places.iter().map(place).collect();
        let before = match self.term(before) {
            Term::Op(other, args, constants) if *other == op && constants.starts_with(&places) => {
                args[0]
            }
            _ => before,
        };
        let constants = [places, vec![value.to_bits()]].concat();
        let (of_rest, is_negative) = (self.facts(before), value.is_sign_negative());
        let facts = Facts {
            no_negative_zero: of_rest.no_negative_zero && value.to_bits() != NEGATIVE_ZERO,
            no_sign: of_rest.no_sign && !is_negative,
        };
        self.insert(Term::Op(op, vec![before], constants), facts)
    }

    /// The result where all arguments are one number everywhere. A sum over places is known where
    /// those are zeros, and depends on how many there are elsewhere.
    fn folded(&self, op: LearnerOp, args: &[Id]) -> Option<f64> {
        let numbers: Vec<f64> = args.iter().map(|id| self.fill_of(*id)).collect::<Option<_>>()?;
        if sums(op) && numbers.iter().any(|number| number.to_bits() != POSITIVE_ZERO) {
            return None;
        }
        // With one feature every value is one number.
        let inputs: Vec<&[f64]> = numbers.iter().map(std::slice::from_ref).collect();
        let mut out = [0.0];
        op.apply(1, &inputs, &[], &mut Nothing, &mut out);
        Some(out[0])
    }

    /// The argument that the result is, where it is one.
    fn identity(&mut self, op: LearnerOp, args: &[Id]) -> Option<Id> {
        use LearnerOp as L;
        let is = |id: Id, number: f64| self.bits(id) == Some(number.to_bits());
        let adds_nothing =
            |x: Id, zero: Id| is(zero, -0.0) || is(zero, 0.0) && self.facts(x).no_negative_zero;
        match (op, args) {
            (L::ScalarSum | L::VectorSum | L::MatrixSum, &[a, b]) => match () {
                () if adds_nothing(a, b) => Some(a),
                () if adds_nothing(b, a) => Some(b),
                () => None,
            },
            (L::ScalarDiff | L::VectorDiff | L::MatrixDiff, &[a, b]) => {
                let subtracts_nothing = is(b, 0.0) || is(b, -0.0) && self.facts(a).no_negative_zero;
                subtracts_nothing.then_some(a)
            }
            (L::ScalarProduct | L::VectorProduct | L::MatrixProduct, &[a, b]) => match () {
                () if is(b, 1.0) => Some(a),
                () if is(a, 1.0) => Some(b),
                () => None,
            },
            (L::ScalarVectorProduct | L::ScalarMatrixProduct, &[a, b]) => is(a, 1.0).then_some(b),
            (L::ScalarDivision | L::VectorDivision | L::MatrixDivision, &[a, b]) => {
                is(b, 1.0).then_some(a)
            }
            (L::ScalarMin | L::VectorMin | L::MatrixMin, &[a, b])
            | (L::ScalarMax | L::VectorMax | L::MatrixMax, &[a, b]) => (a == b).then_some(a),
            (L::ScalarAbs | L::VectorAbs | L::MatrixAbs, &[x]) => {
                self.facts(x).no_sign.then_some(x)
            }
            // 0 and 1 are left as they are; where a scalar is 0 its step is 1.
            (L::VectorHeavyside | L::MatrixHeavyside, &[x]) => {
                matches!(self.term(x), Term::Op(inner, ..) if *inner == op).then_some(x)
            }
            (L::ScalarHeavyside, &[x]) => {
                let of_step = matches!(self.term(x), Term::Op(L::ScalarHeavyside, ..));
                of_step.then(|| self.fill(LearnerType::Scalar, 1.0))
            }
            (L::MatrixTranspose, &[x]) => match self.term(x) {
                Term::Op(L::MatrixTranspose, inner, _) => Some(inner[0]),
                _ => None,
            },
            _ => None,
        }
    }

    /// What is known of a result by its op and arguments.
    fn facts_of(&self, op: LearnerOp, args: &[Id]) -> Facts {
        use LearnerOp as L;
        let all = |fact: fn(Facts) -> bool| args.iter().all(|id| fact(self.facts(*id)));
        let (no_sign, no_zero) = (all(|it| it.no_sign), all(|it| it.no_negative_zero));
        let is_square = args.len() == 2 && args[0] == args[1];
        let result_has_no_sign = match op {
            L::ScalarAbs | L::VectorAbs | L::MatrixAbs | L::ScalarExp => true,
            L::ScalarHeavyside | L::VectorHeavyside | L::MatrixHeavyside => true,
            L::VectorNorm | L::MatrixNorm | L::MatrixColumnNorm | L::MatrixRowNorm => true,
            L::VectorStDev | L::MatrixStDev | L::MatrixRowStDev => true,
            L::ScalarProduct | L::VectorProduct | L::MatrixProduct | L::VectorInnerProduct => {
                no_sign || is_square
            }
            L::ScalarSum | L::VectorSum | L::MatrixSum => no_sign,
            L::ScalarDivision | L::VectorDivision | L::MatrixDivision => no_sign,
            L::ScalarReciprocal | L::VectorReciprocal | L::MatrixReciprocal => no_sign,
            L::ScalarMin | L::VectorMin | L::MatrixMin => no_sign,
            L::ScalarMax | L::VectorMax | L::MatrixMax => no_sign,
            L::ScalarVectorProduct | L::ScalarMatrixProduct | L::VectorOuterProduct => no_sign,
            L::MatrixVectorProduct | L::MatrixMatrixProduct => no_sign,
            L::VectorMean | L::MatrixMean | L::MatrixRowMean => no_sign,
            L::ScalarBroadcast | L::VectorColumnBroadcast | L::VectorRowBroadcast => no_sign,
            L::MatrixTranspose => no_sign,
            _ => false,
        };
        let has_no_zero = match op {
            // A sum is -0 where both are; a difference where -0 loses 0.
            L::ScalarSum | L::VectorSum | L::MatrixSum => {
                args.iter().any(|id| self.facts(*id).no_negative_zero)
            }
            L::ScalarDiff | L::VectorDiff | L::MatrixDiff => self.facts(args[0]).no_negative_zero,
            L::ScalarMin | L::VectorMin | L::MatrixMin => no_zero,
            L::ScalarMax | L::VectorMax | L::MatrixMax => no_zero,
            L::ScalarBroadcast | L::VectorColumnBroadcast | L::VectorRowBroadcast => no_zero,
            L::MatrixTranspose => no_zero,
            _ => false,
        };
        Facts { no_negative_zero: has_no_zero || result_has_no_sign, no_sign: result_has_no_sign }
    }
}

/// Whether an op adds up over places.
fn sums(op: LearnerOp) -> bool {
    use LearnerOp as L;
    let info = op.info();
    let reduces = matches!(info.inputs, [one] if info.output < Some(*one));
    let products = [L::VectorInnerProduct, L::MatrixVectorProduct, L::MatrixMatrixProduct];
    reduces || products.contains(&op)
}
