//! Encoding: a plan as words.
//!
//! Invariant: the words say what the machine does, instruction by instruction and in its order.
//! What the machine decides while it runs (which leaf, which place) the kernel finds in the tables
//! of the layout; outputs become the last instructions of the last stage.

use super::codes::*;
use crate::execute::plan::{
    Arg, Elements, Instruction, Modifier, Plan, Slot, SmallInstruction, SmallOp, Source, Stage,
};
use crate::{Layout, Op, Type};

/// What is too large for the words of a device.
pub(super) struct TooLarge;

pub(super) fn word(number: usize) -> Result<u32, TooLarge> {
    u32::try_from(number).map_err(|_| TooLarge)
}

/// The tables of a layout: leaves, then units. Gives the number of units.
pub(super) fn layout(layout: &Layout, words: &mut Vec<u32>) -> Result<usize, TooLarge> {
    let mut parts = Vec::new();
    for (index, leaf) in layout.leaves().iter().enumerate() {
        let before = [Type::PerRow, Type::PerColumn].map(|ty| leaf.places(ty, index).start);
        let [row, column] = before;
        let unit = parts.len() / PART as usize;
        for number in [leaf.range().start, leaf.rows(), leaf.columns(), row, column, unit] {
            words.push(word(number)?);
        }
        let len = leaf.range().len();
        for start in (0..len).step_by(UNIT as usize) {
            let count = (len - start).min(UNIT as usize);
            parts.extend([word(index)?, word(start)?, word(count)?]);
        }
    }
    words.extend(&parts);
    Ok(parts.len() / PART as usize)
}

/// How the trees of a program are numbered in its memory: live states, spills, and what a pass
/// keeps for means.
pub(super) struct Trees {
    states: Vec<usize>,
    spills: usize,
    kept: usize,
    pub count: usize,
}

impl Trees {
    /// `live` says of each state slot whether it is live.
    pub(super) fn new(plan: &Plan, live: &[bool]) -> Trees {
        let mut next = 0;
        let number = |live: &bool| {
            let number = next;
            next += usize::from(*live);
            number
        };
        let states: Vec<usize> = live.iter().map(number).collect();
        let kept = plan.stages.iter().map(|stage| kept(stage).count()).max().unwrap_or(0);
        Trees { states, spills: next, kept: next + plan.spills, count: next + plan.spills + kept }
    }

    /// The tree of a state slot.
    pub(super) fn state(&self, slot: usize) -> usize {
        self.states[slot]
    }

    fn spill(&self, spill: usize) -> usize {
        self.spills + spill
    }
}

/// The means of a stage whose argument is in a register: the pass keeps it in a tree, since rows
/// and columns are summed up after the pass.
fn kept(stage: &Stage) -> impl Iterator<Item = Slot> {
    stage.body.iter().filter_map(|instruction| match instruction {
        Instruction::Sum { slot, x: Source::Register(_) } => Some(*slot),
        _ => None,
    })
}

/// Encodes the stages of a plan.
pub(super) fn stages(plan: &Plan, trees: &Trees, words: &mut Vec<u32>) -> Result<(), TooLarge> {
    for (index, stage) in plan.stages.iter().enumerate() {
        let mut encoder =
            Encoder { trees, words: Vec::new(), instructions: 0, means: Vec::new(), kept: 0 };
        // The first stage's needs nothing of the parameters, so the host runs it.
        let prologue = if index == 0 { &[][..] } else { &stage.prologue };
        encoder.prologue(prologue)?;
        for orthogonalization in &stage.orthogonalizations {
            let out = word(trees.spill(orthogonalization.out))?;
            let operand = encoder.source(orthogonalization.x)?;
            encoder.words.extend([out, operand, orthogonalization.schedule as u32]);
        }
        for instruction in &stage.body {
            encoder.instruction(instruction)?;
        }
        if index + 1 == plan.stages.len() {
            encoder.outputs(plan)?;
        }
        let Encoder { words: body, instructions, means, .. } = encoder;
        words.extend([
            word(prologue.len())?,
            word(stage.orthogonalizations.len())?,
            instructions,
            word(stage.sums.len())?,
            word(means.len() / MEAN as usize)?,
        ]);
        words.extend(body);
        for slot in &stage.sums {
            words.push(word(slot.offset)?);
        }
        words.extend(means);
    }
    Ok(())
}

struct Encoder<'a> {
    trees: &'a Trees,
    words: Vec<u32>,
    instructions: u32,
    /// Means of this stage, and how many of them read what the pass keeps for them.
    means: Vec<u32>,
    kept: usize,
}

/// Where an instruction's result goes.
#[derive(Clone, Copy)]
enum Target {
    None,
    Register(usize),
    Tree(usize),
    Sum(usize),
}

/// An operand: kind, modifier and number, then the place of the small value it needs.
type Operand = [u32; 2];

impl Encoder<'_> {
    fn prologue(&mut self, prologue: &[SmallInstruction]) -> Result<(), TooLarge> {
        let mut before_is_scalar = true;
        for (index, instruction) in prologue.iter().enumerate() {
            let code = match instruction.op {
                SmallOp::Op(op) => op as u32,
                SmallOp::Spread => SPREAD,
                SmallOp::Total => TOTAL,
                SmallOp::LeafTotal => LEAF_TOTAL,
                SmallOp::LeafMean => LEAF_MEAN,
                SmallOp::Cosine => COSINE,
                SmallOp::ClipFactor => CLIP_FACTOR,
                SmallOp::BiasCorrection => BIAS_CORRECTION,
            };
            // One thread does all that is scalar, so it need not wait for itself.
            let scalar = instruction.out.ty == Type::Scalar && code != TOTAL;
            let wait = index > 0 && !(scalar && before_is_scalar);
            before_is_scalar = scalar;
            self.words.extend([code, u32::from(wait)]);
            for slot in [instruction.out].into_iter().chain(instruction.args) {
                self.words.extend([slot.ty as u32, word(slot.offset)?]);
            }
        }
        Ok(())
    }

    fn instruction(&mut self, instruction: &Instruction) -> Result<(), TooLarge> {
        match *instruction {
            Instruction::Unary { op, out, x } => {
                let x = self.plain(x)?;
                self.push(op as u32, Target::Register(out.0.into()), &[x])
            }
            Instruction::Binary { op, out, a, b } => {
                let operands = [self.arg(a)?, self.arg(b)?];
                self.push(op as u32, Target::Register(out.0.into()), &operands)
            }
            Instruction::Interp { out, x, y, a } => {
                let operands = [self.elements(x)?, self.elements(y)?, small(a)?];
                self.push(Op::Interp as u32, Target::Register(out.0.into()), &operands)
            }
            Instruction::InterpState { state, x, a } => {
                let old = self.plain(Source::State(state))?;
                let operands = [self.elements(x)?, old, small(a)?];
                let state = self.trees.state(state);
                self.push(Op::Interp as u32, Target::Tree(state), &operands)
            }
            Instruction::Choose { out, c, a, b } => {
                let operands = [self.plain(c)?, self.plain(a)?, self.plain(b)?];
                self.push(Op::Where as u32, Target::Register(out.0.into()), &operands)
            }
            Instruction::Fill { out, value } => {
                let value = small(value)?;
                self.push(COPY, Target::Register(out.0.into()), &[value])
            }
            Instruction::Copy { out, x } => {
                let x = self.plain(x)?;
                self.push(COPY, Target::Register(out.0.into()), &[x])
            }
            Instruction::Spill { spill, x } => {
                let x = self.plain(x)?;
                self.push(COPY, Target::Tree(self.trees.spill(spill)), &[x])
            }
            Instruction::Reduce { sum, a, b } => {
                let operands = [self.plain(a)?, self.plain(b)?];
                self.push(REDUCE, Target::Sum(sum), &operands)
            }
            Instruction::Sum { slot, x } => self.sum(slot, x),
        }
    }

    /// Rows and columns are summed up after the pass, from memory.
    fn sum(&mut self, slot: Slot, x: Source) -> Result<(), TooLarge> {
        let operand = match x {
            Source::Register(_) => {
                let tree = self.trees.kept + self.kept;
                self.kept += 1;
                let x = self.plain(x)?;
                self.push(COPY, Target::Tree(tree), &[x])?;
                numbered(TREE, tree)?
            }
            _ => self.source(x)?,
        };
        self.means.extend([slot.ty as u32, word(slot.offset)?, operand]);
        Ok(())
    }

    /// The update first, as the states are moved after it.
    fn outputs(&mut self, plan: &Plan) -> Result<(), TooLarge> {
        let update = self.arg(plan.update)?;
        match plan.decay {
            Some(decay) => {
                let factor = |slot: Option<Slot>| slot.map_or(Ok([ONE, 0]), small);
                let operands = [update, factor(decay.weight)?, factor(decay.scale)?];
                self.push(SUBTRACT_DECAYED, Target::None, &operands)?;
            }
            None => self.push(SUBTRACT, Target::None, &[update])?,
        }
        for (slot, arg) in &plan.states {
            let value = self.arg(*arg)?;
            self.push(COPY, Target::Tree(self.trees.state(*slot)), &[value])?;
        }
        Ok(())
    }

    fn push(&mut self, code: u32, target: Target, operands: &[Operand]) -> Result<(), TooLarge> {
        let target = match target {
            Target::None => 0,
            Target::Register(number) | Target::Sum(number) => numbered(0, number)?,
            Target::Tree(number) => numbered(TARGET_TREE, number)?,
        };
        self.words.extend([code | target, word(operands.len())?]);
        for index in 0..3 {
            self.words.extend(operands.get(index).copied().unwrap_or([ONE, 0]));
        }
        self.instructions += 1;
        Ok(())
    }

    fn source(&self, source: Source) -> Result<u32, TooLarge> {
        match source {
            Source::Register(register) => numbered(REGISTER, register.0.into()),
            Source::Weight => Ok(WEIGHT),
            Source::Gradient => Ok(GRADIENT),
            Source::State(slot) => numbered(TREE, self.trees.state(slot)),
            Source::Spill(spill) => numbered(TREE, self.trees.spill(spill)),
            Source::Input(_) => unreachable!("a cohort of a device is one of optimizers"),
        }
    }

    fn plain(&self, source: Source) -> Result<Operand, TooLarge> {
        Ok([self.source(source)?, 0])
    }

    fn elements(&self, elements: Elements) -> Result<Operand, TooLarge> {
        let (modifier, slot) = match elements.modifier {
            Modifier::Plain => (PLAIN, [0, 0]),
            Modifier::Square => (SQUARE, [0, 0]),
            Modifier::Root => (ROOT, [0, 0]),
            Modifier::Scale(slot) => (SCALE, small(slot)?),
            Modifier::RootOfScaled(slot) => (ROOT_OF_SCALED, small(slot)?),
        };
        let leafwise = slot[0] & LEAFWISE;
        Ok([self.source(elements.source)? | modifier << MODIFIER_SHIFT | leafwise, slot[1]])
    }

    fn arg(&self, arg: Arg) -> Result<Operand, TooLarge> {
        match arg {
            Arg::Elements(elements) => self.elements(elements),
            Arg::Small(slot) => small(slot),
        }
    }
}

fn numbered(kind: u32, number: usize) -> Result<u32, TooLarge> {
    let number = word(number)?;
    if number >> (u32::BITS - NUMBER_SHIFT) == 0 {
        Ok(kind | number << NUMBER_SHIFT)
    } else {
        Err(TooLarge)
    }
}

/// A small value as an operand.
fn small(slot: Slot) -> Result<Operand, TooLarge> {
    let kind = match slot.ty {
        Type::Scalar => EVEN,
        Type::PerLeaf => EVEN | LEAFWISE,
        Type::PerRow => ROWS,
        Type::PerColumn => COLUMNS,
        Type::Tree => unreachable!("slots are short of a tree"),
    };
    Ok([kind, word(slot.offset)?])
}
