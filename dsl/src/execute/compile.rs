//! Compilation: the live dataflow graph to staged bytecode.
//!
//! Invariant: a value is computed in the earliest stage its arguments allow. A reduction over a
//! tree of stage `s` is known from stage `s + 1` on; a tree needed in a later stage than its own
//! is spilled to memory. Outputs are taken in the last stage, after every read of the old state.

use super::allocate::{Allocator, Draft, DraftArg, DraftElements, Tree};
use super::fuse::fuse;
use super::plan::{Arg, Plan, Slot, SmallInstruction, SmallOp, Source, Stage};
use crate::{Dataflow, Layout, Node, Op, Role, Type, Value};

/// A value while compiling.
#[derive(Clone, Copy, Debug)]
enum Lowered {
    Small { slot: Slot, stage: usize, constant: bool },
    Tree(usize),
}

/// Compiles the live part of a program for a layout.
pub(super) fn compile(flow: &Dataflow, layout: &Layout) -> Plan {
    let mut compiler = Compiler::new(layout.leaves().len());
    let mut values = Vec::with_capacity(flow.nodes().len());
    for node in flow.nodes() {
        let value = compiler.node(node, &values);
        values.push(value);
    }
    let outputs =
        flow.outputs().iter().enumerate().filter_map(|(index, value)| Some((index, (*value)?)));
    let outputs: Vec<_> =
        outputs.map(|(index, value)| (index, compiler.value(value, &values))).collect();
    compiler.finish(&outputs)
}

struct Compiler {
    leaves: usize,
    small: Vec<f64>,
    trees: Vec<Tree>,
    drafts: Vec<Vec<Draft>>,
    stages: Vec<Stage>,
    spills: usize,
    learning_rate: Slot,
    step: Slot,
}

impl Compiler {
    fn new(leaves: usize) -> Compiler {
        let mut small = Vec::with_capacity(16);
        let mut scalar = || {
            small.push(0.0);
            Slot { offset: small.len() - 1, per_leaf: false }
        };
        let (learning_rate, step) = (scalar(), scalar());
        Compiler {
            leaves,
            small,
            trees: Vec::with_capacity(16),
            drafts: vec![Vec::with_capacity(16)],
            stages: vec![Stage::default()],
            spills: 0,
            learning_rate,
            step,
        }
    }

    fn value(&mut self, value: Value, values: &[Lowered]) -> Lowered {
        let scalar = |slot| Lowered::Small { slot, stage: 0, constant: false };
        match value {
            Value::Node(node) => values[node],
            Value::Constant(value) => {
                let slot = self.slot(false);
                self.small[slot.offset] = value;
                Lowered::Small { slot, stage: 0, constant: true }
            }
            Value::Input(Role::LearningRate) => scalar(self.learning_rate),
            Value::Input(Role::Step) => scalar(self.step),
            Value::Input(Role::Weight) => self.input(Source::Weight),
            Value::Input(Role::Gradient) => self.input(Source::Gradient),
            Value::Input(Role::State(slot)) => self.input(Source::State(slot)),
        }
    }

    fn input(&mut self, source: Source) -> Lowered {
        self.trees.push(Tree { stage: 0, input: Some(source), spill: None });
        Lowered::Tree(self.trees.len() - 1)
    }

    fn slot(&mut self, per_leaf: bool) -> Slot {
        let offset = self.small.len();
        let width = if per_leaf { self.leaves } else { 1 };
        self.small.resize(offset + width, 0.0);
        Slot { offset, per_leaf }
    }

    fn reach(&mut self, stage: usize) {
        if self.stages.len() <= stage {
            self.stages.resize_with(stage + 1, Stage::default);
            self.drafts.resize_with(stage + 1, Vec::new);
        }
    }

    fn stage(&self, value: Lowered) -> usize {
        match value {
            Lowered::Small { stage, .. } => stage,
            Lowered::Tree(tree) => self.trees[tree].stage,
        }
    }

    fn node(&mut self, node: &Node, values: &[Lowered]) -> Lowered {
        let mut args = [Lowered::Tree(0); 3];
        for (arg, value) in args.iter_mut().zip(node.args()) {
            *arg = self.value(*value, values);
        }
        let args = &args[..node.args().len()];
        match node.op {
            Op::Norm if !matches!(args[0], Lowered::Tree(_)) => {
                self.small_op(SmallOp::Op(Op::Abs), args)
            }
            Op::Norm => {
                let squares = self.products(args[0], args[0]);
                self.small_op(SmallOp::Op(Op::Sqrt), &[squares])
            }
            Op::GlobalNorm => {
                let square = self.dot(args[0], args[0]);
                self.small_op(SmallOp::Op(Op::Sqrt), &[square])
            }
            Op::Dot => self.dot(args[0], args[1]),
            Op::CosineSim => {
                let (a, b) = self.joined(args[0], args[1]);
                let sums = [self.dot(a, b), self.dot(a, a), self.dot(b, b)];
                self.small_op(SmallOp::Cosine, &sums)
            }
            Op::Clip => {
                let square = self.dot(args[0], args[0]);
                let factor = self.small_op(SmallOp::ClipFactor, &[square, args[1]]);
                self.elementwise(Op::Mul, node.ty, &[args[0], factor])
            }
            op => self.elementwise(op, node.ty, args),
        }
    }

    fn elementwise(&mut self, op: Op, ty: Type, args: &[Lowered]) -> Lowered {
        if ty != Type::Tree {
            return match op.constant() {
                Some(value) => self.value(Value::Constant(value), &[]),
                None => self.small_op(SmallOp::Op(op), args),
            };
        }
        let stage = args.iter().map(|arg| self.stage(*arg)).max().unwrap_or(0);
        self.reach(stage);
        match (op, args) {
            (Op::Interp, [x, y, Lowered::Small { slot, .. }]) => {
                let (x, y) = (self.tree(*x, stage), self.tree(*y, stage));
                let (x, y) = (DraftElements::plain(x), DraftElements::plain(y));
                self.define(stage, |out| Draft::Interp { out, x, y, a: *slot })
            }
            (_, [Lowered::Tree(x)]) => {
                self.reads(*x, stage);
                self.define(stage, |out| Draft::Unary { op, out, x: *x })
            }
            (_, [a, b]) => {
                let (a, b) = (self.arg(*a, stage), self.arg(*b, stage));
                self.define(stage, |out| Draft::Binary { op, out, a, b })
            }
            _ => unreachable!("{} on checked arguments", op.info().name),
        }
    }

    fn define(&mut self, stage: usize, draft: impl FnOnce(usize) -> Draft) -> Lowered {
        let out = self.trees.len();
        self.trees.push(Tree { stage, input: None, spill: None });
        self.drafts[stage].push(draft(out));
        Lowered::Tree(out)
    }

    /// Notes that a tree is read in a stage: a computed tree of an earlier stage is then spilled.
    fn reads(&mut self, tree: usize, stage: usize) {
        let tree = &mut self.trees[tree];
        if tree.input.is_none() && tree.stage < stage && tree.spill.is_none() {
            tree.spill = Some(self.spills);
            self.spills += 1;
        }
    }

    fn arg(&mut self, value: Lowered, stage: usize) -> DraftArg {
        match value {
            Lowered::Tree(tree) => {
                self.reads(tree, stage);
                DraftArg::Tree(DraftElements::plain(tree))
            }
            Lowered::Small { slot, .. } => {
                self.stages[stage].by_leaf |= slot.per_leaf;
                DraftArg::Small(slot)
            }
        }
    }

    /// A value as a tree in a stage, filled out if it is small.
    fn tree(&mut self, value: Lowered, stage: usize) -> usize {
        match (self.arg(value, stage), value) {
            (DraftArg::Tree(DraftElements { tree, .. }), _) | (_, Lowered::Tree(tree)) => tree,
            (DraftArg::Small(slot), _) => {
                match self.define(stage, |out| Draft::Fill { out, value: slot }) {
                    Lowered::Tree(tree) => tree,
                    Lowered::Small { .. } => unreachable!("a definition is a tree"),
                }
            }
        }
    }

    /// Both values as trees if either is one.
    fn joined(&mut self, a: Lowered, b: Lowered) -> (Lowered, Lowered) {
        let stage = self.stage(a).max(self.stage(b));
        self.reach(stage);
        match (a, b) {
            (Lowered::Tree(_), _) | (_, Lowered::Tree(_)) => {
                (Lowered::Tree(self.tree(a, stage)), Lowered::Tree(self.tree(b, stage)))
            }
            // A scalar beside a per-leaf value counts once for each leaf.
            (Lowered::Small { slot: Slot { per_leaf: true, .. }, .. }, _) => {
                (a, self.small_op(SmallOp::Spread, &[b]))
            }
            (_, Lowered::Small { slot: Slot { per_leaf: true, .. }, .. }) => {
                (self.small_op(SmallOp::Spread, &[a]), b)
            }
            _ => (a, b),
        }
    }

    fn dot(&mut self, a: Lowered, b: Lowered) -> Lowered {
        let products = self.products(a, b);
        self.small_op(SmallOp::Total, &[products])
    }

    /// The products of two values, summed within each leaf if they are trees.
    fn products(&mut self, a: Lowered, b: Lowered) -> Lowered {
        if let (Lowered::Small { .. }, Lowered::Small { .. }) = (a, b) {
            return self.small_op(SmallOp::Op(Op::Mul), &[a, b]);
        }
        let stage = self.stage(a).max(self.stage(b));
        self.reach(stage + 1);
        let (a, b) = (self.tree(a, stage), self.tree(b, stage));
        let slot = self.slot(true);
        let sum = self.stages[stage].sums.len();
        self.stages[stage].sums.push(slot);
        self.stages[stage].by_leaf = true;
        self.drafts[stage].push(Draft::Reduce { sum, a, b });
        Lowered::Small { slot, stage: stage + 1, constant: false }
    }

    fn small_op(&mut self, op: SmallOp, args: &[Lowered]) -> Lowered {
        let mut slots = [self.step; 3];
        let (mut stage, mut all_constant, mut any_per_leaf) = (0, true, false);
        for (slot, arg) in slots.iter_mut().zip(args) {
            let Lowered::Small { slot: of_arg, stage: at, constant } = *arg else {
                unreachable!("small ops take small values");
            };
            *slot = of_arg;
            stage = stage.max(at);
            all_constant &= constant;
            any_per_leaf |= of_arg.per_leaf;
        }
        let per_leaf = match op {
            SmallOp::Op(_) => any_per_leaf,
            SmallOp::Spread => true,
            SmallOp::Total | SmallOp::Cosine | SmallOp::ClipFactor => false,
        };
        let constant = all_constant && !per_leaf;
        let out = self.slot(per_leaf);
        let instruction = SmallInstruction { op, out, args: slots };
        if constant {
            instruction.run(&mut self.small, self.leaves);
        } else {
            self.reach(stage);
            self.stages[stage].prologue.push(instruction);
        }
        Lowered::Small { slot: out, stage, constant }
    }

    fn finish(mut self, outputs: &[(usize, Lowered)]) -> Plan {
        let last = self.stages.len() - 1;
        let mut taken = Vec::with_capacity(outputs.len());
        for &(output, value) in outputs {
            let input = match value {
                Lowered::Tree(tree) => self.trees[tree].input,
                Lowered::Small { .. } => None,
            };
            // What is overwritten while outputs are taken is copied first.
            let value = match (output, input) {
                (0, Some(Source::State(_) | Source::Gradient))
                | (_, Some(Source::Gradient) | None) => value,
                (_, Some(Source::State(slot))) if slot + 1 == output => continue,
                _ => {
                    let x = self.tree(value, last);
                    self.define(last, |out| Draft::Copy { out, x })
                }
            };
            taken.push((output, self.arg(value, last)));
        }
        self.allocate(taken)
    }

    fn allocate(self, mut outputs: Vec<(usize, DraftArg)>) -> Plan {
        let Compiler { small, mut trees, mut drafts, mut stages, .. } = self;
        let Compiler { spills, learning_rate, step, .. } = self;
        let decay = fuse(&mut trees, &mut drafts, &mut outputs);
        let last = stages.len() - 1;
        let mut allocator = Allocator::new(&trees);
        for (index, (stage, drafts)) in stages.iter_mut().zip(&drafts).enumerate() {
            let kept = outputs.iter().filter(|_| index == last).map(|(_, arg)| *arg);
            stage.body = allocator.stage(index, drafts, kept);
        }
        let mut taken = outputs.iter().map(|&(output, arg)| (output, allocator.arg(last, arg)));
        let (_, update) = taken.next().expect("the update is always an output");
        // A state that was blended in place is where it belongs.
        let moved = taken.filter(|(output, arg)| {
            !matches!(arg, Arg::Elements(elements) if elements.source == Source::State(output - 1))
        });
        let states = moved.map(|(output, arg)| (output - 1, arg)).collect();
        let registers = allocator.registers;
        Plan { stages, small, learning_rate, step, registers, spills, update, decay, states }
    }
}
