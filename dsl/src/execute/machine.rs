//! The machine: runs a plan over the parameters, block by block.

mod outputs;

use std::ops::Range;

use super::compile::compile;
use super::given::{Given, Weights};
use super::kernels::{self, Block, Input};
use super::plan::{
    Arg, Elements, Instruction, Modifier, Orthogonalization, Plan, Register, Slot, Source, Stage,
};
use crate::matrix::Scratch;
use crate::reduce::LeafSum;
use crate::{Dataflow, Layout, Program, Type};

/// Elements of a block: a register is 4 KiB, so the few registers in use stay in the L1 cache.
const BLOCK: usize = 1024;

/// Runs a compiled program step by step, carrying its states and step number.
#[derive(Clone, Debug)]
pub struct Executor {
    plan: Plan,
    memory: Memory,
    /// The slot behind those of the states, if there is a readout.
    readout: Option<usize>,
    step: u64,
}

/// All that a step reads and writes but the weights and the gradient.
#[derive(Clone, Debug)]
struct Memory {
    layout: Layout,
    small: Vec<f64>,
    registers: Vec<Vec<f32>>,
    spills: Vec<Vec<f32>>,
    states: Vec<Vec<f32>>,
    sums: Vec<LeafSum>,
    scratch: Scratch<f32>,
}

impl Executor {
    /// Compiles a program for parameters of this layout; states are zero.
    pub fn new(program: &Program, layout: &Layout) -> Executor {
        Executor::of(&Dataflow::of(program), layout)
    }

    /// As [`Executor::new`], for those who have the dataflow of a program at hand.
    pub fn of(flow: &Dataflow, layout: &Layout) -> Executor {
        let plan = compile(flow, layout);
        let sums = plan.stages.iter().map(|stage| stage.sums.len()).max().unwrap_or(0);
        let memory = Memory {
            layout: layout.clone(),
            small: plan.small.clone(),
            registers: vec![vec![0.0; BLOCK.min(layout.len())]; plan.registers],
            spills: vec![vec![0.0; layout.len()]; plan.spills],
            states: vec![vec![0.0; layout.len()]; flow.all_outputs().count() - 1],
            sums: vec![LeafSum::ZERO; sums],
            scratch: Scratch::default(),
        };
        let readout = flow.readout().map(|_| flow.outputs().len() - 1);
        Executor { plan, memory, readout, step: 0 }
    }

    /// One step: `w -= update`, with the states moved on. `w` and `g` hold one element per
    /// parameter; `lr` is the learning rate of this step. Returns whether all weights are finite.
    pub fn step(&mut self, w: &mut [f32], g: &[f32], lr: f64) -> bool {
        self.check(w, g);
        self.run(Weights::Move(w), Given::gradient(g), lr)
    }

    /// The update of one step, written to `update`; the states are moved on, the weights are not.
    pub fn update(&mut self, w: &[f32], g: &[f32], lr: f64, update: &mut [f32]) {
        self.check(w, g);
        self.run(Weights::Observe(w, update), Given::gradient(g), lr);
    }

    /// The values of an expression, `values[i]` at point *i* of the layout; `inputs[k][i]` is its
    /// input *k* there, and inputs beyond the expression's are not looked at.
    ///
    /// # Panics
    /// If the inputs are fewer than the expression reads, or not as long as the layout.
    pub fn evaluate(&mut self, inputs: &[&[f32]], values: &mut [f32]) {
        let len = self.memory.layout.len();
        let fit = inputs.iter().all(|input| input.len() == len) && values.len() == len;
        assert!(fit, "a value of every input at every point");
        self.run(Weights::Observe(&[], values), Given { gradient: &[], inputs }, 0.0);
    }

    /// Goes on as if steps had been left out: the next one has this number, counted from 1.
    pub fn skip_to(&mut self, step: u64) {
        self.step = step.saturating_sub(1);
    }

    /// A state slot after the last step; a slot that no update depends on stays zero.
    pub fn state(&self, slot: usize) -> &[f32] {
        &self.memory.states[slot]
    }

    /// What has to be subtracted from the weights that the last step was given, to get those to
    /// validate with; `None` where these are the weights behind it.
    pub fn readout(&self) -> Option<&[f32]> {
        self.readout.map(|slot| &*self.memory.states[slot])
    }

    fn check(&self, w: &[f32], g: &[f32]) {
        let len = self.memory.layout.len();
        assert_eq!((w.len(), g.len()), (len, len), "weights and gradient fit the layout");
    }

    fn run(&mut self, mut weights: Weights<'_>, g: Given<'_>, lr: f64) -> bool {
        let len = self.memory.layout.len();
        self.step += 1;
        self.memory.small[self.plan.learning_rate.offset] = lr;
        self.memory.small[self.plan.step.offset] = self.step as f64;
        let (mut finite, last) = (true, self.plan.stages.len() - 1);
        for (index, stage) in self.plan.stages.iter().enumerate() {
            for instruction in &stage.prologue {
                instruction.run(&mut self.memory.small, &self.memory.layout);
            }
            for orthogonalization in &stage.orthogonalizations {
                self.memory.orthogonalize(orthogonalization, weights.read(), g);
            }
            let output = (index == last).then_some(&self.plan);
            let by_leaf = stage.by_leaf || output.is_some_and(Plan::outputs_by_leaf);
            if by_leaf {
                for leaf in 0..self.memory.layout.leaves().len() {
                    let range = self.memory.layout.leaves()[leaf].range();
                    self.memory.begin_means(stage, leaf);
                    finite &= self.memory.segment(stage, output, &mut weights, g, leaf, range);
                    self.memory.end_means(stage, leaf);
                }
            } else {
                finite &= self.memory.segment(stage, output, &mut weights, g, 0, 0..len);
            }
        }
        finite
    }
}

impl Plan {
    fn outputs_by_leaf(&self) -> bool {
        let args = self.states.iter().map(|(_, arg)| arg).chain([&self.update]);
        args.into_iter().any(|arg| matches!(arg, Arg::Small(Slot { ty: Type::PerLeaf, .. })))
    }
}

impl Memory {
    /// Runs a stage over a stretch of the parameters, and takes the outputs in the last stage.
    fn segment(
        &mut self,
        stage: &Stage,
        output: Option<&Plan>,
        weights: &mut Weights<'_>,
        g: Given<'_>,
        leaf: usize,
        range: Range<usize>,
    ) -> bool {
        self.sums[..stage.sums.len()].fill(LeafSum::ZERO);
        let quotient = output.and_then(|plan| plan.quotient).filter(|_| weights.are_moved());
        let left_out = quotient.map_or(0, |quotient| quotient.instructions());
        let body = &stage.body[..stage.body.len() - left_out];
        // Without an instruction there are no registers that a block would have to fit.
        let length = if body.is_empty() { range.len() } else { BLOCK };
        let mut finite = true;
        let mut start = range.start;
        while start < range.end {
            let block = start..range.end.min(start + length);
            start = block.end;
            for instruction in body {
                self.instruction(instruction, weights.read(), g, leaf, &block);
            }
            if let Some(plan) = output {
                finite &= self.take_outputs(plan, weights, g, leaf, &block);
            }
        }
        for (sum, slot) in self.sums.iter().zip(&stage.sums) {
            self.small[slot.offset + leaf] = sum.total();
        }
        finite
    }

    fn begin_means(&mut self, stage: &Stage, leaf: usize) {
        for slot in &stage.means {
            self.small[slot.places(&self.layout.leaves()[leaf], leaf)].fill(0.0);
        }
    }

    fn end_means(&mut self, stage: &Stage, leaf: usize) {
        let of = &self.layout.leaves()[leaf];
        for slot in &stage.means {
            let count = if slot.ty == Type::PerRow { of.columns() } else { of.rows() };
            let sums = &mut self.small[slot.places(of, leaf)];
            sums.iter_mut().for_each(|sum| *sum /= count as f64);
        }
    }

    fn orthogonalize(&mut self, orthogonalization: &Orthogonalization, w: &[f32], g: Given<'_>) {
        let Orthogonalization { out, x, schedule } = *orthogonalization;
        let mut matrices = std::mem::take(&mut self.spills[out]);
        matrices.copy_from_slice(self.elements(x, w, g, &(0..self.layout.len())));
        for leaf in self.layout.leaves() {
            let (rows, columns) = (leaf.rows(), leaf.columns());
            let x = &mut matrices[leaf.range()];
            kernels::orthogonalize(x, rows, columns, schedule, &mut self.scratch);
        }
        self.spills[out] = matrices;
    }

    fn elements<'a>(
        &'a self,
        source: Source,
        w: &'a [f32],
        g: Given<'a>,
        block: &Range<usize>,
    ) -> &'a [f32] {
        match source {
            Source::Register(register) => &self.registers[usize::from(register.0)][..block.len()],
            Source::Weight => &w[block.clone()],
            Source::Gradient => &g.gradient[block.clone()],
            Source::Input(input) => &g.inputs[input][block.clone()],
            Source::State(slot) => &self.states[slot][block.clone()],
            Source::Spill(spill) => &self.spills[spill][block.clone()],
        }
    }

    fn block<'a>(
        &'a self,
        elements: Elements,
        w: &'a [f32],
        g: Given<'a>,
        leaf: usize,
        block: &Range<usize>,
    ) -> Block<'a> {
        (self.elements(elements.source, w, g, block), self.modifier(elements.modifier, leaf))
    }

    fn modifier(&self, modifier: Modifier<Slot>, leaf: usize) -> Modifier<f32> {
        let factor = |slot: Slot| slot.at(&self.small, leaf) as f32;
        match modifier {
            Modifier::Plain => Modifier::Plain,
            Modifier::Square => Modifier::Square,
            Modifier::Root => Modifier::Root,
            Modifier::Scale(slot) => Modifier::Scale(factor(slot)),
            Modifier::RootOfScaled(slot) => Modifier::RootOfScaled(factor(slot)),
        }
    }

    fn input<'a>(
        &'a self,
        arg: Arg,
        w: &'a [f32],
        g: Given<'a>,
        leaf: usize,
        block: &Range<usize>,
    ) -> Input<'a> {
        match arg {
            Arg::Elements(elements) => {
                let (elements, modifier) = self.block(elements, w, g, leaf, block);
                Input::Block(elements, modifier)
            }
            Arg::Small(slot) => Input::Same(slot.at(&self.small, leaf) as f32),
        }
    }

    fn instruction(
        &mut self,
        instruction: &Instruction,
        w: &[f32],
        g: Given<'_>,
        leaf: usize,
        block: &Range<usize>,
    ) {
        match *instruction {
            Instruction::Unary { op, out, x } => {
                self.write(out, block, |memory, out| {
                    kernels::unary(op, out, memory.elements(x, w, g, block));
                });
            }
            Instruction::Binary { op, out, a, b } => self.write(out, block, |memory, out| {
                let a = memory.input(a, w, g, leaf, block);
                kernels::binary(op, out, a, memory.input(b, w, g, leaf, block));
            }),
            Instruction::Interp { out, x, y, a } => self.write(out, block, |memory, out| {
                let x = memory.block(x, w, g, leaf, block);
                let y = memory.block(y, w, g, leaf, block);
                kernels::interp(out, x, y, a.at(&memory.small, leaf));
            }),
            Instruction::InterpState { state, x, a } => {
                let mut blended = std::mem::take(&mut self.states[state]);
                let x = self.block(x, w, g, leaf, block);
                kernels::interp_in_place(&mut blended[block.clone()], x, a.at(&self.small, leaf));
                self.states[state] = blended;
            }
            Instruction::Choose { out, c, a, b } => self.write(out, block, |memory, out| {
                let [c, a, b] = [c, a, b].map(|source| memory.elements(source, w, g, block));
                kernels::choose(out, c, a, b);
            }),
            Instruction::Fill { out, value } => {
                self.write(out, block, |memory, out| memory.fill(out, value, leaf, block));
            }
            Instruction::Sum { slot, x } => {
                let mut small = std::mem::take(&mut self.small);
                self.add(&mut small, slot, self.elements(x, w, g, block), leaf, block);
                self.small = small;
            }
            Instruction::Copy { out, x } => {
                self.write(out, block, |memory, out| {
                    out.copy_from_slice(memory.elements(x, w, g, block));
                });
            }
            Instruction::Spill { spill, x } => {
                let mut kept = std::mem::take(&mut self.spills[spill]);
                kept[block.clone()].copy_from_slice(self.elements(x, w, g, block));
                self.spills[spill] = kept;
            }
            Instruction::Reduce { sum, a, b } => {
                let mut leaf_sum = self.sums[sum];
                let [a, b] = [a, b].map(|source| self.elements(source, w, g, block));
                kernels::add_products(&mut leaf_sum, a, b);
                self.sums[sum] = leaf_sum;
            }
        }
    }

    /// Fills a block with a small value.
    fn fill(&self, out: &mut [f32], value: Slot, leaf: usize, block: &Range<usize>) {
        if value.is_even() {
            return out.fill(value.at(&self.small, leaf) as f32);
        }
        let of = &self.layout.leaves()[leaf];
        let (start, numbers) = (block.start - of.range().start, value.places(of, leaf));
        let numbers = &self.small[numbers];
        match value.ty {
            Type::PerRow => kernels::fill_rows(out, start, of.columns(), numbers),
            _ => kernels::fill_columns(out, start, numbers),
        }
    }

    /// Adds a block to the sums of the rows or columns of its leaf.
    fn add(&self, small: &mut [f64], slot: Slot, x: &[f32], leaf: usize, block: &Range<usize>) {
        let of = &self.layout.leaves()[leaf];
        let (start, sums) = (block.start - of.range().start, slot.places(of, leaf));
        let sums = &mut small[sums];
        match slot.ty {
            Type::PerRow => kernels::add_rows(x, start, of.columns(), sums),
            _ => kernels::add_columns(x, start, sums),
        }
    }

    /// Takes a register out while it is written, so that the rest of memory can be read.
    fn write(
        &mut self,
        out: Register,
        block: &Range<usize>,
        run: impl FnOnce(&Memory, &mut [f32]),
    ) {
        let index = usize::from(out.0);
        let mut register = std::mem::take(&mut self.registers[index]);
        run(self, &mut register[..block.len()]);
        self.registers[index] = register;
    }
}
