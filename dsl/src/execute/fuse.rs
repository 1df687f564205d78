//! Fusion: values that are read once are computed as they are read.
//!
//! Invariant: the same float32 operations are done in the same order, so no bit changes; only the
//! passes over the block that would store and load the value again go away. Three patterns carry
//! nearly all of it in optimizers: squares, roots, multiples and roots of multiples that feed one
//! other operation, states that are blended with something new, and weight decay added last.

use super::allocate::{Draft, DraftArg, DraftElements, Tree};
use super::plan::{Decay, Modifier, Slot, Source};
use crate::Op;

/// Fuses the drafts of all stages; `outputs` are the values returned, the update first. Gives the
/// decay that was taken off the update.
pub(super) fn fuse(
    trees: &mut [Tree],
    drafts: &mut [Vec<Draft>],
    outputs: &mut [(usize, DraftArg)],
) -> Option<Decay> {
    let mut reads = vec![0u32; trees.len()];
    for draft in drafts.iter().flatten() {
        draft.reads().into_iter().flatten().for_each(|tree| reads[tree] += 1);
    }
    for (_, arg) in outputs.iter() {
        arg.tree().into_iter().for_each(|tree| reads[tree] += 1);
    }
    let last = drafts.len() - 1;
    for (stage, drafts) in drafts.iter_mut().enumerate() {
        let outputs = if stage == last { &mut *outputs } else { &mut [] };
        modify_operands(trees, &reads, stage, drafts, outputs);
    }
    let decay = take_decay(trees, &reads, &mut drafts[last], outputs);
    blend_states(trees, &mut drafts[last], outputs);
    decay
}

/// What a tree amounts to where it is read once.
#[derive(Clone, Copy)]
struct Modified {
    elements: DraftElements,
    /// The multiple that it is the root of, which goes where it goes.
    multiple: Option<usize>,
}

/// The modifiers that the drafts of a stage amount to, by the tree that holds the result.
fn modifiers(trees: &[Tree], reads: &[u32], drafts: &[Draft]) -> Vec<Option<Modified>> {
    let mut modified: Vec<Option<Modified>> = vec![None; trees.len()];
    for draft in drafts {
        let Some((out, elements)) = draft.as_modifier() else { continue };
        if reads[out] != 1 || trees[out].spill.is_some() {
            continue;
        }
        let of = modified[elements.tree].map(|inner| inner.elements);
        modified[out] = Some(match (elements.modifier, of) {
            (Modifier::Root, Some(DraftElements { tree, modifier: Modifier::Scale(slot) })) => {
                let rooted = DraftElements { tree, modifier: Modifier::RootOfScaled(slot) };
                Modified { elements: rooted, multiple: Some(elements.tree) }
            }
            _ => Modified { elements, multiple: None },
        });
    }
    modified
}

/// Makes squares, roots and multiples that are read once part of what reads them.
fn modify_operands(
    trees: &[Tree],
    reads: &[u32],
    stage: usize,
    drafts: &mut Vec<Draft>,
    outputs: &mut [(usize, DraftArg)],
) {
    let modified = modifiers(trees, reads, drafts);
    let mut taken = vec![false; trees.len()];
    let absorb = |elements: &mut DraftElements, taken: &mut [bool]| {
        if let (Some(inner), Modifier::Plain) = (modified[elements.tree], elements.modifier)
            && trees[elements.tree].stage == stage
        {
            taken[elements.tree] = true;
            inner.multiple.into_iter().for_each(|multiple| taken[multiple] = true);
            *elements = inner.elements;
        }
    };
    // Backwards from the update, so that a reader takes its operand before the operand could take
    // one of its own: modifiers do not nest, and what has been taken takes nothing.
    // A multiple of the weights cannot be taken off them while they are read.
    let of_weights = |tree: usize| {
        modified[tree].is_some_and(|inner| trees[inner.elements.tree].input == Some(Source::Weight))
    };
    if let Some((0, DraftArg::Tree(elements))) = outputs.first_mut()
        && !of_weights(elements.tree)
    {
        absorb(elements, &mut taken);
    }
    for draft in drafts.iter_mut().rev() {
        if !draft.out().is_some_and(|out| taken[out]) {
            for operand in draft.operands_mut().into_iter().flatten() {
                absorb(operand, &mut taken);
            }
        }
    }
    drafts.retain(|draft| !draft.out().is_some_and(|out| taken[out]));
}

/// Leaves `u` as the update where it was `(u + w * weight) * scale`.
fn take_decay(
    trees: &[Tree],
    reads: &[u32],
    drafts: &mut Vec<Draft>,
    outputs: &mut [(usize, DraftArg)],
) -> Option<Decay> {
    let DraftArg::Tree(update) = outputs[0].1 else { return None };
    let index = drafts.iter().position(|draft| draft.out() == Some(update.tree))?;
    let Draft::Binary { op: Op::Add, a: DraftArg::Tree(a), b: DraftArg::Tree(b), .. } =
        drafts[index]
    else {
        return None;
    };
    let is_weight = |elements: DraftElements| trees[elements.tree].input == Some(Source::Weight);
    let (x, w) = if is_weight(b) { (a, b) } else { (b, a) };
    let read_once = reads[update.tree] == 1 && trees[update.tree].spill.is_none();
    if !read_once || !is_weight(w) || is_weight(x) {
        return None;
    }
    let decay = Decay { weight: w.modifier.as_factor()?, scale: update.modifier.as_factor()? };
    drafts.remove(index);
    outputs[0].1 = DraftArg::Tree(x);
    Some(decay)
}

/// Writes `m = interp(x, m, a)` straight into the state where nothing needs the old value later.
fn blend_states(trees: &mut [Tree], drafts: &mut [Draft], outputs: &mut [(usize, DraftArg)]) {
    for output in 1..outputs.len() {
        let (number, arg) = outputs[output];
        let (state, DraftArg::Tree(value)) = (number - 1, arg) else { continue };
        let old = Source::State(state);
        let defined = drafts.iter().position(|draft| draft.out() == Some(value.tree));
        let Some(index) = defined else { continue };
        let Draft::Interp { out, x, y, a } = drafts[index] else { continue };
        let is_old = |trees: &[Tree], tree: usize| trees[tree].input == Some(old);
        let read_later = drafts[index + 1..].iter().flat_map(|draft| draft.reads());
        let returned = outputs.iter().filter_map(|(_, arg)| arg.tree());
        let mut others = read_later.flatten().chain(returned).chain([x.tree]);
        let plain = y.modifier == Modifier::Plain && is_old(trees, y.tree);
        let twice = outputs.iter().filter(|(_, arg)| arg.tree() == Some(out)).count() > 1;
        if plain && !twice && trees[out].spill.is_none() && !others.any(|tree| is_old(trees, tree))
        {
            drafts[index] = Draft::InterpState { state, x, a };
            trees[out].input = Some(old);
        }
    }
}

impl Modifier<Slot> {
    /// The factor this modifier amounts to, if it is one; inside, `None` for 1.
    fn as_factor(self) -> Option<Option<Slot>> {
        match self {
            Modifier::Plain => Some(None),
            Modifier::Scale(slot) => Some(Some(slot)),
            Modifier::Square | Modifier::Root | Modifier::RootOfScaled(_) => None,
        }
    }
}

impl Draft {
    /// The modifier this draft amounts to, and the tree that holds its result.
    fn as_modifier(&self) -> Option<(usize, DraftElements)> {
        let modified = |tree: usize, modifier| DraftElements { tree, modifier };
        match *self {
            Draft::Unary { op: Op::Square, out, x } => Some((out, modified(x, Modifier::Square))),
            Draft::Unary { op: Op::Sqrt, out, x } => Some((out, modified(x, Modifier::Root))),
            Draft::Binary { op: Op::Mul, out, a, b } => match (a, b) {
                (DraftArg::Tree(x), DraftArg::Small(slot))
                | (DraftArg::Small(slot), DraftArg::Tree(x)) => (x.modifier == Modifier::Plain)
                    .then(|| (out, modified(x.tree, Modifier::Scale(slot)))),
                _ => None,
            },
            _ => None,
        }
    }

    /// The operands that may carry a modifier. Powers may not: their kernel is long, and one for
    /// every pair of modifiers would be most of the binary.
    fn operands_mut(&mut self) -> [Option<&mut DraftElements>; 2] {
        match self {
            Draft::Binary { op, a, b, .. } if *op != Op::Power => {
                [a.elements_mut(), b.elements_mut()]
            }
            Draft::Interp { x, y, .. } => [Some(x), Some(y)],
            _ => [None, None],
        }
    }
}
