//! Facts: what is known of a value before it is computed.
//!
//! Invariant: a fact holds for every input, infinities and NaN included. Constants are folded with
//! the functions the engines use on scalars, so a folded constant has the bits of what it replaces;
//! what is not finite is not folded, since no program can hold it.

use crate::reduce::{clip_factor, cosine};
use crate::{Dataflow, Op, Real, Role, ShapeRule, Signature, Type, Value};

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) ty: Type,
    /// The number it is; only of scalars.
    pub(super) constant: Option<f64>,
    /// Each of its numbers has a clear sign bit or is NaN.
    pub(super) nonnegative: bool,
    /// Each of its numbers is a zero, of either sign.
    pub(super) zero: bool,
}

/// What is known of the state slots before anything is rewritten.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slots {
    /// Never below zero, nor -0.
    pub(super) nonnegative: [bool; Signature::MAX_STATES],
    /// Always a zero, of either sign.
    pub(super) zero: [bool; Signature::MAX_STATES],
}

impl Facts {
    pub(super) fn of_constant(value: f64) -> Facts {
        Facts {
            ty: Type::Scalar,
            constant: Some(value),
            nonnegative: value.is_sign_positive(),
            zero: value == 0.0,
        }
    }

    pub(super) fn of_input(role: Role, slots: &Slots) -> Facts {
        let (nonnegative, zero) = match role {
            Role::State(slot) => (slots.nonnegative[slot], slots.zero[slot]),
            role => (role == Role::Step, false),
        };
        Facts { ty: role.ty(), constant: None, nonnegative, zero }
    }

    /// Equality to the bit.
    pub(super) fn same(&self, other: &Facts) -> bool {
        let bits = |facts: &Facts| facts.constant.map(f64::to_bits);
        (self.ty, self.nonnegative, self.zero) == (other.ty, other.nonnegative, other.zero)
            && bits(self) == bits(other)
    }

    fn is_within(&self, range: std::ops::RangeInclusive<f64>) -> bool {
        self.constant.is_some_and(|constant| range.contains(&constant))
    }
}

/// What is known of the result of an op. Arguments come with a number that is the same only for
/// the same value.
pub(super) fn facts_of<V: Copy + PartialEq>(op: Op, args: &[(V, Facts)]) -> Facts {
    let (mut types, mut numbers) = ([Type::Scalar; 3], [0.0; 3]);
    let mut constants = true;
    for (index, (_, facts)) in args.iter().enumerate() {
        types[index] = facts.ty;
        numbers[index] = facts.constant.unwrap_or_default();
        constants &= facts.constant.is_some();
    }
    let ty = op.result_type(&types[..args.len()]).expect("terms are typed when they are made");
    let folded = constants.then(|| fold(op, &numbers[..args.len()])).flatten();
    match folded.filter(|value| value.is_finite() && ty == Type::Scalar) {
        Some(value) => Facts::of_constant(value),
        None => {
            let facts = args.iter().map(|(_, facts)| *facts);
            let mut known = [Facts::of_constant(1.0); 3];
            known.iter_mut().zip(facts).for_each(|(known, facts)| *known = facts);
            let same = args.len() >= 2 && args[0].0 == args[1].0;
            let nonnegative = is_nonnegative(op, known, same);
            Facts { ty, constant: None, nonnegative, zero: is_zero(op, known) }
        }
    }
}

/// The value of an op on scalars, where it is a scalar that the step number does not change.
pub(super) fn fold(op: Op, args: &[f64]) -> Option<f64> {
    // As the engines sum.
    let dot = |a: f64, b: f64| [a * b].iter().sum::<f64>();
    Some(match (op, args) {
        (Op::BiasCorrect | Op::Outer, _) => return None,
        (op, []) if op.info().rule == ShapeRule::LeafConstant => return None,
        (op, [_]) if op.info().rule == ShapeRule::Matrix => return None,
        (op, []) => return op.constant(),
        (Op::Norm | Op::Rms, [x]) => x.abs(),
        (Op::RmsNormalize, [x]) => {
            let size = x.abs();
            f64::binary(Op::Mul, *x, f64::choose(size, 1.0 / size, 0.0))
        }
        (Op::RowMean | Op::ColumnMean, [x]) => *x,
        (Op::GlobalNorm, [x]) => dot(*x, *x).sqrt(),
        (Op::Dot, [a, b]) => dot(*a, *b),
        (Op::CosineSim, [a, b]) => cosine(dot(*a, *b), dot(*a, *a), dot(*b, *b)),
        (Op::Clip, [x, limit]) => f64::binary(Op::Mul, *x, clip_factor(dot(*x, *x), *limit)),
        (Op::Interp, [x, y, a]) => f64::interp(*x, *y, *a),
        (Op::Where, [c, a, b]) => f64::choose(*c, *a, *b),
        (Op::Clamp, [x, low, high]) => f64::binary(Op::Min, f64::binary(Op::Max, *x, *low), *high),
        (op, [x]) => f64::unary(op, *x),
        (op, [a, b]) => f64::binary(op, *a, *b),
        _ => return None,
    })
}

fn is_nonnegative(op: Op, [a, b, c]: [Facts; 3], same: bool) -> bool {
    let both = a.nonnegative && b.nonnegative;
    match op {
        Op::Abs | Op::Square | Op::Sqrt | Op::Norm | Op::GlobalNorm | Op::Heaviside => true,
        Op::Cosh | Op::Exp | Op::Exp2 | Op::Exp10 | Op::Arccos | Op::Arccosh => true,
        Op::Rows | Op::Columns | Op::Rms => true,
        Op::IsHidden | Op::IsEmbedding | Op::IsOutput | Op::IsVector => true,
        Op::Mul | Op::Dot if same => true,
        Op::Add | Op::Mul | Op::Div | Op::Min | Op::Dot | Op::Outer => both,
        Op::Max => a.nonnegative || b.nonnegative,
        Op::Cube | Op::Cbrt | Op::Reciprocal | Op::Sign | Op::Power => a.nonnegative,
        Op::Sinh | Op::Tanh | Op::Arctan | Op::Arcsinh | Op::Expm1 | Op::Log1p => a.nonnegative,
        Op::RowMean | Op::ColumnMean | Op::RmsNormalize => a.nonnegative,
        Op::Interp => both && c.is_within(0.0..=1.0),
        Op::Clip => both,
        Op::BiasCorrect => both && b.is_within(0.0..=0.999_999),
        Op::Where => b.nonnegative && c.nonnegative,
        Op::Clamp => (a.nonnegative || b.nonnegative) && c.nonnegative,
        _ => false,
    }
}

fn is_zero(op: Op, [a, b, c]: [Facts; 3]) -> bool {
    let finite = |facts: Facts| facts.zero || facts.constant.is_some();
    match op {
        Op::Add | Op::Sub | Op::Max | Op::Min => a.zero && b.zero,
        Op::Mul | Op::Outer => (a.zero && finite(b)) || (b.zero && finite(a)),
        Op::Div => a.zero && b.constant.is_some_and(|b| b.abs() > 1e-7),
        Op::Abs | Op::Negative | Op::Sin | Op::Tan | Op::Arcsin | Op::Arctan => a.zero,
        Op::Sinh | Op::Tanh | Op::Arcsinh | Op::Arctanh | Op::Expm1 | Op::Log1p => a.zero,
        Op::Square | Op::Sqrt | Op::Cube | Op::Cbrt | Op::Sign | Op::Heaviside => a.zero,
        Op::Norm | Op::GlobalNorm | Op::RowMean | Op::ColumnMean => a.zero,
        Op::Orthogonalize | Op::PolarExpress | Op::PolarFactor => a.zero,
        Op::Rms | Op::RmsNormalize => a.zero,
        Op::Clip => a.zero,
        Op::BiasCorrect => a.zero && b.is_within(0.0..=0.999_999),
        Op::Interp => a.zero && b.zero && c.constant.is_some(),
        Op::Where => b.zero && c.zero,
        Op::Clamp => a.zero && b.zero && c.zero,
        _ => false,
    }
}

/// What is known of the state slots of a graph.
///
/// Slots start at zero, so what follows for the next value from its holding of all slots of a set
/// holds at every step: the largest such set is found by leaving out slots until nothing changes.
pub(super) fn slots_of(flow: &Dataflow) -> Slots {
    let mut slots = Slots::default();
    let live = flow.outputs().iter().skip(1).map(Option::is_some);
    for (slot, live) in live.enumerate() {
        (slots.nonnegative[slot], slots.zero[slot]) = (live, live);
    }
    loop {
        let mut facts: Vec<Facts> = Vec::with_capacity(flow.nodes().len());
        let of = |value: Value, facts: &[Facts]| match value {
            Value::Input(role) => Facts::of_input(role, &slots),
            Value::Node(node) => facts[node],
            Value::Constant(constant) => Facts::of_constant(constant),
        };
        for node in flow.nodes() {
            let mut args = [(Value::Constant(0.0), Facts::of_constant(0.0)); 3];
            for (arg, value) in args.iter_mut().zip(node.args()) {
                *arg = (*value, of(*value, &facts));
            }
            facts.push(facts_of(node.op, &args[..node.args().len()]));
        }
        let mut next = Slots::default();
        for (slot, output) in flow.outputs().iter().skip(1).enumerate() {
            let facts = output.map(|value| of(value, &facts));
            let holds = |fact: fn(&Facts) -> bool| facts.as_ref().is_some_and(fact);
            next.nonnegative[slot] = slots.nonnegative[slot] && holds(|facts| facts.nonnegative);
            next.zero[slot] = slots.zero[slot] && holds(|facts| facts.zero);
        }
        if (next.nonnegative, next.zero) == (slots.nonnegative, slots.zero) {
            return slots;
        }
        slots = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Program;

    #[test]
    fn slots_keep_what_their_next_values_keep() {
        let body = "  a = square(g)\n  v = interp(a, v, 0.99)\n  s = s * 0.5\n  x = g + u\n  u = x\n  y = m + v\n  y = y + s\n  y = y + u\n  m = m - v\n  return y, m, v, s, u\n";
        let text = format!("def train(w, g, m, v, s, u, lr):\n{body}");
        let flow = Dataflow::of(&Program::parse(&text).expect("the test's text parses"));
        let slots = slots_of(&flow);
        assert_eq!(slots.nonnegative, [false, true, true, false]);
        assert_eq!(slots.zero, [false, false, true, false]);
    }

    #[test]
    fn what_is_not_finite_and_what_the_step_changes_is_not_folded() {
        let constants = |values: &[f64]| -> Vec<(usize, Facts)> {
            values.iter().map(|value| Facts::of_constant(*value)).enumerate().collect()
        };
        assert_eq!(facts_of(Op::Add, &constants(&[0.1, 0.2])).constant, Some(0.1 + 0.2));
        assert_eq!(facts_of(Op::Reciprocal, &constants(&[0.0])).constant, None);
        assert_eq!(facts_of(Op::BiasCorrect, &constants(&[1.0, 0.9])).constant, None);
        assert_eq!(facts_of(Op::Outer, &constants(&[1.0, 0.9])).constant, None);
    }
}
