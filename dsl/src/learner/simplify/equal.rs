//! Whether two learners make the same predictions: by induction over examples.
//!
//! Invariant: what is assumed of memory before an example holds behind `Setup` and is kept by an
//! example, with `Learn` or without. Addresses of either learner are assumed to hold equal values
//! as far as `Setup` leaves them equal; where an example does not keep that, classes are split and
//! the example is gone through again, until nothing splits. Values are numbered for both learners
//! alike, so predictions with one number are equal, and by induction all are.

use std::collections::BTreeMap;

use super::value::{Facts, Id, Term, Values};
use crate::learner::{LearnerFunction, LearnerProgram, LearnerStatement, LearnerType};

/// For each type the values at its addresses.
pub(super) type Memory = [[Id; LearnerProgram::ADDRESSES as usize]; 3];

/// What the statements of the first of two learners make, in the order of their list.
pub(super) struct Trace {
    /// The value of each; of one that does nothing any.
    pub(super) ids: Vec<Id>,
    /// What stands in memory before each.
    pub(super) before: Vec<Memory>,
    /// The number that each is everywhere, where it is one.
    pub(super) fills: Vec<Option<f64>>,
    /// What stands in memory before an example.
    pub(super) entry: Memory,
}

/// What is assumed of a class of addresses before an example.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Assumed {
    /// The bits of the number that they are everywhere, where they are one.
    fill: Option<u64>,
    facts: Facts,
}

/// An address of one of the two learners that is carried.
struct Slot {
    learner: usize,
    ty: LearnerType,
    address: u8,
    class: usize,
}

/// A random op that drew: all that decides how much.
type Drawn = (u8, [u64; 3]);

/// Goes through statements.
struct Run<'v> {
    values: &'v mut Values,
    memory: Memory,
    trace: Vec<(Id, Memory)>,
}

impl Run<'_> {
    /// Runs a function and gives what it drew.
    fn function(&mut self, program: &LearnerProgram, function: LearnerFunction) -> Vec<Drawn> {
        let mut drawn = Vec::new();
        for statement in program.function(function) {
            let before = self.memory;
            let mut id = 0;
            let shape = statement.op.shape();
            if let Some(ty) = shape.output {
                let args: Vec<Id> = shape
                    .inputs
                    .into_iter()
                    .flatten()
                    .zip(statement.inputs)
                    .map(|(ty, address)| self.memory[ty as usize][usize::from(address)])
                    .collect();
                let own = &mut self.memory[ty as usize][usize::from(statement.output)];
                id = match draws(statement) {
                    true => {
                        let term = Term::Drawn(function, drawn.len());
                        let constants = statement.constants.map(f64::to_bits);
                        drawn.push((statement.op.number(), constants));
                        self.values.insert(term, Facts::default())
                    }
                    false => self.values.of(statement, &args, *own),
                };
                *own = id;
            }
            self.trace.push((id, before));
        }
        drawn
    }
}

/// Whether a statement takes random numbers: a range without a length takes none.
fn draws(statement: &LearnerStatement) -> bool {
    use crate::LearnerConstants as C;
    let [low, high, _] = statement.constants;
    match statement.op.info().constants {
        C::MeanDeviation => true,
        C::LowHigh => high - low > 0.0 && (high - low).is_finite(),
        _ => false,
    }
}

fn zeros(values: &mut Values) -> Memory {
    LearnerType::ALL.map(|ty| [values.fill(ty, 0.0); LearnerProgram::ADDRESSES as usize])
}

impl Trace {
    /// The trace of the first of two learners, all of whose statements are live; `None` where they
    /// are not found to be the same.
    pub(super) fn of_both(a: &LearnerProgram, b: &LearnerProgram) -> Option<Trace> {
        let programs = [a, b];
        let mut values = Values::default();
        let (memories, setup) = Trace::setup(&mut values, programs)?;
        let mut slots = Vec::new();
        let mut classes: Vec<Assumed> = Vec::new();
        let mut known: BTreeMap<Id, usize> = BTreeMap::new();
        for (learner, program) in programs.into_iter().enumerate() {
            for (ty, address) in program.carried() {
                let id = memories[learner][ty as usize][usize::from(address)];
                let class = *known.entry(id).or_insert_with(|| {
                    classes.push(Assumed { fill: values.bits(id), facts: values.facts(id) });
                    classes.len() - 1
                });
                slots.push(Slot { learner, ty, address, class });
            }
        }
        let setup: Vec<(Id, Memory)> = setup;
        let setup_fills: Vec<Option<f64>> =
            setup.iter().map(|(id, _)| values.fill_of(*id)).collect();
        loop {
            let example = Example::of(programs, &slots, &classes)?;
            let refined = example.refined(&mut slots, &classes);
            if refined == classes {
                let whole = setup.into_iter().chain(example.trace);
                let (ids, before) = whole.unzip();
                let fills = [setup_fills, example.fills].concat();
                return Some(Trace { ids, before, fills, entry: example.entry });
            }
            classes = refined;
        }
    }

    /// What `Setup` of both leaves, and the trace of the first; `None` where they draw differently.
    #[expect(clippy::type_complexity, reason = "two results that are taken apart at once")]
    fn setup(
        values: &mut Values,
        programs: [&LearnerProgram; 2],
    ) -> Option<([Memory; 2], Vec<(Id, Memory)>)> {
        let memory = zeros(values);
        let mut of = |program: &LearnerProgram| {
            let mut run = Run { values: &mut *values, memory, trace: Vec::new() };
            let drawn = run.function(program, LearnerFunction::Setup);
            (run.memory, run.trace, drawn)
        };
        let [(first, trace, drawn), (second, _, other)] = programs.map(&mut of);
        (drawn == other).then_some(([first, second], trace))
    }
}

/// One example, gone through under what is assumed before it.
struct Example {
    values: Values,
    /// For every slot its value behind `Predict` and behind `Learn`.
    exits: Vec<[Id; 2]>,
    /// For every class its value before the example.
    classes: Vec<Id>,
    entry: Memory,
    trace: Vec<(Id, Memory)>,
    fills: Vec<Option<f64>>,
}

impl Example {
    /// `None` where predictions differ, or what is drawn does.
    fn of(programs: [&LearnerProgram; 2], slots: &[Slot], assumed: &[Assumed]) -> Option<Example> {
        const SCALAR: usize = LearnerType::Scalar as usize;
        const GIVEN: usize = LearnerProgram::GIVEN as usize;
        const PREDICTION: usize = LearnerProgram::PREDICTION as usize;
        let mut values = Values::default();
        let mut entries = [zeros(&mut values); 2];
        let mut classes = vec![0; assumed.len()];
        for slot in slots {
            let Assumed { fill, facts } = assumed[slot.class];
            let id = match fill {
                Some(bits) => values.fill(slot.ty, f64::from_bits(bits)),
                None => values.insert(Term::Carried(slot.class), facts),
            };
            classes[slot.class] = id;
            entries[slot.learner][slot.ty as usize][usize::from(slot.address)] = id;
        }
        let features = values.insert(Term::Features, Facts::default());
        for entry in &mut entries {
            entry[LearnerType::Vector as usize][GIVEN] = features;
            entry[SCALAR][GIVEN] = values.fill(LearnerType::Scalar, 0.0);
        }
        let label = values.insert(Term::Label, Facts::default());
        let left = values.insert(Term::Prediction, Facts::default());
        let mut of = |learner: usize| {
            let program = programs[learner];
            let mut run = Run { values: &mut values, memory: entries[learner], trace: Vec::new() };
            let predict = run.function(program, LearnerFunction::Predict);
            let behind_predict = run.memory;
            run.memory[SCALAR][GIVEN] = label;
            run.memory[SCALAR][PREDICTION] = left;
            let learn = run.function(program, LearnerFunction::Learn);
            ([behind_predict, run.memory], run.trace, [predict, learn])
        };
        let [(first, trace, drawn), (second, _, other)] = [0, 1].map(&mut of);
        let prediction = |behind: &[Memory; 2]| behind[0][SCALAR][PREDICTION];
        if drawn != other || prediction(&first) != prediction(&second) {
            return None;
        }
        let behind = [first, second];
        let exit = |slot: &Slot| {
            behind[slot.learner].map(|it| it[slot.ty as usize][usize::from(slot.address)])
        };
        let exits = slots.iter().map(exit).collect();
        let fills = trace.iter().map(|(id, _)| values.fill_of(*id)).collect();
        Some(Example { values, exits, classes, entry: entries[0], trace, fills })
    }

    /// The classes that an example keeps; slots are told theirs.
    fn refined(&self, slots: &mut [Slot], classes: &[Assumed]) -> Vec<Assumed> {
        let mut refined: Vec<Assumed> = Vec::new();
        let mut known: BTreeMap<(usize, [Id; 2]), usize> = BTreeMap::new();
        for (slot, exits) in slots.iter_mut().zip(&self.exits) {
            let old = classes[slot.class];
            let before = self.classes[slot.class];
            slot.class = *known.entry((slot.class, *exits)).or_insert_with(|| {
                let kept = exits.iter().all(|id| *id == before);
                let facts = exits.iter().fold(old.facts, |facts, id| {
                    let Facts { no_negative_zero, no_sign } = self.values.facts(*id);
                    Facts {
                        no_negative_zero: facts.no_negative_zero && no_negative_zero,
                        no_sign: facts.no_sign && no_sign,
                    }
                });
                refined.push(Assumed { fill: old.fill.filter(|_| kept), facts });
                refined.len() - 1
            });
        }
        refined
    }
}
