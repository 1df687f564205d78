//! The settings of mutation: what learners may be made of, and how often each kind is drawn.

use evo_domain::SettingError;
use serde::{Deserialize, Serialize};

use crate::learner::{LearnerFunction, LearnerOp, LearnerProgram, LearnerType};
use crate::nearest_name;

/// How learners are mutated, and their limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnerMutation {
    /// How often each kind is drawn.
    pub weights: LearnerWeights,
    /// The probability that a child is mutated; the others are their parents. Default: 0.9.
    pub mutate: f64,
    /// The addresses that statements may use.
    pub memory: LearnerMemory,
    /// What `Setup` may consist of.
    pub setup: LearnerFunctionConfig,
    /// What `Predict` may consist of.
    pub predict: LearnerFunctionConfig,
    /// What `Learn` may consist of.
    pub learn: LearnerFunctionConfig,
}

/// How many addresses there are of each type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnerMemory {
    /// Scalars, label and prediction among them: 2 to 64. Default: 5.
    pub scalars: u8,
    /// Vectors, the features among them: 1 to 64. Default: 9.
    pub vectors: u8,
    /// Matrices: 0 to 64. Default: 2.
    pub matrices: u8,
}

/// What a function may consist of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnerFunctionConfig {
    /// The names of the ops that mutation may write; none for a function that stays as it is.
    /// Default: all that memory has addresses for.
    pub ops: Option<Vec<String>>,
    /// Removal stops at this many statements. Default: 0.
    pub least: usize,
    /// Insertion stops at this many. Default: 20.
    pub most: usize,
    /// Statements that a random or an empty learner begins with. Default: `least`.
    pub start: Option<usize>,
}

/// The relative frequency of each kind of mutation, 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnerWeights {
    /// Draw an address of a statement anew, or change a constant. Default: 1.
    pub alter_parameter: f64,
    /// Draw a statement anew, its op too. Default: 1.
    pub randomize_instruction: f64,
    /// Draw all statements of a function anew. Default: 1.
    pub randomize_function: f64,
    /// Insert a drawn statement. Default: 1.
    pub insert: f64,
    /// Remove a statement. Default: 1.
    pub remove: f64,
    /// Insert one and remove one, which may be the same. Default: 0.
    pub trade: f64,
    /// Draw all statements of all functions anew: by itself, with `mutate: 1.0` and random search
    /// of one mutation, programs that know nothing of each other. Default: 0.
    pub randomize_learner: f64,
}

impl Default for LearnerMutation {
    fn default() -> LearnerMutation {
        LearnerMutation {
            weights: LearnerWeights::default(),
            mutate: 0.9,
            memory: LearnerMemory::default(),
            setup: LearnerFunctionConfig::default(),
            predict: LearnerFunctionConfig::default(),
            learn: LearnerFunctionConfig::default(),
        }
    }
}

/// What the two-layer network of the paper takes.
impl Default for LearnerMemory {
    fn default() -> LearnerMemory {
        LearnerMemory { scalars: 5, vectors: 9, matrices: 2 }
    }
}

impl Default for LearnerFunctionConfig {
    fn default() -> LearnerFunctionConfig {
        LearnerFunctionConfig { ops: None, least: 0, most: 20, start: None }
    }
}

impl Default for LearnerWeights {
    fn default() -> LearnerWeights {
        let (trade, randomize_learner) = (0.0, 0.0);
        let (alter_parameter, randomize_instruction, randomize_function) = (1.0, 1.0, 1.0);
        let (insert, remove) = (1.0, 1.0);
        LearnerWeights {
            alter_parameter,
            randomize_instruction,
            randomize_function,
            insert,
            remove,
            trade,
            randomize_learner,
        }
    }
}

impl LearnerWeights {
    /// The names of the kinds, those of the fields.
    pub(crate) const NAMES: [&'static str; 7] = [
        "alter_parameter",
        "randomize_instruction",
        "randomize_function",
        "insert",
        "remove",
        "trade",
        "randomize_learner",
    ];

    pub(super) fn by_kind(&self) -> [f64; 7] {
        [
            self.alter_parameter,
            self.randomize_instruction,
            self.randomize_function,
            self.insert,
            self.remove,
            self.trade,
            self.randomize_learner,
        ]
    }
}

impl LearnerMutation {
    pub(super) fn check(&self) -> Result<(), SettingError> {
        for (name, weight) in LearnerWeights::NAMES.into_iter().zip(self.weights.by_kind()) {
            if !(weight.is_finite() && weight >= 0.0) {
                let key = format!("mutation.weights.{name}");
                return Err(SettingError::new(key, "must be 0 or more"));
            }
        }
        let total = self.weights.by_kind().iter().sum::<f64>();
        if total <= 0.0 {
            return Err(SettingError::new("mutation.weights", "one must be above 0"));
        }
        if total.is_infinite() {
            return Err(SettingError::new("mutation.weights", "their sum must be finite"));
        }
        if !(0.0..=1.0).contains(&self.mutate) {
            let message = format!("{} is no probability", self.mutate);
            return Err(SettingError::new("mutation.mutate", message));
        }
        let LearnerMemory { scalars, vectors, matrices } = self.memory;
        let counts = [("scalars", scalars, 2), ("vectors", vectors, 1), ("matrices", matrices, 0)];
        for (name, count, least) in counts {
            let most = LearnerProgram::ADDRESSES;
            if !(least..=most).contains(&count) {
                let key = format!("mutation.memory.{name}");
                return Err(SettingError::new(key, format!("must be {least} to {most}")));
            }
        }
        Ok(())
    }
}

impl LearnerFunctionConfig {
    /// The ops that may be written, where memory has so many addresses of each type.
    pub(super) fn ops(
        &self,
        function: LearnerFunction,
        memory: [u8; 3],
    ) -> Result<Vec<LearnerOp>, SettingError> {
        let key = format!("mutation.{}", function.name().to_lowercase());
        let most = LearnerProgram::MOST_STATEMENTS;
        if self.most > most {
            let message = format!("a function holds at most {most}");
            return Err(SettingError::new(format!("{key}.most"), message));
        }
        if self.least > self.most {
            return Err(SettingError::new(format!("{key}.least"), "must be at most `most`"));
        }
        if self.start.is_some_and(|start| !(self.least..=self.most).contains(&start)) {
            let message = "must be from `least` to `most`";
            return Err(SettingError::new(format!("{key}.start"), message));
        }
        let Some(names) = &self.ops else {
            return Ok(LearnerOp::all().filter(|op| has_addresses(*op, memory)).collect());
        };
        let op = |(index, name): (usize, &String)| {
            let error = |message| SettingError::new(format!("{key}.ops[{index}]"), message);
            let op = LearnerOp::from_name(name).ok_or_else(|| {
                let names = LearnerOp::all().map(|op| op.info().name);
                let hint = match nearest_name(name, names) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => "`evo ops --set automl_zero` lists them".to_owned(),
                };
                error(format!("there is no op `{name}`; {hint}"))
            })?;
            match has_addresses(op, memory) {
                true => Ok(op),
                false => Err(error(format!("memory has no address for what `{name}` takes"))),
            }
        };
        names.iter().enumerate().map(op).collect()
    }
}

/// Whether memory has what an op reads and writes.
fn has_addresses(op: LearnerOp, memory: [u8; 3]) -> bool {
    let shape = op.shape();
    let reads = shape.inputs.iter().flatten().all(|ty| memory[*ty as usize] > 0);
    let least = |ty| u8::from(ty != LearnerType::Matrix);
    reads && shape.output.is_none_or(|ty| memory[ty as usize] > least(ty))
}
