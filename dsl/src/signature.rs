//! The signature: what a program is given, what it carries from call to call, what it returns.
//!
//! Invariant: the outputs of an optimizer are the update followed by the next value of every state
//! slot, in slot order, so output `1 + k` always feeds the state parameter `k` of the next call; a
//! readout, where there is one, comes last. An expression has inputs and nothing else, and one
//! output; no signature mixes the two.

use std::fmt;

use crate::Type;

/// What a parameter of the program stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The parameters being trained.
    Weight,
    /// Their gradient.
    Gradient,
    /// A state slot: zero at first, then whatever the previous call returned for it.
    State(usize),
    /// The learning rate of this step, as the schedule gives it.
    LearningRate,
    /// The step number, 1 at the first call.
    Step,
    /// An input of an expression, counted from 0: its value at every point.
    Input(usize),
}

impl Role {
    /// The type of the parameter.
    pub fn ty(self) -> Type {
        match self {
            Role::Weight | Role::Gradient | Role::State(_) | Role::Input(_) => Type::Tree,
            Role::LearningRate | Role::Step => Type::Scalar,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Weight => f.write_str("the weights"),
            Role::Gradient => f.write_str("the gradient"),
            Role::State(slot) => write!(f, "state slot {}", slot + 1),
            Role::LearningRate => f.write_str("the learning rate"),
            Role::Step => f.write_str("the step number"),
            Role::Input(input) => write!(f, "input {}", input + 1),
        }
    }
}

/// Parameters, state slots and outputs of the searched function: an optimizer's
/// `train(w, g, lr; m, v) -> update, m, v`, or an expression's `f(x, y) -> z`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    parameters: Vec<Role>,
    states: usize,
    readout: bool,
}

impl Signature {
    /// The most state slots a signature may have.
    pub const MAX_STATES: usize = 4;

    /// The most inputs an expression may have.
    pub const MAX_INPUTS: usize = 10;

    /// The expression signature `f(x, y, …)` with 1 to [`Signature::MAX_INPUTS`] inputs.
    pub fn expression(inputs: usize) -> Option<Signature> {
        let parameters = (0..inputs).map(Role::Input).collect();
        let fits = (1..=Signature::MAX_INPUTS).contains(&inputs);
        fits.then_some(Signature { parameters, states: 0, readout: false })
    }

    /// The optimizer signature `train(w, g, state…, lr[, t])` with `states` slots (at most
    /// [`Signature::MAX_STATES`]), and the step number if `step` is set.
    pub fn optimizer(states: usize, step: bool) -> Option<Signature> {
        if states > Signature::MAX_STATES {
            return None;
        }
        let mut parameters = vec![Role::Weight, Role::Gradient];
        parameters.extend((0..states).map(Role::State));
        parameters.push(Role::LearningRate);
        parameters.extend(step.then_some(Role::Step));
        Some(Signature { parameters, states, readout: false })
    }

    /// The same signature with a readout, or without one.
    ///
    /// # Panics
    /// If an expression is to have one.
    #[must_use]
    pub fn with_readout(self, readout: bool) -> Signature {
        assert!(!(readout && self.is_expression()), "an expression has no readout");
        Signature { readout, ..self }
    }

    /// The parameters in the order of the program's header.
    pub fn parameters(&self) -> &[Role] {
        &self.parameters
    }

    /// Whether this is the signature of an expression, and not of an optimizer.
    pub fn is_expression(&self) -> bool {
        matches!(self.parameters.first(), Some(Role::Input(_)))
    }

    /// Number of inputs of an expression; 0 for an optimizer.
    pub fn inputs(&self) -> usize {
        self.parameters.iter().filter(|role| matches!(role, Role::Input(_))).count()
    }

    /// What the function is called in program text.
    pub fn function_name(&self) -> &'static str {
        if self.is_expression() { "f" } else { "train" }
    }

    /// Number of state slots.
    pub fn states(&self) -> usize {
        self.states
    }

    /// Whether the program says which weights to validate with: what is subtracted from the weights
    /// for that, beside the update, which is subtracted to go on training.
    pub fn has_readout(&self) -> bool {
        self.readout
    }

    /// Number of outputs: the update, or the value of an expression, every state slot, and the
    /// readout if there is one.
    pub fn outputs(&self) -> usize {
        1 + self.states + usize::from(self.readout)
    }

    /// Whether the program is given the step number.
    pub fn has_step(&self) -> bool {
        self.parameters.contains(&Role::Step)
    }

    /// The name a parameter gets when the program does not choose one.
    pub fn default_name(role: Role) -> &'static str {
        match role {
            Role::Weight => "w",
            Role::Gradient => "g",
            Role::State(slot) => ["m", "v", "s", "u"][slot],
            Role::LearningRate => "lr",
            Role::Step => "t",
            Role::Input(input) => ["x", "y", "z", "u", "v", "w", "a", "b", "c", "d"][input],
        }
    }
}
