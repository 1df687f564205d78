//! The live dataflow graph of a program: what is computed, with names and dead code gone.
//!
//! Invariant: nodes are in evaluation order and every node reaches an output that matters. A
//! state slot matters only if an update or readout of some later step depends on it, so liveness is
//! a fixpoint over the steps, not one pass over the outputs: `m = cosh(update)` in the Lion paper's
//! program 4 is returned and yet dead, because the next call overwrites `m` before reading it.

use crate::{Op, Operand, Program, Role, Type};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A parameter of the program.
    Input(Role),
    /// The result of a node, by its index.
    Node(usize),
    /// A number of the program's own.
    Constant(f64),
}

/// One live operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// The type of the result.
    pub ty: Type,
    /// The statement it came from.
    pub statement: usize,
    args: [Value; 3],
}

impl Node {
    /// The arguments, as many as the op takes.
    pub fn args(&self) -> &[Value] {
        &self.args[..self.op.arity()]
    }
}

/// Why a statement is, or is not, needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// Some update or readout depends on it.
    Live,
    /// Returned as a state, but no later step reads that state before overwriting it.
    DeadAcrossSteps,
    /// Nothing returned depends on it.
    Dead,
}

/// The live operations of a program.
#[derive(Clone, Debug)]
pub struct Dataflow {
    nodes: Vec<Node>,
    outputs: Vec<Option<Value>>,
    readout: Option<Value>,
}

impl Dataflow {
    /// The live graph of a program.
    pub fn of(program: &Program) -> Dataflow {
        let full = Full::of(program);
        let (live, states) = full.live();
        let mut flow = Dataflow { nodes: Vec::with_capacity(full.nodes.len()), ..Self::empty() };
        let mut index = vec![0; full.nodes.len()];
        let moved = |value: Value, index: &[usize]| match value {
            Value::Node(node) => Value::Node(index[node]),
            other => other,
        };
        for (statement, &(op, args)) in full.nodes.iter().enumerate() {
            if live[statement] {
                index[statement] = flow.nodes.len();
                flow.push(statement, op, args.map(|value| moved(value, &index)));
            }
        }
        let outputs = full.outputs.iter().enumerate();
        let outputs = outputs.map(|(output, &value)| {
            let matters = output == 0 || states[output - 1];
            matters.then(|| moved(value, &index))
        });
        let readout = full.readout.map(|value| moved(value, &index));
        flow.returning(outputs.collect(), readout)
    }

    /// A graph from its nodes, each after its arguments and all of them live, its outputs and its
    /// readout, none of which is a constant.
    ///
    /// # Panics
    /// If an op does not take its arguments.
    pub(crate) fn from_nodes(
        nodes: impl IntoIterator<Item = (Op, [Value; 3])>,
        outputs: Vec<Option<Value>>,
        readout: Option<Value>,
    ) -> Dataflow {
        let mut flow = Dataflow::empty();
        for (statement, (op, args)) in nodes.into_iter().enumerate() {
            flow.push(statement, op, args);
        }
        flow.returning(outputs, readout)
    }

    /// A graph of nothing, to be built up.
    pub(crate) fn empty() -> Dataflow {
        Dataflow { nodes: Vec::new(), outputs: Vec::new(), readout: None }
    }

    /// Adds a node behind its arguments, and gives its value.
    ///
    /// # Panics
    /// If the op does not take its arguments.
    pub(crate) fn push(&mut self, statement: usize, op: Op, args: [Value; 3]) -> Value {
        let types = args.map(|value| self.ty(value));
        let ty = op.result_type(&types[..op.arity()]);
        let ty = ty.expect("the arguments of a node fit its op");
        self.nodes.push(Node { op, ty, statement, args });
        Value::Node(self.nodes.len() - 1)
    }

    /// The same graph returning these.
    pub(crate) fn returning(self, outputs: Vec<Option<Value>>, readout: Option<Value>) -> Dataflow {
        Dataflow { outputs, readout, ..self }
    }

    /// The same graph with other constants, where `other` has one for a place of a node.
    pub(crate) fn with_constants(&self, other: impl Fn(usize, usize) -> Option<f64>) -> Dataflow {
        let mut flow = self.clone();
        for (index, node) in flow.nodes.iter_mut().enumerate() {
            for (place, arg) in node.args.iter_mut().enumerate() {
                if let (Value::Constant(constant), Some(value)) = (arg, other(index, place)) {
                    *constant = value;
                }
            }
        }
        flow
    }

    /// The live operations, in evaluation order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The value of each output: the update, then each state slot, `None` for a dead slot.
    pub fn outputs(&self) -> &[Option<Value>] {
        &self.outputs
    }

    /// The value of the readout: what is subtracted from the weights to get those to validate with.
    /// `None` where that is the update, or nothing is said of it.
    pub fn readout(&self) -> Option<Value> {
        self.readout
    }

    /// The update, each state slot, and behind them the readout if there is one.
    pub(crate) fn all_outputs(&self) -> impl Iterator<Item = Option<Value>> {
        self.outputs.iter().copied().chain(self.readout.map(Some))
    }

    /// Number of live statements, as [`Program::live_length`].
    pub fn live_length(&self) -> usize {
        self.nodes.len()
    }

    /// Number of live state slots.
    pub fn live_states(&self) -> usize {
        self.outputs[1..].iter().flatten().count()
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> Type {
        match value {
            Value::Input(role) => role.ty(),
            Value::Node(node) => self.nodes[node].ty,
            Value::Constant(_) => Type::Scalar,
        }
    }
}

/// The graph of all statements, dead ones included: node `i` is statement `i`.
struct Full {
    nodes: Vec<(Op, [Value; 3])>,
    /// The update and each state slot.
    outputs: Vec<Value>,
    /// Where it is not the update.
    readout: Option<Value>,
}

impl Full {
    fn of(program: &Program) -> Full {
        let parameters = program.signature().parameters();
        let mut current = vec![Value::Constant(0.0); program.variables()];
        for (slot, &role) in current.iter_mut().zip(parameters) {
            *slot = Value::Input(role);
        }
        let mut nodes = Vec::with_capacity(program.statements().len());
        for (index, statement) in program.statements().iter().enumerate() {
            let mut args = [Value::Constant(0.0); 3];
            for (slot, operand) in args.iter_mut().zip(statement.args()) {
                *slot = match *operand {
                    Operand::Variable(variable) => current[usize::from(variable.0)],
                    Operand::Constant(value) => Value::Constant(value),
                };
            }
            nodes.push((statement.op, args));
            current[usize::from(statement.target.0)] = Value::Node(index);
        }
        let outputs = program.outputs().iter().map(|variable| current[usize::from(variable.0)]);
        let mut outputs: Vec<Value> = outputs.collect();
        let readout = program.readout().and_then(|_| outputs.pop());
        Full { readout: readout.filter(|readout| *readout != outputs[0]), outputs, nodes }
    }

    fn args(&self, node: usize) -> &[Value] {
        let (op, args) = &self.nodes[node];
        &args[..op.arity()]
    }

    /// Which nodes and which state slots matter.
    fn live(&self) -> (Vec<bool>, Vec<bool>) {
        let mut live = vec![false; self.nodes.len()];
        let mut states = vec![false; self.outputs.len() - 1];
        let mut pending = Vec::with_capacity(2 * self.nodes.len() + 2);
        pending.extend(self.readout);
        pending.push(self.outputs[0]);
        while let Some(value) = pending.pop() {
            match value {
                Value::Node(node) if !live[node] => {
                    live[node] = true;
                    pending.extend_from_slice(self.args(node));
                }
                Value::Input(Role::State(slot)) if !states[slot] => {
                    states[slot] = true;
                    pending.push(self.outputs[1 + slot]);
                }
                _ => {}
            }
        }
        (live, states)
    }

    fn reaches_an_output(&self) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut pending = self.outputs.clone();
        pending.extend(self.readout);
        while let Some(value) = pending.pop() {
            if let Value::Node(node) = value
                && !reached[node]
            {
                reached[node] = true;
                pending.extend_from_slice(self.args(node));
            }
        }
        reached
    }
}

impl Program {
    /// Why each statement is, or is not, needed.
    pub fn liveness(&self) -> Vec<Liveness> {
        let full = Full::of(self);
        let (live, _) = full.live();
        let reached = full.reaches_an_output();
        let classify = |(live, reached): (bool, bool)| match (live, reached) {
            (true, _) => Liveness::Live,
            (false, true) => Liveness::DeadAcrossSteps,
            (false, false) => Liveness::Dead,
        };
        live.into_iter().zip(reached).map(classify).collect()
    }

    /// Number of live statements: the length that matters.
    pub fn live_length(&self) -> usize {
        let full = Full::of(self);
        full.live().0.into_iter().filter(|live| *live).count()
    }

    /// The same program without its dead statements. A dead state slot returns whatever its
    /// variable then holds, or its own old value where that variable is gone.
    pub fn live(&self) -> Program {
        let liveness = self.liveness();
        let kept = self.statements().iter().zip(&liveness);
        let kept = kept.filter(|(_, liveness)| **liveness == Liveness::Live);
        let statements = kept.map(|(statement, _)| *statement).collect();
        self.with_live_statements(statements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(body: &str) -> Program {
        Program::parse(&format!("def train(w, g, m, v, lr):\n{body}"))
            .expect("the test's text parses")
    }

    #[test]
    fn a_state_overwritten_before_it_is_read_is_dead_across_steps() {
        let program = program(
            "  m = interp(g, v, 0.9)\n  v = g * 2\n  update = sign(m)\n  x = cos(w)\n  m = cosh(update)\n  return update, m, v\n",
        );
        use Liveness::{Dead, DeadAcrossSteps, Live};
        assert_eq!(program.liveness(), [Live, Live, Live, Dead, DeadAcrossSteps]);
        let flow = Dataflow::of(&program);
        assert_eq!(flow.nodes().len(), 3);
        assert_eq!(flow.outputs(), [Some(Value::Node(2)), None, Some(Value::Node(1))]);
        assert_eq!(program.live().statements().len(), 3);
    }

    #[test]
    fn a_chain_of_states_is_live_to_its_root() {
        let program =
            program("  update = m * lr\n  m = v * 1\n  v = g + 1\n  return update, m, v\n");
        assert!(program.liveness().iter().all(|liveness| *liveness == Liveness::Live));
    }

    #[test]
    fn an_average_that_only_a_readout_reads_is_live_and_feeds_no_update() {
        let body = "  s = s - g\n  s = s * 0.9\n  x = g + s\n  m = cosh(x)\n";
        let text =
            |program: &str| Program::parse(&format!("def train(w, g, m, s, lr):\n{program}"));
        let averaged = text(&format!("{body}  return (g, x), m, s\n")).expect("it parses");
        assert_eq!(averaged.live_length(), 3);
        assert_eq!(Dataflow::of(&averaged).live_states(), 1);
        let plain = text(&format!("{body}  return (g, g), m, s\n")).expect("it parses");
        assert_eq!(plain.live_length(), 0);
        assert_eq!(Dataflow::of(&plain).readout(), None);
    }

    #[test]
    fn removing_dead_statements_never_leaves_an_output_undefined() {
        let program = program("  x = cosh(g)\n  return g, x, v\n");
        assert_eq!(program.live().to_string(), "def train(w, g, m, v, lr):\n  return g, m, v\n");
    }
}
