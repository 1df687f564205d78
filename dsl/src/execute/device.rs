//! The programs of a cohort in the form that a device runs: words, numbers and the text of a
//! kernel.
//!
//! Invariant: nothing here knows of a device. [`DeviceCohort`] is plain data, made from the same
//! plans that the [`Executor`](crate::Executor) runs, and [`device_kernel`] is the text of one
//! kernel that interprets them: all candidates of a cohort, one block of threads each, in one
//! launch. One kernel for all programs, and not one compiled for each: compiling takes longer than
//! training does here, and a program lives for one evaluation.
//!
//! Elementwise programs get the executor's bits. What is summed up is summed in another order,
//! since the executor's sixteen sums could keep only sixteen threads busy; and small values that
//! depend on a sum go through the device's float64 functions. Both are the same on every run and
//! for every place in every cohort. Small values that do not depend on the parameters (powers of a
//! decay, a bias correction) are computed by the host, with the executor's bits, and handed over
//! with each step.

mod codes;
mod encode;
mod kernel;

use std::ops::Range;

use super::compile::compile;
use super::plan::{Plan, Slot, SmallInstruction};
use crate::{Dataflow, Layout, Program};
use codes::{PER_THREAD, SHARED_REGISTERS, THREADS};
use encode::{TooLarge, Trees, word};

pub use kernel::device_kernel;

/// Threads of a block; a block runs one program.
pub const DEVICE_THREADS: u32 = THREADS;

/// A cohort that a device cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cohort of {lanes} programs on {elements} parameters is too large for one device launch")]
pub struct DeviceError {
    lanes: usize,
    elements: usize,
}

/// What a kernel needs besides words and small values, for the whole cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Float32 numbers of states and other trees, zero at first.
    pub trees: usize,
    /// Float64 numbers of partial sums.
    pub partials: usize,
    /// Float32 numbers of matrices and registers.
    pub scratch: usize,
    /// Registers in the shared memory of each block.
    pub shared_registers: u32,
    /// Bytes of shared memory that those take.
    pub shared_bytes: u32,
}

/// A program of a cohort, compiled.
struct Compiled {
    plan: Plan,
    /// Of each state slot, and behind them of the readout, whether it is live.
    live: Vec<bool>,
    /// The slot of the readout.
    readout: Option<usize>,
}

impl Compiled {
    fn of(program: &Program, layout: &Layout) -> Compiled {
        let flow = Dataflow::of(program);
        let live = flow.all_outputs().skip(1).map(|output| output.is_some()).collect();
        let readout = flow.readout().map(|_| flow.outputs().len() - 1);
        Compiled { plan: compile(&flow, layout), live, readout }
    }
}

/// The part of a program that the host runs.
#[derive(Clone, Debug)]
struct Lane {
    small: Vec<f64>,
    prologue: Vec<SmallInstruction>,
    learning_rate: Slot,
    step: Slot,
    /// The small values handed over with each step.
    places: Vec<usize>,
}

/// The programs of a cohort and their layout as words and numbers.
#[derive(Clone, Debug)]
pub struct DeviceCohort {
    layout: Layout,
    words: Vec<u32>,
    small: Vec<f64>,
    lanes: Vec<Lane>,
    /// Where in the trees each lane's readout begins, if it has one.
    readouts: Vec<Option<usize>>,
    memory: DeviceMemory,
    step: u64,
}

impl DeviceCohort {
    /// Compiles the programs for parameters of this layout.
    ///
    /// # Errors
    /// The memory of the cohort has more numbers than words can tell apart.
    pub fn new(layout: &Layout, programs: &[&Program]) -> Result<DeviceCohort, DeviceError> {
        let too_large = |TooLarge| DeviceError { lanes: programs.len(), elements: layout.len() };
        DeviceCohort::encode(layout, programs).map_err(too_large)
    }

    fn encode(layout: &Layout, programs: &[&Program]) -> Result<DeviceCohort, TooLarge> {
        let compiled: Vec<Compiled> =
            programs.iter().map(|program| Compiled::of(program, layout)).collect();
        let most = compiled.iter().map(|compiled| compiled.plan.registers).max().unwrap_or(0);
        let shared = most.min(SHARED_REGISTERS as usize);
        let register = (THREADS * PER_THREAD) as usize;
        let mut cohort = DeviceCohort {
            layout: layout.clone(),
            words: Vec::new(),
            small: Vec::new(),
            lanes: Vec::with_capacity(programs.len()),
            readouts: Vec::with_capacity(programs.len()),
            memory: DeviceMemory {
                shared_registers: word(shared)?,
                shared_bytes: word(shared * register * size_of::<f32>())?,
                ..DeviceMemory::default()
            },
            step: 0,
        };
        let mut tables = Vec::new();
        let units = encode::layout(layout, &mut tables)?;
        cohort.words.extend([word(layout.leaves().len())?, word(units)?, word(layout.len())?]);
        cohort.words.extend(tables);
        let places = cohort.words.len();
        cohort.words.resize(places + programs.len(), 0);
        for (lane, compiled) in compiled.iter().enumerate() {
            cohort.words[places + lane] = word(cohort.words.len())?;
            cohort.program(compiled, units)?;
        }
        Ok(cohort)
    }

    fn program(&mut self, compiled: &Compiled, units: usize) -> Result<(), TooLarge> {
        let Compiled { plan, live, readout } = compiled;
        let trees = Trees::new(plan, live);
        let lane = Lane::new(plan, &self.layout);
        let values: usize = self.lanes.iter().map(|lane| lane.places.len()).sum();
        let memory = &mut self.memory;
        let readout = readout.map(|slot| memory.trees + trees.state(slot) * self.layout.len());
        self.readouts.push(readout);
        let matrices = memory.scratch;
        let registers = matrices + matrix_numbers(plan, &self.layout);
        for place in [self.small.len(), memory.trees, memory.partials, registers, values] {
            word(place)?;
        }
        let header = [
            plan.stages.len(),
            self.small.len(),
            memory.trees,
            memory.partials,
            matrices,
            registers,
            values,
            lane.places.len(),
        ];
        for number in header.into_iter().chain(lane.places.iter().copied()) {
            self.words.push(word(number)?);
        }
        encode::stages(plan, &trees, &mut self.words)?;
        let overflow = plan.registers.saturating_sub(memory.shared_registers as usize);
        let sums = plan.stages.iter().map(|stage| stage.sums.len()).max().unwrap_or(0);
        memory.scratch = registers + overflow * (THREADS * PER_THREAD) as usize;
        memory.trees += trees.count * self.layout.len();
        memory.partials += sums * units;
        word(memory.scratch)?;
        word(memory.trees)?;
        word(memory.partials)?;
        self.small.extend(&plan.small);
        self.lanes.push(lane);
        Ok(())
    }

    /// The words of the layout and of all programs.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The small values of all programs at the start.
    pub fn small_values(&self) -> &[f64] {
        &self.small
    }

    /// What else the kernel needs.
    pub fn memory(&self) -> DeviceMemory {
        self.memory
    }

    /// How many programs there are.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Where in the trees the readout of a lane's last step lies, leaf after leaf: what has to be
    /// subtracted from the weights that the step was given, to get those to validate with. `None`
    /// where these are the weights behind it.
    pub fn readout(&self, lane: usize) -> Option<Range<usize>> {
        self.readouts[lane].map(|start| start..start + self.layout.len())
    }

    /// Begins the next step: appends to `values` the bits of the small values that follow from its
    /// number and learning rate. Gives the step's number, from 1.
    pub fn begin_step(&mut self, learning_rate: f64, values: &mut Vec<u64>) -> u64 {
        self.step += 1;
        for lane in &mut self.lanes {
            lane.small[lane.learning_rate.offset] = learning_rate;
            lane.small[lane.step.offset] = self.step as f64;
            for instruction in &lane.prologue {
                instruction.run(&mut lane.small, &self.layout);
            }
            values.extend(lane.places.iter().map(|place| lane.small[*place].to_bits()));
        }
        self.step
    }

    /// How many numbers [`DeviceCohort::begin_step`] appends.
    pub fn step_values(&self) -> usize {
        self.lanes.iter().map(|lane| lane.places.len()).sum()
    }
}

impl Lane {
    fn new(plan: &Plan, layout: &Layout) -> Lane {
        let prologue = plan.stages[0].prologue.clone();
        let mut places = vec![plan.learning_rate.offset, plan.step.offset];
        places.extend(prologue.iter().flat_map(|instruction| instruction.out.range(layout)));
        let small = plan.small.clone();
        Lane { small, prologue, learning_rate: plan.learning_rate, step: plan.step, places }
    }
}

/// Float32 numbers that the matrices of an orthogonalization take: two of the size of the largest
/// leaf, two squares of its shorter side.
fn matrix_numbers(plan: &Plan, layout: &Layout) -> usize {
    if plan.stages.iter().all(|stage| stage.orthogonalizations.is_empty()) {
        return 0;
    }
    let of_leaf = |leaf: &crate::Leaf| {
        let short = leaf.rows().min(leaf.columns());
        2 * leaf.range().len() + 2 * short * short
    };
    layout.leaves().iter().map(of_leaf).max().unwrap_or(0)
}
