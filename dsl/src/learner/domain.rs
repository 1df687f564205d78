//! Learners as the engine sees them.
//!
//! Invariant: two learners of one structure predict the same, to the bit, on any task. Behaviour is
//! what a learner predicts for the first examples of the first tasks, looked at once for all of
//! these tasks, where the released program looks at each of them.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use evo_domain::{Domain, Hash, Seed, Size, StreamRng};

use super::canonical;
use super::mutate::{LearnerMutator, LearnerWeights};
use super::{
    LearnerDraws, LearnerExamples, LearnerExecutor, LearnerFunctionConfig, LearnerLoss,
    LearnerMemory, LearnerMutation, LearnerProgram, LearnerTask, LearnerTasks, LearnerTraining,
    encoding,
};

/// The domain of learning algorithms.
#[derive(Clone)]
pub struct Learners {
    mutator: Arc<LearnerMutator>,
    probe: Arc<LearnerTasks>,
}

thread_local! {
    /// What behaviours are looked at with: its memory is kept from learner to learner.
    static EXECUTOR: RefCell<LearnerExecutor> = RefCell::default();
}

impl Learners {
    pub(super) fn of(mutator: LearnerMutator, probe: LearnerTasks) -> Learners {
        Learners { mutator: Arc::new(mutator), probe: Arc::new(probe) }
    }

    /// What makes children.
    pub fn mutator(&self) -> &LearnerMutator {
        &self.mutator
    }
}

/// With every default, and all of memory: to read and to write learners, which depend on none.
impl Default for Learners {
    fn default() -> Learners {
        let addresses = LearnerProgram::ADDRESSES;
        let (scalars, vectors, matrices) = (addresses, addresses, addresses);
        let memory = LearnerMemory { scalars, vectors, matrices };
        let function = || LearnerFunctionConfig {
            most: LearnerProgram::MOST_STATEMENTS,
            ..LearnerFunctionConfig::default()
        };
        let (setup, predict, learn) = (function(), function(), function());
        let config =
            LearnerMutation { memory, setup, predict, learn, ..LearnerMutation::default() };
        let one = LearnerExamples { features: vec![1.0], labels: vec![1.0] };
        let draws = LearnerDraws::new(&mut Seed(0).stream("draws", 0));
        let task = LearnerTask { n: 1, epochs: vec![one.clone()], validation: one, draws };
        let training = LearnerTraining { loss: LearnerLoss::RootMeanSquare, most_error: 100.0 };
        let mutator = LearnerMutator::new(&config).expect("the defaults are sound");
        Learners::of(mutator, LearnerTasks::new(&[task], training))
    }
}

impl fmt::Debug for Learners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Learners").field("mutator", &self.mutator).finish_non_exhaustive()
    }
}

impl Domain for Learners {
    type Program = LearnerProgram;
    /// A learner knows itself what of it is live.
    type Analysis = ();

    const NAME: &'static str = "learners";
    const STRUCTURE_VERSION: u32 = canonical::VERSION;

    fn analyse(&self, _: &LearnerProgram) {}

    fn structure(&self, program: &LearnerProgram, (): &()) -> Hash {
        program.structural_hash()
    }

    fn behaviour(&self, program: &LearnerProgram, (): &()) -> Option<Hash> {
        EXECUTOR.with_borrow_mut(|executor| executor.behaviour(program, &self.probe))
    }

    fn probe(&self) -> &str {
        "learner, ten examples of each kind, 2"
    }

    fn size(&self, program: &LearnerProgram, (): &()) -> Size {
        let live = program.effects();
        let length = live.statements.iter().filter(|live| **live).count();
        Size { length, states: live.entry[0].len() }
    }

    fn parts(&self, program: &LearnerProgram) -> usize {
        program.statements().len()
    }

    fn mutations(&self) -> &'static [&'static str] {
        &LearnerWeights::NAMES
    }

    fn mutate(
        &self,
        parent: &LearnerProgram,
        rng: &mut StreamRng,
    ) -> (LearnerProgram, Option<usize>) {
        self.mutator.mutate(parent, rng)
    }

    fn encode(&self, program: &LearnerProgram) -> Vec<u8> {
        encoding::encode(program)
    }

    fn decode(&self, bytes: &[u8], _: &LearnerProgram) -> Option<LearnerProgram> {
        encoding::decode(bytes).filter(|program| self.mutator.fault(program).is_none())
    }

    fn text(&self, program: &LearnerProgram) -> String {
        program.to_string()
    }

    fn live_text(&self, program: &LearnerProgram) -> String {
        program.live().to_string()
    }

    fn read(&self, text: &str) -> Result<LearnerProgram, String> {
        let program = LearnerProgram::parse(text).map_err(|error| error.to_string())?;
        match self.mutator.fault(&program) {
            Some(fault) => Err(fault),
            None => Ok(program),
        }
    }
}
