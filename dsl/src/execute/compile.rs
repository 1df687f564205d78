//! Compilation: the live dataflow graph to staged bytecode.
//!
//! Invariant: a value is computed in the earliest stage its arguments allow. A reduction over a
//! tree of stage `s` is known from stage `s + 1` on; a tree needed in a later stage than its own
//! is spilled to memory. Outputs are taken in the last stage, after every read of the old state.

use super::allocate::{Allocator, Draft, DraftArg, DraftElements, Tree};
use super::fuse::fuse;
use super::plan::{Arg, Orthogonalization, Plan, Slot, SmallInstruction, SmallOp, Source, Stage};
use super::quotient;
use crate::matrix::Schedule;
use crate::{Dataflow, Layout, Node, Op, Role, ShapeRule, Type, Value};

/// A value while compiling.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lowered {
    Small { slot: Slot, stage: usize, constant: bool },
    Tree(usize),
}

impl Lowered {
    pub(super) fn ty(self) -> Type {
        match self {
            Lowered::Small { slot, .. } => slot.ty,
            Lowered::Tree(_) => Type::Tree,
        }
    }
}

/// Compiles the live part of a program for a layout.
pub(super) fn compile(flow: &Dataflow, layout: &Layout) -> Plan {
    let flow = &*flow.written_out();
    let mut compiler = Compiler::new(layout);
    let mut values = Vec::with_capacity(flow.nodes().len());
    for node in flow.nodes() {
        let value = compiler.node(node, &values);
        values.push(value);
    }
    let outputs = flow.all_outputs().enumerate().filter_map(|(index, value)| Some((index, value?)));
    let outputs: Vec<_> =
        outputs.map(|(index, value)| (index, compiler.value(value, &values))).collect();
    compiler.finish(&outputs)
}

pub(super) struct Compiler<'a> {
    layout: &'a Layout,
    small: Vec<f64>,
    pub(super) trees: Vec<Tree>,
    pub(super) drafts: Vec<Vec<Draft>>,
    pub(super) stages: Vec<Stage>,
    /// Trees to be made orthogonal: the stage that has the result, the tree, the result's spill, and
    /// how.
    pub(super) orthogonal: Vec<(usize, usize, usize, Schedule)>,
    pub(super) spills: usize,
    learning_rate: Slot,
    pub(super) step: Slot,
}

impl<'a> Compiler<'a> {
    fn new(layout: &'a Layout) -> Compiler<'a> {
        let mut small = Vec::with_capacity(16);
        let mut scalar = || {
            small.push(0.0);
            Slot { offset: small.len() - 1, ty: Type::Scalar }
        };
        let (learning_rate, step) = (scalar(), scalar());
        Compiler {
            layout,
            small,
            trees: Vec::with_capacity(16),
            drafts: vec![Vec::with_capacity(16)],
            stages: vec![Stage::default()],
            orthogonal: Vec::new(),
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
                let slot = self.slot(Type::Scalar);
                self.small[slot.offset] = value;
                Lowered::Small { slot, stage: 0, constant: true }
            }
            Value::Input(Role::LearningRate) => scalar(self.learning_rate),
            Value::Input(Role::Step) => scalar(self.step),
            Value::Input(Role::Weight) => self.input(Source::Weight),
            Value::Input(Role::Gradient) => self.input(Source::Gradient),
            Value::Input(Role::State(slot)) => self.input(Source::State(slot)),
            Value::Input(Role::Input(input)) => self.input(Source::Input(input)),
        }
    }

    fn input(&mut self, source: Source) -> Lowered {
        self.trees.push(Tree { stage: 0, input: Some(source), spill: None });
        Lowered::Tree(self.trees.len() - 1)
    }

    pub(super) fn slot(&mut self, ty: Type) -> Slot {
        let offset = self.small.len();
        self.small.resize(offset + self.layout.count(ty), 0.0);
        Slot { offset, ty }
    }

    pub(super) fn reach(&mut self, stage: usize) {
        if self.stages.len() <= stage {
            self.stages.resize_with(stage + 1, Stage::default);
            self.drafts.resize_with(stage + 1, Vec::new);
        }
    }

    pub(super) fn stage(&self, value: Lowered) -> usize {
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
        match (node.op, args) {
            (Op::Norm, [x]) => self.norm(*x),
            (Op::GlobalNorm, [x]) => {
                let square = self.dot(*x, *x);
                self.small_op(SmallOp::Op(Op::Sqrt), Type::Scalar, &[square])
            }
            (Op::Dot, [a, b]) => self.dot(*a, *b),
            (Op::CosineSim, [a, b]) => {
                let (a, b) = self.joined(*a, *b);
                let sums = [self.dot(a, b), self.dot(a, a), self.dot(b, b)];
                self.small_op(SmallOp::Cosine, Type::Scalar, &sums)
            }
            (Op::RowMean, [x]) => self.mean(*x, Type::PerRow),
            (Op::ColumnMean, [x]) => self.mean(*x, Type::PerColumn),
            (op, [x]) if let Some(schedule) = Schedule::of(op) => self.orthogonalize(*x, schedule),
            (Op::Outer, [r, c]) => {
                let stage = self.stage(*r).max(self.stage(*c));
                self.reach(stage);
                let (r, c) = (self.tree(*r, stage), self.tree(*c, stage));
                self.elementwise(Op::Mul, Type::Tree, &[Lowered::Tree(r), Lowered::Tree(c)])
            }
            (Op::Clip, [x, limit]) => {
                let square = self.dot(*x, *x);
                let factor = self.small_op(SmallOp::ClipFactor, Type::Scalar, &[square, *limit]);
                self.elementwise(Op::Mul, node.ty, &[*x, factor])
            }
            (Op::BiasCorrect, [x, beta]) => {
                let step = Lowered::Small { slot: self.step, stage: 0, constant: false };
                let factor = self.small_op(SmallOp::BiasCorrection, Type::Scalar, &[*beta, step]);
                self.elementwise(Op::Mul, node.ty, &[*x, factor])
            }
            (Op::Clamp, [x, low, high]) => {
                let raised = self.elementwise(Op::Max, x.ty().join(low.ty()), &[*x, *low]);
                self.elementwise(Op::Min, node.ty, &[raised, *high])
            }
            (op, []) if op.info().rule == ShapeRule::LeafConstant => self.leaf_constant(op),
            (op, args) => self.elementwise(op, node.ty, args),
        }
    }

    fn leaf_constant(&mut self, op: Op) -> Lowered {
        let slot = self.slot(Type::PerLeaf);
        let numbers = self.layout.leaf_constant(op);
        self.small[slot.offset..].iter_mut().zip(numbers).for_each(|(place, it)| *place = it);
        Lowered::Small { slot, stage: 0, constant: false }
    }

    fn elementwise(&mut self, op: Op, ty: Type, args: &[Lowered]) -> Lowered {
        if ty != Type::Tree {
            return match op.constant() {
                Some(value) => self.value(Value::Constant(value), &[]),
                None => self.small_op(SmallOp::Op(op), ty, args),
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
            (Op::Where, [c, a, b]) => {
                let [c, a, b] = [*c, *a, *b].map(|value| self.tree(value, stage));
                self.define(stage, |out| Draft::Choose { out, c, a, b })
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
        Lowered::Tree(self.define_tree(stage, draft))
    }

    fn define_tree(&mut self, stage: usize, draft: impl FnOnce(usize) -> Draft) -> usize {
        let out = self.trees.len();
        self.trees.push(Tree { stage, input: None, spill: None });
        self.drafts[stage].push(draft(out));
        out
    }

    /// Notes that a tree is read in a stage: a computed tree of an earlier stage is then spilled.
    pub(super) fn reads(&mut self, tree: usize, stage: usize) {
        let tree = &mut self.trees[tree];
        if tree.input.is_none() && tree.stage < stage && tree.spill.is_none() {
            tree.spill = Some(self.spills);
            self.spills += 1;
        }
    }

    /// A value as an instruction of a stage takes it: what differs within a leaf is filled out.
    fn arg(&mut self, value: Lowered, stage: usize) -> DraftArg {
        match value {
            Lowered::Small { slot, .. } if slot.is_even() => {
                self.stages[stage].by_leaf |= slot.ty == Type::PerLeaf;
                DraftArg::Small(slot)
            }
            value => DraftArg::Tree(DraftElements::plain(self.tree(value, stage))),
        }
    }

    /// A value as a tree in a stage, filled out if it is small.
    pub(super) fn tree(&mut self, value: Lowered, stage: usize) -> usize {
        match value {
            Lowered::Tree(tree) => {
                self.reads(tree, stage);
                tree
            }
            Lowered::Small { slot, .. } => {
                self.stages[stage].by_leaf |= slot.ty != Type::Scalar;
                self.define_tree(stage, |out| Draft::Fill { out, value: slot })
            }
        }
    }

    /// An instruction on small values; done at once where all of them are constants.
    pub(super) fn small_op(&mut self, op: SmallOp, ty: Type, args: &[Lowered]) -> Lowered {
        let mut slots = [self.step; 3];
        let (mut stage, mut all_constant) = (0, true);
        for (slot, arg) in slots.iter_mut().zip(args) {
            let Lowered::Small { slot: of_arg, stage: at, constant } = *arg else {
                unreachable!("small ops take small values");
            };
            *slot = of_arg;
            stage = stage.max(at);
            all_constant &= constant;
        }
        let constant = all_constant && ty == Type::Scalar;
        let out = self.slot(ty);
        let instruction = SmallInstruction { op, out, args: slots };
        if constant {
            instruction.run(&mut self.small, self.layout);
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
                (0, Some(Source::State(_) | Source::Gradient | Source::Input(_)))
                | (_, Some(Source::Gradient | Source::Spill(_)) | None) => value,
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
        let Compiler { spills, learning_rate, step, orthogonal, .. } = self;
        let decay = fuse(&mut trees, &mut drafts, &mut outputs);
        let last = stages.len() - 1;
        let mut allocator = Allocator::new(&trees);
        for (index, (stage, drafts)) in stages.iter_mut().zip(&drafts).enumerate() {
            let kept = outputs.iter().filter(|_| index == last).map(|(_, arg)| *arg);
            stage.body = allocator.stage(index, drafts, kept);
        }
        for (stage, tree, out, schedule) in orthogonal {
            let x = allocator.source(stage, tree);
            stages[stage].orthogonalizations.push(Orthogonalization { out, x, schedule });
        }
        let mut taken = outputs.iter().map(|&(output, arg)| (output, allocator.arg(last, arg)));
        let (_, update) = taken.next().expect("the update is always an output");
        // A state that was blended in place is where it belongs.
        let moved = taken.filter(|(output, arg)| {
            !matches!(arg, Arg::Elements(elements) if elements.source == Source::State(output - 1))
        });
        let states: Vec<(usize, Arg)> = moved.map(|(output, arg)| (output - 1, arg)).collect();
        let registers = allocator.registers;
        let quotient = quotient::of(&stages[last].body, update, &states);
        Plan {
            stages,
            small,
            learning_rate,
            step,
            registers,
            spills,
            update,
            decay,
            quotient,
            states,
        }
    }
}
