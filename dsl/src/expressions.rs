//! Expressions as the engine sees them: scalar functions `f(x, y, …)`, searched to fit data.
//!
//! Invariant: every op of an expression works point by point, so its value at a point depends on
//! that point alone, and a data set is evaluated in one call, its points the elements of one leaf.
//! Text, edits, bytes and mutation are those of any program of the language.

mod mutation;
mod probe;

use std::sync::Arc;

use evo_domain::SettingError;

use crate::{FunctionalHasher, Mutator, ParseError, Program, ProgramKind, Programs};

pub use mutation::ExpressionMutation;
pub use probe::ExpressionProbe;

/// The domain of expressions: [`Program`]s that are scalar functions of their inputs.
pub type Expressions = Programs<ExpressionKind>;

/// Of programs `f(x, …)`.
#[derive(Clone, Copy, Debug)]
pub struct ExpressionKind {
    /// The number that all of them have; none: any.
    inputs: Option<usize>,
}

impl ProgramKind for ExpressionKind {
    const NAME: &'static str = "expressions";

    fn read(&self, text: &str) -> Result<Program, String> {
        let program = Program::parse_expression(text).map_err(|error| error.to_string())?;
        match (self.inputs, program.signature().inputs()) {
            (Some(expected), found) if found != expected => {
                Err(format!("an expression of {expected} inputs is expected, and this has {found}"))
            }
            _ => Ok(program),
        }
    }
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
        let kind = ExpressionKind { inputs: None };
        Ok(Programs { kind, mutator, hasher, neutral_retries })
    }

    /// The same, reading no expressions but those of so many inputs, as a data set has.
    #[must_use]
    pub fn of_inputs(self, inputs: usize) -> Expressions {
        Programs { kind: ExpressionKind { inputs: Some(inputs) }, ..self }
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
