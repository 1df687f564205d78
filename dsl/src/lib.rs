//! What a program *is* and how it runs: the typed language of `evo`, in which optimizers and
//! expressions are written, and that of learners ([`LearnerProgram`], with the engines
//! [`LearnerInterpreter`] and [`LearnerExecutor`]).
//!
//! A newcomer needs eight types: [`Op`] and [`Type`], [`Signature`], [`Program`] with its
//! [`Statement`]s, [`Dataflow`] (the live part of a program), [`Layout`] (where parameter tensors
//! lie), and the two engines, [`Interpreter`] (the oracle) and [`Executor`] (the fast one).
//!
//! ```
//! use evo_dsl::{Executor, Layout, Program, zoo};
//!
//! let lion = zoo::get("lion").expect("Lion is in the zoo").program();
//! let layout = Layout::new([vec![2, 3], vec![3]]);
//! let mut executor = Executor::new(&lion, &layout);
//! let (mut w, g) = (vec![1.0; 9], vec![0.5; 9]);
//! assert!(executor.step(&mut w, &g, 1.0));
//! assert_eq!(w[0], 1.0 - (1.0 + 0.1) * 0.0001);
//! # let _: Program = lion;
//! ```

mod canonical;
mod check;
mod dataflow;
mod decayed;
mod derivative;
mod derived;
mod edit;
mod encoding;
mod execute;
mod expressions;
mod functional;
mod hyperparameters;
mod interpret;
mod layout;
mod learner;
mod math;
mod matrix;
mod multiplied;
mod mutate;
mod normalised;
mod op;
mod optimizers;
mod program;
mod programs;
mod real;
mod reduce;
mod signature;
mod simplify;
mod space;
mod structural;
mod text;
mod ty;
pub mod zoo;

pub use check::{CheckError, CheckErrorKind};
pub use dataflow::{Dataflow, Liveness, Node, Value};
pub use execute::{
    DEVICE_THREADS, DeviceCohort, DeviceError, DeviceMemory, Executor, device_kernel,
};
pub use expressions::{ExpressionKind, ExpressionMutation, ExpressionProbe, Expressions};
pub use functional::{FunctionalHasher, Probe};
pub use hyperparameters::{Hyperparameter, Hyperparameters, LearningRate, Purpose};
pub use interpret::Interpreter;
pub use layout::{Layout, Leaf, LeafRole};
pub use learner::{
    Draw, LearnerConstants, LearnerDraws, LearnerError, LearnerExamples, LearnerExecutor,
    LearnerFunction, LearnerFunctionConfig, LearnerInterpreter, LearnerLoss, LearnerMemory,
    LearnerMutation, LearnerMutator, LearnerOp, LearnerOpInfo, LearnerProgram, LearnerStatement,
    LearnerTask, LearnerTasks, LearnerTraining, LearnerType, LearnerWeights, LearnerZooEntry,
    Learners, normal as draw_normal,
};
pub use mutate::{MutationConfig, MutationWeights, Mutator, NewConstant, OpChoice};
pub use op::{GUARD, Op, OpInfo, OpSet, ShapeRule};
pub use optimizers::{OptimizerKind, OptimizerProbe, Optimizers};
pub use program::{Operand, Program, Statement, Variable};
pub use programs::{ProgramKind, Programs};
pub use real::Real;
pub use signature::{Role, Signature};
pub use simplify::{
    ITERATION_LIMIT, MATCH_LIMIT, NODE_LIMIT, Note, Rounding, STATEMENT_LIMIT, Simplified,
    StopReason, simplify,
};
pub use space::{Space, SpaceConfig};
pub use structural::{structural_hash, structural_hash_of};
pub use text::ParseError;
pub use ty::Type;

/// The candidate most like `name`, if one is close enough to be a misspelling of it: at most one
/// letter in three wrong, missing, too many or exchanged with its neighbour.
pub fn nearest_name<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Comparing takes the product of the lengths, and a name this long is no misspelling.
    const LONGEST: usize = 64;
    let short = |text: &str| text.len() <= LONGEST;
    let candidates = candidates.into_iter().filter(|candidate| short(candidate) && short(name));
    let name = name.to_lowercase();
    let scored = candidates.map(|candidate| {
        let lower = candidate.to_lowercase();
        let alike = strsim::jaro_winkler(&name, &lower);
        (strsim::damerau_levenshtein(&name, &lower), alike, candidate)
    });
    let (distance, _, nearest) = scored.min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))?;
    (3 * distance <= name.chars().count() + 1).then_some(nearest)
}
