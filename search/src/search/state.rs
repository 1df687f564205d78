//! The state of a search as bytes: what a snapshot holds.
//!
//! Invariant: a search restored from its state breeds what it would have bred. Programs are saved
//! statement by statement with the very variables they use: mutation draws among variables by
//! number, and reading a text may number them anew. Each program is saved once, by its birth.

use std::collections::BTreeMap;
use std::sync::Arc;

use evo_dsl::{Dataflow, Op, Operand, Program, Statement, Variable};
use evo_hashes::Hash;
use serde::{Deserialize, Serialize};

use crate::deduplication::{Identity, Sighting};
use crate::hurdles::Hurdles;
use crate::lineage::{Lineage, LineageDigest};
use crate::restarts::SinceRestart;
use crate::strategy::StrategyState;
use crate::{Counters, Individual, MutationStatistics, RestartReason};

/// Everything that decides how a search goes on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) programs: SavedPrograms,
    pub(super) counters: Counters,
    pub(super) latest_evaluation: u64,
    pub(super) lineage: LineageDigest,
    pub(super) hurdles: Hurdles,
    pub(super) mutations: MutationStatistics,
    pub(super) start_fitness: f64,
    pub(super) since_restart: SinceRestart,
    pub(super) restarts: Vec<(u64, RestartReason, SavedIndividual)>,
    pub(super) strategy: StrategyState<SavedIndividual>,
    /// With the losses.
    pub(super) champions: Vec<(SavedIndividual, Vec<f64>)>,
    /// Individuals that may belong among the champions.
    pub(super) claims: Vec<SavedIndividual>,
    /// The birth of the fittest champion.
    pub(super) best: Option<u64>,
    /// Births bred and not absorbed, in order; their outcomes are in the store.
    pub(super) window: Vec<SavedBirth>,
}

/// An individual but for its program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedIndividual {
    birth: u64,
    behaviour: [u8; 16],
    fitness: f64,
}

/// A birth in the window but for its program and outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedBirth {
    pub(super) structure: [u8; 16],
    pub(super) behaviour: [u8; 16],
    pub(super) lineage: Option<Lineage>,
    pub(super) hurdles: Vec<f64>,
    pub(super) sighting: Sighting,
}

impl SavedBirth {
    pub(super) fn identity(&self, program: &Program) -> Identity {
        let flow = Dataflow::of(program);
        Identity {
            structure: Hash(self.structure),
            behaviour: Hash(self.behaviour),
            length: flow.live_length(),
            states: flow.live_states(),
        }
    }
}

/// Programs by birth.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SavedPrograms(BTreeMap<u64, Vec<SavedStatement>>);

#[derive(Debug, Serialize, Deserialize)]
struct SavedStatement {
    op: String,
    target: u16,
    args: Vec<SavedOperand>,
}

#[derive(Debug, Serialize, Deserialize)]
enum SavedOperand {
    Variable(u16),
    Constant(f64),
}

impl SavedPrograms {
    pub(super) fn save(&mut self, birth: u64, program: &Program) {
        self.0
            .entry(birth)
            .or_insert_with(|| program.statements().iter().map(SavedStatement::of).collect());
    }

    pub(super) fn save_individual(&mut self, individual: &Individual) -> SavedIndividual {
        let &Individual { birth, behaviour, fitness, .. } = individual;
        self.save(birth, &individual.program);
        SavedIndividual { birth, behaviour: behaviour.0, fitness }
    }

    /// The programs, with the header of the start program; `None` if one is not valid.
    pub(super) fn restore(self, start: &Program) -> Option<RestoredPrograms> {
        let mut programs = BTreeMap::new();
        for (birth, statements) in self.0 {
            let statements = statements.iter().map(SavedStatement::restore).collect::<Option<_>>();
            programs.insert(birth, Arc::new(start.with_statements(statements?).ok()?));
        }
        Some(RestoredPrograms(programs))
    }
}

/// Programs read back, by birth.
pub(super) struct RestoredPrograms(BTreeMap<u64, Arc<Program>>);

impl RestoredPrograms {
    pub(super) fn get(&self, birth: u64) -> Option<Arc<Program>> {
        self.0.get(&birth).cloned()
    }

    pub(super) fn individual(&self, saved: &SavedIndividual) -> Option<Individual> {
        let &SavedIndividual { birth, behaviour, fitness } = saved;
        let (program, behaviour) = (self.get(birth)?, Hash(behaviour));
        let flow = Dataflow::of(&program);
        let (length, states) = (flow.live_length(), flow.live_states());
        Some(Individual { birth, program, behaviour, fitness, length, states })
    }
}

impl SavedStatement {
    fn of(statement: &Statement) -> SavedStatement {
        let saved = |operand: &Operand| match *operand {
            Operand::Variable(variable) => SavedOperand::Variable(variable.0),
            Operand::Constant(value) => SavedOperand::Constant(value),
        };
        let args = statement.args().iter().map(saved).collect();
        let op = statement.op.info().name.to_owned();
        SavedStatement { op, target: statement.target.0, args }
    }

    fn restore(&self) -> Option<Statement> {
        let operand = |saved: &SavedOperand| match *saved {
            SavedOperand::Variable(variable) => Operand::Variable(Variable(variable)),
            SavedOperand::Constant(value) => Operand::Constant(value),
        };
        let op = Op::from_name(&self.op).filter(|op| op.arity() == self.args.len())?;
        let args: Vec<Operand> = self.args.iter().map(operand).collect();
        Some(Statement::new(op, Variable(self.target), &args))
    }
}
