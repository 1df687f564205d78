//! Quotients: the division that a program ends with, done as the weights are moved.
//!
//! Invariant: what is taken along is the end of the body and no more than that, so its operations
//! stay in their order for each element; and none of it reads what another part of it writes but
//! the blended states that are divided.

use super::plan::{Arg, Blend, Blends, Elements, Instruction, Modifier, Quotient, Source};
use crate::Op;

/// The division that a body ends with, if it is the update's own.
pub(super) fn of(body: &[Instruction], update: Arg, states: &[(usize, Arg)]) -> Option<Quotient> {
    let (&Instruction::Binary { op: Op::Div, out, a, b }, before) = body.split_last()? else {
        return None;
    };
    let (Arg::Elements(a), Arg::Elements(b)) = (a, b) else { return None };
    let result = Elements { source: Source::Register(out), modifier: Modifier::Plain };
    let is_result = |arg: &Arg| matches!(arg, Arg::Elements(it) if it.source == result.source);
    let alone = !states.iter().any(|(_, arg)| is_result(arg));
    // The weights cannot be read while they are moved.
    let is_weight = |operand: Elements| operand.source == Source::Weight;
    if update != Arg::Elements(result) || !alone || is_weight(a) || is_weight(b) {
        return None;
    }
    Some(Quotient { a, b, blends: blends(before, a, b) })
}

/// The states that are blended right before they are divided, in the forms there are kernels for.
fn blends(before: &[Instruction], a: Elements, b: Elements) -> Blends {
    let divided = matches!(a.modifier, Modifier::Plain | Modifier::Scale(_));
    let root = matches!(b.modifier, Modifier::Root | Modifier::RootOfScaled(_));
    if !divided || !root || a.source == b.source {
        return Blends::Neither;
    }
    let mut end = before.iter().rev().map_while(blend);
    let end = [end.next(), end.next()];
    let find = |operand: Elements| {
        end.into_iter().flatten().find(|blend| Source::State(blend.state) == operand.source)
    };
    let apart = |blend: Blend| blend.x.source != a.source && blend.x.source != b.source;
    match (find(a), find(b)) {
        (Some(above), Some(below))
            if above.x.modifier == Modifier::Plain && apart(above) && apart(below) =>
        {
            Blends::Both(above, below)
        }
        (_, Some(below)) if end[0] == Some(below) => Blends::Below(below),
        _ => Blends::Neither,
    }
}

fn blend(instruction: &Instruction) -> Option<Blend> {
    let &Instruction::InterpState { state, x, a: by } = instruction else { return None };
    let known = matches!(x.modifier, Modifier::Plain | Modifier::Square);
    (known && x.source != Source::Weight).then_some(Blend { state, x, by })
}

#[cfg(test)]
mod tests {
    use super::super::compile::compile;
    use super::*;
    use crate::{Dataflow, Layout, zoo};

    #[test]
    fn all_of_adamw_is_done_as_the_weights_move() {
        let layout = Layout::new([vec![3, 4], vec![5]]);
        for name in ["adamw", "adamw_uncorrected"] {
            let program = zoo::get(name).expect("it is in the zoo").program();
            let plan = compile(&Dataflow::of(&program), &layout);
            let quotient = plan.quotient.expect("the update ends with a division");
            assert!(matches!(quotient.blends, Blends::Both(..)), "{name}: {quotient:?}");
            assert_eq!(plan.stages.len(), 1, "{name}");
            assert_eq!(plan.stages[0].body.len(), quotient.instructions(), "{name}");
        }
    }
}
