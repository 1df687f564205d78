//! Register allocation: drafts over numbered trees to instructions over block registers.
//!
//! Invariant: the register of a result is taken before those of its arguments are given back, so
//! no instruction overwrites what it reads. A register is free again after the last read of its
//! tree in the stage.

use super::plan::{Arg, Elements, Instruction, Modifier, Register, Slot, Source};
use crate::Op;

/// A tree value: the stage that computes it and how later stages reach it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    pub stage: usize,
    /// For an input of the program.
    pub input: Option<Source>,
    /// Where it is kept for later stages.
    pub spill: Option<usize>,
}

/// An instruction before registers are allotted: results and arguments are tree indices.
#[derive(Clone, Copy, Debug)]
pub(super) enum Draft {
    Unary { op: Op, out: usize, x: usize },
    Binary { op: Op, out: usize, a: DraftArg, b: DraftArg },
    Interp { out: usize, x: DraftElements, y: DraftElements, a: Slot },
    InterpState { state: usize, x: DraftElements, a: Slot },
    Choose { out: usize, c: usize, a: usize, b: usize },
    Fill { out: usize, value: Slot },
    Copy { out: usize, x: usize },
    Reduce { sum: usize, a: usize, b: usize },
    Sum { slot: Slot, x: usize },
}

/// A tree as an instruction reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DraftElements {
    pub tree: usize,
    pub modifier: Modifier<Slot>,
}

impl DraftElements {
    pub(super) fn plain(tree: usize) -> DraftElements {
        DraftElements { tree, modifier: Modifier::Plain }
    }
}

/// An argument that may be small.
#[derive(Clone, Copy, Debug)]
pub(super) enum DraftArg {
    Tree(DraftElements),
    Small(Slot),
}

impl DraftArg {
    pub(super) fn tree(self) -> Option<usize> {
        match self {
            DraftArg::Tree(elements) => Some(elements.tree),
            DraftArg::Small(_) => None,
        }
    }

    pub(super) fn elements_mut(&mut self) -> Option<&mut DraftElements> {
        match self {
            DraftArg::Tree(elements) => Some(elements),
            DraftArg::Small(_) => None,
        }
    }
}

impl Draft {
    /// The trees it reads.
    pub(super) fn reads(self) -> [Option<usize>; 3] {
        match self {
            Draft::Unary { x, .. } | Draft::Copy { x, .. } | Draft::Sum { x, .. } => {
                [Some(x), None, None]
            }
            Draft::Binary { a, b, .. } => [a.tree(), b.tree(), None],
            Draft::Interp { x, y, .. } => [Some(x.tree), Some(y.tree), None],
            Draft::InterpState { x, .. } => [Some(x.tree), None, None],
            Draft::Choose { c, a, b, .. } => [Some(c), Some(a), Some(b)],
            Draft::Reduce { a, b, .. } => [Some(a), Some(b), None],
            Draft::Fill { .. } => [None; 3],
        }
    }

    /// The tree it computes.
    pub(super) fn out(self) -> Option<usize> {
        match self {
            Draft::Unary { out, .. }
            | Draft::Binary { out, .. }
            | Draft::Interp { out, .. }
            | Draft::Choose { out, .. }
            | Draft::Fill { out, .. }
            | Draft::Copy { out, .. } => Some(out),
            Draft::Reduce { .. } | Draft::Sum { .. } | Draft::InterpState { .. } => None,
        }
    }
}

/// Allots the registers of all stages, one after the other.
pub(super) struct Allocator<'a> {
    trees: &'a [Tree],
    register: Vec<Register>,
    /// Per tree, the index of the draft of its stage that reads it last.
    last_read: Vec<usize>,
    free: Vec<Register>,
    pub registers: usize,
}

impl<'a> Allocator<'a> {
    pub(super) fn new(trees: &'a [Tree]) -> Allocator<'a> {
        let register = vec![Register(0); trees.len()];
        Allocator {
            trees,
            register,
            last_read: vec![0; trees.len()],
            free: Vec::new(),
            registers: 0,
        }
    }

    /// The body of a stage; `kept` are the trees that outlive it in their registers.
    pub(super) fn stage(
        &mut self,
        stage: usize,
        drafts: &[Draft],
        kept: impl Iterator<Item = DraftArg>,
    ) -> Vec<Instruction> {
        for (index, draft) in drafts.iter().enumerate() {
            for tree in draft.reads().into_iter().flatten() {
                self.last_read[tree] = index;
            }
        }
        for tree in kept.filter_map(DraftArg::tree) {
            self.last_read[tree] = drafts.len();
        }
        let all = (0..self.registers).rev();
        self.free =
            all.map(|index| Register(u16::try_from(index).expect("counted below"))).collect();
        let mut body = Vec::with_capacity(drafts.len() + 2);
        for (index, draft) in drafts.iter().enumerate() {
            self.draft(stage, index, *draft, &mut body);
        }
        body
    }

    fn draft(&mut self, stage: usize, index: usize, draft: Draft, body: &mut Vec<Instruction>) {
        if let Some(out) = draft.out() {
            self.register[out] = self.take();
        }
        body.push(self.instruction(stage, draft));
        let [a, b, c] = draft.reads();
        self.release(stage, index, a);
        self.release(stage, index, b.filter(|_| a != b));
        self.release(stage, index, c.filter(|_| c != a && c != b));
        let Some(out) = draft.out() else { return };
        if let Some(spill) = self.trees[out].spill {
            body.push(Instruction::Spill { spill, x: Source::Register(self.register[out]) });
        }
        if self.last_read[out] <= index {
            self.free.push(self.register[out]);
        }
    }

    fn take(&mut self) -> Register {
        self.free.pop().unwrap_or_else(|| {
            let index =
                u16::try_from(self.registers).expect("at most 10,000 statements, so few registers");
            self.registers += 1;
            Register(index)
        })
    }

    fn release(&mut self, stage: usize, index: usize, tree: Option<usize>) {
        if let Some(tree) = tree
            && self.trees[tree].input.is_none()
            && self.trees[tree].stage == stage
            && self.last_read[tree] == index
        {
            self.free.push(self.register[tree]);
        }
    }

    /// How a tree is reached in a stage.
    pub(super) fn source(&self, stage: usize, tree: usize) -> Source {
        let Tree { stage: computed, input, spill } = self.trees[tree];
        match (input, spill) {
            (Some(input), _) => input,
            (None, Some(spill)) if computed < stage => Source::Spill(spill),
            _ => Source::Register(self.register[tree]),
        }
    }

    fn elements(&self, stage: usize, elements: DraftElements) -> Elements {
        Elements { source: self.source(stage, elements.tree), modifier: elements.modifier }
    }

    /// An argument as the instructions and outputs of a stage reach it.
    pub(super) fn arg(&self, stage: usize, arg: DraftArg) -> Arg {
        match arg {
            DraftArg::Tree(elements) => Arg::Elements(self.elements(stage, elements)),
            DraftArg::Small(slot) => Arg::Small(slot),
        }
    }

    fn instruction(&self, stage: usize, draft: Draft) -> Instruction {
        let source = |tree| self.source(stage, tree);
        let register = |tree: usize| self.register[tree];
        match draft {
            Draft::Unary { op, out, x } => {
                Instruction::Unary { op, out: register(out), x: source(x) }
            }
            Draft::Binary { op, out, a, b } => {
                let (a, b) = (self.arg(stage, a), self.arg(stage, b));
                Instruction::Binary { op, out: register(out), a, b }
            }
            Draft::Interp { out, x, y, a } => {
                let (x, y) = (self.elements(stage, x), self.elements(stage, y));
                Instruction::Interp { out: register(out), x, y, a }
            }
            Draft::InterpState { state, x, a } => {
                Instruction::InterpState { state, x: self.elements(stage, x), a }
            }
            Draft::Choose { out, c, a, b } => {
                let (c, a, b) = (source(c), source(a), source(b));
                Instruction::Choose { out: register(out), c, a, b }
            }
            Draft::Fill { out, value } => Instruction::Fill { out: register(out), value },
            Draft::Copy { out, x } => Instruction::Copy { out: register(out), x: source(x) },
            Draft::Reduce { sum, a, b } => Instruction::Reduce { sum, a: source(a), b: source(b) },
            Draft::Sum { slot, x } => Instruction::Sum { slot, x: source(x) },
        }
    }
}
