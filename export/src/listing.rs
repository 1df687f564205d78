//! The listing of a program: what an export writes, before the syntax of any language.
//!
//! Invariant: lines are the live nodes in evaluation order, each assigned once to a name that
//! nothing else has (see [`names`](super::names)), not even the class or function that it stands
//! in, so a line may stand in any language as `name = op(arguments)`. Constants that are settings
//! are named [hyperparameters](super::hyperparameters), and the learning rate is the one users
//! pass. A readout becomes what users want of it, the weights to validate with: a last state, which
//! every step writes and none reads.

use evo_dsl::{
    Dataflow, Hyperparameter, Hyperparameters, LeafRole, LearningRate, Op, Program, Role,
    Signature, Type, Value, Variable,
};

use super::names::{Names, class_name, function_name};

/// What a line reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Argument {
    /// The weights.
    Weight,
    /// The gradient.
    Gradient,
    /// A live state, by its place in [`Listing::states`].
    State(usize),
    /// The learning rate as users pass it.
    LearningRate,
    /// The program's normalised learning rate, `lr / unit`, where [`LearningRate::unit`] is set.
    NormalizedRate,
    /// The step number, 1 at first.
    Step,
    /// The result of a line, by its place in [`Listing::lines`].
    Line(usize),
    /// A setting, by its place in [`Listing::hyperparameters`].
    Hyperparameter(usize),
    /// A number of the formula.
    Constant(f64),
}

/// One live operation, `name = op(args…)`.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The name of its result.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// The type of the result.
    pub ty: Type,
    /// What it reads.
    pub args: Vec<Argument>,
}

/// A live state.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Its name, the program's parameter's where that is possible. With `_next` behind it, it is
    /// that of the next value, and with `_results` that of a list of these; nothing else has
    /// either.
    pub name: String,
    /// Its value after the step; any type, to be broadcast to a tree.
    pub next: Argument,
}

/// A program ready to be written down.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// The file's class, or type.
    pub class: String,
    /// The file's function.
    pub function: String,
    /// The program without its dead statements.
    pub program: Program,
    /// The name of the weights.
    pub weight: String,
    /// The name of the gradient.
    pub gradient: String,
    /// The live states, in the order of their slots; the weights to validate with, where they are
    /// others than those behind the step, come last.
    pub states: Vec<State>,
    /// Whether they do.
    pub readout: bool,
    /// The settings, in the order of their first use.
    pub hyperparameters: Vec<Hyperparameter>,
    /// The name of what a divisor gets added, where the program divides. [`GUARD`](evo_dsl::GUARD)
    /// in the language, it is a setting of the exports to Python.
    pub guard: Option<String>,
    /// What the learning rate means.
    pub learning_rate: LearningRate,
    /// The operations. The product that is the learning rate itself is not among them.
    pub lines: Vec<Line>,
    /// The update; any type, to be broadcast to a tree.
    pub update: Argument,
}

impl Listing {
    /// Lists the live part of a program that is exported by a name.
    pub(super) fn of(program: &Program, name: &str) -> Listing {
        let flow = Dataflow::of(program).written_out().into_owned();
        let (class, function) = (class_name(name), function_name(name));
        let mut names = Names::beside(&[class.clone(), state_class(&class), function.clone()]);
        let weight = names.unique(&parameter_name(program, Role::Weight));
        let gradient = names.unique(&parameter_name(program, Role::Gradient));
        let slots: Vec<usize> = (0..program.signature().states())
            .filter(|slot| flow.outputs()[1 + slot].is_some())
            .collect();
        let state_names: Vec<String> = slots
            .iter()
            .map(|slot| {
                names.family(&parameter_name(program, Role::State(*slot)), &["_next", "_results"])
            })
            .collect();
        let readout =
            flow.readout().map(|value| (value, names.family("readout", &["_next", "_results"])));
        let divides = flow.nodes().iter().any(|node| node.op == Op::Div);
        let guard = divides.then(|| names.unique("eps"));
        let mut hyperparameters = Hyperparameters::of(&flow);
        let learning_rate = hyperparameters.rate.clone();
        for setting in &mut hyperparameters.all {
            setting.name = names.unique(&setting.name);
        }
        let node_names =
            node_names(program, &flow, &learning_rate, &slots, &state_names, &mut names);
        let resolve = Resolve::new(&flow, &slots, &learning_rate);
        let mut lines = resolve.lines(&flow, &hyperparameters, node_names);
        let output = |index: usize| {
            resolve.value(flow.outputs()[index].expect("the update and live states are computed"))
        };
        let states = slots.iter().zip(state_names);
        let mut states: Vec<State> =
            states.map(|(&slot, name)| State { name, next: output(1 + slot) }).collect();
        if let Some((value, name)) = &readout {
            let args = vec![Argument::Weight, resolve.value(*value)];
            lines.push(Line { name: format!("{name}_next"), op: Op::Sub, ty: Type::Tree, args });
            states.push(State { name: name.clone(), next: Argument::Line(lines.len() - 1) });
        }
        Listing {
            class,
            function,
            program: program.live(),
            weight,
            gradient,
            states,
            readout: readout.is_some(),
            hyperparameters: hyperparameters.all,
            guard,
            lines,
            update: output(0),
            learning_rate,
        }
    }

    /// The states that a step reads: all but the weights to validate with.
    pub(super) fn carried(&self) -> &[State] {
        &self.states[..self.states.len() - usize::from(self.readout)]
    }

    /// The name of the weights to validate with, where they are a state.
    pub(super) fn read_out(&self) -> Option<&str> {
        self.states.last().filter(|_| self.readout).map(|state| state.name.as_str())
    }

    /// The class of the states, where there is one.
    pub(super) fn state_class(&self) -> String {
        state_class(&self.class)
    }

    /// The type of what a line reads.
    pub(super) fn ty(&self, argument: Argument) -> Type {
        match argument {
            Argument::Weight | Argument::Gradient | Argument::State(_) => Type::Tree,
            Argument::Line(line) => self.lines[line].ty,
            _ => Type::Scalar,
        }
    }

    /// Everything read by some line or returned, in order, with repetitions.
    pub(super) fn reads(&self) -> impl Iterator<Item = Argument> {
        let args = self.lines.iter().flat_map(|line| line.args.iter().copied());
        let outputs =
            std::iter::once(self.update).chain(self.states.iter().map(|state| state.next));
        args.chain(outputs)
    }

    /// Whether some line reads it or it is returned.
    pub(super) fn reads_any(&self, is_it: impl Fn(Argument) -> bool) -> bool {
        self.reads().any(is_it)
    }

    /// Whether it asks what tensors are in their network.
    pub(super) fn needs_roles(&self) -> bool {
        self.lines.iter().any(|line| LeafRole::asked_by(line.op).is_some())
    }

    /// Whether the program depends on the step number, which `bias_correct` does without naming it.
    pub(super) fn needs_step(&self) -> bool {
        self.reads_any(|argument| argument == Argument::Step)
            || self.lines.iter().any(|line| line.op == Op::BiasCorrect)
    }
}

fn state_class(class: &str) -> String {
    format!("{class}State")
}

/// The name that the program gives to a parameter.
fn parameter_name(program: &Program, role: Role) -> String {
    let place = program.signature().parameters().iter().position(|other| *other == role);
    let variable = place.and_then(|place| u16::try_from(place).ok()).map(Variable);
    variable.map_or(Signature::default_name(role).to_owned(), |variable| {
        program.name(variable).into_owned()
    })
}

/// A name for every node: `update` and `m_next` for what is returned, else that of the variable it
/// is assigned to.
fn node_names(
    program: &Program,
    flow: &Dataflow,
    rate: &LearningRate,
    slots: &[usize],
    states: &[String],
    names: &mut Names,
) -> Vec<String> {
    let mut returned: Vec<Option<String>> = vec![None; flow.nodes().len()];
    // `update` is a reserved word, reserved for this; what is next to a state came with its name.
    let next = slots.iter().zip(states).map(|(slot, state)| (1 + slot, format!("{state}_next")));
    for (output, name) in std::iter::once((0, "update".to_owned())).chain(next) {
        if let Some(Value::Node(node)) = flow.outputs()[output]
            && returned[node].is_none()
        {
            returned[node] = Some(name);
        }
    }
    let all = flow.nodes().iter().zip(returned);
    all.map(|(node, name)| match name {
        _ if rate.is(node) => "lr".to_owned(),
        Some(name) => name,
        None => names.unique(&program.name(program.statements()[node.statement].target)),
    })
    .collect()
}

/// Values of the dataflow as arguments of lines.
struct Resolve<'a> {
    slots: &'a [usize],
    rate: &'a LearningRate,
    /// The line of each node; `None` for the learning rate itself.
    line_of: Vec<Option<usize>>,
}

impl<'a> Resolve<'a> {
    fn new(flow: &Dataflow, slots: &'a [usize], rate: &'a LearningRate) -> Resolve<'a> {
        let mut lines = 0..;
        let number = |node| if rate.is(node) { None } else { lines.next() };
        let line_of = flow.nodes().iter().map(number).collect();
        Resolve { slots, rate, line_of }
    }

    fn value(&self, value: Value) -> Argument {
        match value {
            Value::Input(Role::Weight) => Argument::Weight,
            Value::Input(Role::Gradient) => Argument::Gradient,
            Value::Input(Role::State(slot)) => {
                let place = self.slots.iter().position(|live| *live == slot);
                Argument::State(place.expect("a state that is read is live"))
            }
            Value::Input(Role::LearningRate) if self.rate.unit.is_some() => {
                Argument::NormalizedRate
            }
            Value::Input(Role::LearningRate) => Argument::LearningRate,
            Value::Input(Role::Step) => Argument::Step,
            Value::Input(Role::Input(_)) => unreachable!("what is exported is an optimizer"),
            Value::Node(node) => self.line_of[node].map_or(Argument::LearningRate, Argument::Line),
            Value::Constant(value) => Argument::Constant(value),
        }
    }

    fn lines(
        &self,
        flow: &Dataflow,
        hyperparameters: &Hyperparameters,
        names: Vec<String>,
    ) -> Vec<Line> {
        let nodes = flow.nodes().iter().zip(names).enumerate();
        let lines = nodes.filter(|(node, _)| self.line_of[*node].is_some());
        lines
            .map(|(index, (node, name))| {
                let args = node.args().iter().enumerate().map(|(place, &value)| {
                    let setting = hyperparameters.at(index, place);
                    setting.map_or_else(|| self.value(value), Argument::Hyperparameter)
                });
                Line { name, op: node.op, ty: node.ty, args: args.collect() }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(name: &str) -> Listing {
        Listing::of(&evo_dsl::zoo::get(name).expect("it is in the zoo").program(), name)
    }

    fn settings(listing: &Listing) -> Vec<(&str, f64)> {
        let all = listing.hyperparameters.iter();
        all.map(|setting| (setting.name.as_str(), setting.value)).collect()
    }

    #[test]
    fn lion_has_its_own_hyperparameters_and_learning_rate() {
        let lion = listing("lion");
        assert_eq!(settings(&lion), [("beta1", 0.9), ("beta2", 0.99), ("weight_decay", 0.1)]);
        assert_eq!(lion.learning_rate, LearningRate { default: 1e-4, unit: Some(1e-4) });
        let names: Vec<&str> = lion.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["update_1", "update_2", "m_next", "wd", "update_3", "update"]);
        assert_eq!(lion.lines[5].args, [Argument::Line(4), Argument::LearningRate]);
        assert!(!lion.needs_step());
    }

    #[test]
    fn equal_decay_rates_are_one_hyperparameter() {
        let adam = listing("adam");
        assert_eq!(settings(&adam), [("beta1", 0.9), ("beta2", 0.999)]);
        assert!(adam.needs_step());
        assert_eq!(settings(&listing("nesterov")), [("decay", 0.9)]);
    }

    #[test]
    fn decay_rates_of_squares_come_last() {
        for name in ["adam_mini", "laprop"] {
            assert_eq!(settings(&listing(name))[..2], [("beta1", 0.9), ("beta2", 0.999)]);
        }
        // What both kinds of averages have is the momentum's.
        assert_eq!(settings(&listing("muon_adamw"))[..2], [("beta1", 0.95), ("beta2", 0.9)]);
    }

    #[test]
    fn the_guard_of_divisions_has_the_name_eps() {
        let guard = |name: &str| listing(name).guard;
        assert_eq!(guard("adam").as_deref(), Some("eps"));
        assert_eq!(guard("adafactor"), None);
        assert!(settings(&listing("adabelief")).contains(&("eps_2", 1e-16)));
    }

    #[test]
    fn dead_states_are_gone_and_other_uses_of_the_rate_are_normalised() {
        let found = listing("lion_discovered");
        assert_eq!(found.states.len(), 1);
        assert_eq!(found.states[0].name, "v");
        assert_eq!(found.lines[0].args, [Argument::Gradient, Argument::NormalizedRate]);
        let text =
            "def train(w, g, lr):\n  update = g * lr\n  update = update * 0.1\n  return update\n";
        let scaled_later = Listing::of(&Program::parse(text).expect("it parses"), "rule");
        assert_eq!(scaled_later.learning_rate, LearningRate { default: 1.0, unit: None });
        assert_eq!(settings(&scaled_later), [("c1", 0.1)]);
        let sgd = listing("sgd");
        assert_eq!(sgd.learning_rate, LearningRate { default: 0.1, unit: Some(0.1) });
        assert_eq!(settings(&sgd), []);
    }

    #[test]
    fn names_of_the_program_that_are_words_of_a_language_are_changed() {
        let text = "def train(w, g, lambda, step, lr):\n  self = g + step\n  lr = self * lambda\n  return lr, self, self\n";
        let listing = Listing::of(&Program::parse(text).expect("it parses"), "rule");
        let names: Vec<&str> = listing.states.iter().map(|state| state.name.as_str()).collect();
        assert_eq!(names, ["lambda_2", "step_2"]);
        let names: Vec<&str> = listing.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["lambda_2_next", "update"]);
    }
}
