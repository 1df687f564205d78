//! Expressions as the engine sees them: scalar functions `f(x, y, …)`, searched to fit data.
//!
//! Invariant: every op of an expression works point by point, so its value at a point depends on
//! that point alone, and a data set is evaluated in one call, its points the elements of one leaf.
//! Text, edits, bytes and mutation are those of any program of the language.

mod mutation;
mod probe;

use std::sync::Arc;

use evo_domain::{Domain, Hash, SettingError, Size, StreamRng};

use crate::{
    Dataflow, FunctionalHasher, Mutator, ParseError, Program, edit, encoding, mutate,
    structural_hash_of,
};

pub use mutation::ExpressionMutation;
pub use probe::ExpressionProbe;

/// The domain of expressions: [`Program`]s that are scalar functions of their inputs.
#[derive(Clone, Debug)]
pub struct Expressions {
    mutator: Mutator,
    hasher: FunctionalHasher,
    neutral_retries: u32,
    inputs: Option<usize>,
}

impl Expressions {
    /// Expressions mutated and compared in this way, the hasher one with an [`ExpressionProbe`].
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn new(
        config: &ExpressionMutation,
        hasher: FunctionalHasher,
    ) -> Result<Expressions, SettingError> {
        let mutator = Mutator::of_expressions(&config.0)?;
        let neutral_retries = config.0.neutral_retries;
        Ok(Expressions { mutator, hasher, neutral_retries, inputs: None })
    }

    /// The same, reading no expressions but those of so many inputs, as a data set has.
    #[must_use]
    pub fn of_inputs(self, inputs: usize) -> Expressions {
        Expressions { inputs: Some(inputs), ..self }
    }

    /// What its behaviours are hashed by.
    pub fn hasher(&self) -> &FunctionalHasher {
        &self.hasher
    }

    /// The expression to start from where none is given: the first of the inputs with these names.
    ///
    /// ```
    /// let start = evo_dsl::Expressions::start(&["x", "y"])?;
    /// assert_eq!(start.to_string(), "def f(x, y):\n  z = x * 1.0\n  return z\n");
    /// # Ok::<(), evo_dsl::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// Too many inputs, or a name that cannot be one's.
    pub fn start(inputs: &[&str]) -> Result<Program, ParseError> {
        let free = |name: &&str| !inputs.contains(name);
        let result = ["z", "out", "value"].into_iter().find(free).unwrap_or("result_");
        let first = inputs.first().copied().unwrap_or_default();
        let header = format!("def f({}):", inputs.join(", "));
        // Two lines and not one formula, so that mutation finds a variable to write.
        let text = format!("{header}\n  {result} = {first} * 1.0\n  return {result}\n");
        Program::parse_expression(&text)
    }
}

impl Default for Expressions {
    /// With every default: to read and to write expressions, which depend on none.
    fn default() -> Expressions {
        let hasher = FunctionalHasher::with_probe(8, Arc::new(ExpressionProbe::default()));
        let hasher = hasher.expect("8 is between 1 and 23");
        Expressions::new(&ExpressionMutation::default(), hasher).expect("the defaults are sound")
    }
}

impl Domain for Expressions {
    type Program = Program;
    type Analysis = Dataflow;

    const NAME: &'static str = "expressions";

    fn analyse(&self, program: &Program) -> Dataflow {
        Dataflow::of(program)
    }

    fn structure(&self, program: &Program, flow: &Dataflow) -> Hash {
        structural_hash_of(program.signature(), flow)
    }

    fn behaviour(&self, flow: &Dataflow) -> Option<Hash> {
        self.hasher.hash_of(flow)
    }

    fn probe(&self) -> &str {
        self.hasher.probe_name()
    }

    fn size(&self, flow: &Dataflow) -> Size {
        Size { length: flow.live_length(), states: 0 }
    }

    fn mutations(&self) -> &'static [&'static str] {
        &mutate::Kind::NAMES
    }

    fn mutate(&self, parent: &Program, rng: &mut StreamRng) -> (Program, Option<usize>) {
        let (child, kind) = self.mutator.mutate_by_kind(parent, rng);
        (child, kind.map(|kind| kind as usize))
    }

    fn neutral_retries(&self) -> u32 {
        self.neutral_retries
    }

    fn tuner(&self, start: &Program) -> Result<Expressions, SettingError> {
        Ok(Expressions { mutator: self.mutator.tuner_of(start)?, ..self.clone() })
    }

    fn encode(&self, program: &Program) -> Vec<u8> {
        encoding::encode(program)
    }

    fn decode(&self, bytes: &[u8], start: &Program) -> Option<Program> {
        encoding::decode(bytes, start)
    }

    fn text(&self, program: &Program) -> String {
        program.to_string()
    }

    fn live_text(&self, program: &Program) -> String {
        program.live().to_string()
    }

    fn read(&self, text: &str) -> Result<Program, String> {
        let program = Program::parse_expression(text).map_err(|error| error.to_string())?;
        match (self.inputs, program.signature().inputs()) {
            (Some(expected), found) if found != expected => {
                Err(format!("an expression of {expected} inputs is expected, and this has {found}"))
            }
            _ => Ok(program),
        }
    }

    fn edit(&self, parent: &Program, child: &Program) -> String {
        edit::between(parent, child)
    }

    fn apply(&self, parent: &str, edit: &str) -> Option<String> {
        edit::apply(parent, edit)
    }
}
