//! The domain of a space that is written out, and who scores its programs: both ask the table.
//!
//! Invariant: text, bytes and structure are those of optimizers; mutation stays in the space, and
//! what a program does and is worth stands in the row of its structure.

use std::sync::Arc;

use evo_domain::{
    DependsOn, Domain, Evaluator, Hash, Invalid, InvalidReason, Outcome, Score, Size, StreamRng,
    Trial,
};
use evo_dsl::{Dataflow, Optimizers, Program, Space, structural_hash, structural_hash_of};

use super::SpaceTable;

/// The optimizers of a space.
#[derive(Clone, Debug)]
pub struct Enumerated {
    /// To read and to write programs, and for the name of what behaviours were hashed by.
    optimizers: Optimizers,
    space: Arc<Space>,
    table: Arc<SpaceTable>,
}

/// Looks the fitness of optimizers up.
#[derive(Clone, Debug)]
pub struct TrueFitness(pub Arc<SpaceTable>);

impl Enumerated {
    /// The optimizers of a space with its table, whose behaviours were hashed as those of
    /// `optimizers` are.
    pub fn new(optimizers: Optimizers, space: Arc<Space>, table: Arc<SpaceTable>) -> Enumerated {
        Enumerated { optimizers, space, table }
    }
}

impl Domain for Enumerated {
    type Program = Program;
    /// Of a program, its dataflow and its structure.
    type Analysis = (Dataflow, Hash);

    const NAME: &'static str = "enumerated optimizers";

    fn analyse(&self, program: &Program) -> (Dataflow, Hash) {
        let flow = Dataflow::of(program);
        let structure = structural_hash_of(program.signature(), &flow);
        (flow, structure)
    }

    fn structure(&self, _: &Program, (_, structure): &(Dataflow, Hash)) -> Hash {
        *structure
    }

    fn behaviour(&self, _: &Program, (_, structure): &(Dataflow, Hash)) -> Option<Hash> {
        self.table.row(structure)?.behaviour
    }

    fn probe(&self) -> &str {
        self.optimizers.probe()
    }

    fn size(&self, program: &Program, (flow, _): &(Dataflow, Hash)) -> Size {
        self.optimizers.size(program, flow)
    }

    fn mutations(&self) -> &'static [&'static str] {
        self.space.mutations()
    }

    fn mutate(&self, parent: &Program, rng: &mut StreamRng) -> (Program, Option<usize>) {
        self.space.mutate(parent, rng)
    }

    fn encode(&self, program: &Program) -> Vec<u8> {
        self.optimizers.encode(program)
    }

    fn decode(&self, bytes: &[u8], start: &Program) -> Option<Program> {
        self.optimizers.decode(bytes, start).filter(|program| self.space.contains(program))
    }

    fn text(&self, program: &Program) -> String {
        self.optimizers.text(program)
    }

    fn live_text(&self, program: &Program) -> String {
        self.optimizers.live_text(program)
    }

    fn read(&self, text: &str) -> Result<Program, String> {
        let program = self.optimizers.read(text)?;
        match self.space.contains(&program) {
            true => Ok(program),
            false => Err("is no program of the space".to_owned()),
        }
    }
}

impl Evaluator<Program> for TrueFitness {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        let outcome = |trial: &Trial<'_, Program>| match self.0.row(&structural_hash(trial.program))
        {
            None => Outcome::Failed { message: "is no program of the table".to_owned() },
            Some(row) => row.fitness.map_or_else(
                || {
                    let (reason, task) = (InvalidReason::Diverged, "table".to_owned());
                    Outcome::Invalid(Invalid { reason, task, step: 0, stages: Vec::new() })
                },
                |fitness| Outcome::Scored(Score::new(fitness, Vec::new())),
            ),
        };
        cohort.iter().map(outcome).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}
