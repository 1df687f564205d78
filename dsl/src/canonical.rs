//! The canonical form: one text, and one sequence of bytes, for all programs with one live
//! dataflow graph.
//!
//! Invariant: everything is decided by the graph alone. Values are ranked level by level, a node by
//! its op and the ranks of its arguments, so neither names nor the order of statements count, nodes
//! that compute the same get one rank, and the canonical form of a canonical form is itself.
//! Hashing every node and ordering by hashes would do as well; it costs a hash for each node, and
//! gives an order that means nothing to a reader.

use crate::{Dataflow, Op, Program, Role, Signature, Value};

/// Marks the rank of a constant, so that constants follow everything else: `x1 * 0.9`.
const CONSTANT: u16 = 1 << 15;

/// The rank of the first node; the parameters of an optimizer stand below it.
const NODE: u16 = 16;

/// The rank of the first input of an expression: above every node, since what optimizers are hashed
/// by leaves no room for ten below, and a program has at most 10,000 statements.
const INPUT: u16 = 1 << 14;

/// A node's op and the ranks of its arguments. A program holds at most 10,000 statements, so every
/// rank and count fits 16 bits.
type Key = (Op, [u16; 3]);

/// The place of every value of a graph in an order that only the graph decides.
struct Ranking {
    /// The bits of the constants, ascending.
    constants: Vec<u64>,
    /// For every node of the graph, its place among the distinct ones.
    places: Vec<u16>,
    /// The distinct nodes, every argument before what reads it.
    distinct: Vec<Key>,
}

impl Ranking {
    fn of(flow: &Dataflow) -> Ranking {
        let args = flow.nodes().iter().flat_map(|node| node.args());
        let constants = args.filter_map(|value| match value {
            Value::Constant(constant) => Some(constant.to_bits()),
            _ => None,
        });
        let mut constants: Vec<u64> = constants.collect();
        constants.sort_unstable();
        constants.dedup();
        let count = flow.nodes().len();
        let places = vec![0; count];
        let mut ranking = Ranking { constants, places, distinct: Vec::with_capacity(count) };
        let levels = levels(flow);
        let mut rest = &levels[..];
        let mut keys: Vec<(Key, usize)> = Vec::with_capacity(count);
        while let [(level, _), ..] = *rest {
            let (of_level, higher) =
                rest.split_at(rest.partition_point(|(other, _)| *other == level));
            rest = higher;
            keys.clear();
            keys.extend(of_level.iter().map(|&(_, node)| (ranking.key(flow, node), node)));
            keys.sort_unstable();
            for &(key, node) in &keys {
                if ranking.distinct.last() != Some(&key) {
                    ranking.distinct.push(key);
                }
                ranking.places[node] = ranking.distinct.len() as u16 - 1;
            }
        }
        ranking
    }

    fn key(&self, flow: &Dataflow, node: usize) -> Key {
        let node = &flow.nodes()[node];
        let mut ranks = [0; 3];
        for (rank, value) in ranks.iter_mut().zip(node.args()) {
            *rank = self.rank(*value);
        }
        if node.op.info().commutative {
            ranks[..2].sort_unstable();
        }
        (node.op, ranks)
    }

    fn rank(&self, value: Value) -> u16 {
        match value {
            Value::Input(role) => role_rank(role),
            Value::Node(node) => NODE + self.places[node],
            Value::Constant(constant) => {
                let index = self.constants.binary_search(&constant.to_bits());
                CONSTANT | index.expect("all constants of the graph are listed") as u16
            }
        }
    }

    /// The value of a rank, nodes by their place among the distinct ones.
    fn value(&self, rank: u16) -> Value {
        match rank {
            CONSTANT.. => {
                Value::Constant(f64::from_bits(self.constants[(rank - CONSTANT) as usize]))
            }
            INPUT.. => Value::Input(role_of(rank)),
            NODE.. => Value::Node((rank - NODE) as usize),
            _ => Value::Input(role_of(rank)),
        }
    }

    /// The distinct nodes that values depend on, each after its arguments, as a reader would write
    /// them down: what the first value needs first.
    fn written_order(&self, roots: impl Iterator<Item = Value>) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.distinct.len());
        let mut written = vec![false; self.distinct.len()];
        for root in roots {
            let mut pending = vec![(root, false)];
            while let Some((value, ready)) = pending.pop() {
                let Value::Node(node) = value else { continue };
                if ready && !written[node] {
                    written[node] = true;
                    order.push(node);
                } else if !written[node] {
                    pending.push((value, true));
                    let (op, ranks) = self.distinct[node];
                    let args = ranks[..op.arity()].iter().rev();
                    pending.extend(args.map(|rank| (self.value(*rank), false)));
                }
            }
        }
        order
    }
}

/// How far each node is from the inputs, by that distance; the order within one is of no account.
fn levels(flow: &Dataflow) -> Vec<(u32, usize)> {
    let mut level_of = vec![0; flow.nodes().len()];
    let mut levels = Vec::with_capacity(level_of.len());
    for (index, node) in flow.nodes().iter().enumerate() {
        let below = node.args().iter().map(|value| match value {
            Value::Node(node) => 1 + level_of[*node],
            _ => 0,
        });
        level_of[index] = below.max().unwrap_or(0);
        levels.push((level_of[index], index));
    }
    levels.sort_unstable();
    levels
}

/// The place of a role among the inputs.
pub(crate) fn role_rank(role: Role) -> u16 {
    match role {
        Role::Weight => 0,
        Role::Gradient => 1,
        Role::LearningRate => 2,
        Role::Step => 3,
        Role::State(slot) => 4 + slot as u16,
        Role::Input(input) => INPUT + input as u16,
    }
}

/// The role at a place among the inputs.
pub(crate) fn role_of(rank: u16) -> Role {
    match rank {
        0 => Role::Weight,
        1 => Role::Gradient,
        2 => Role::LearningRate,
        3 => Role::Step,
        INPUT.. => Role::Input((rank - INPUT) as usize),
        slot => Role::State(slot as usize - 4),
    }
}

impl Dataflow {
    /// The same graph in its canonical order: nodes that compute the same are one, arguments of
    /// commutative ops are in order, and so are the nodes.
    pub fn canonical(&self) -> Dataflow {
        let ranking = Ranking::of(self);
        let distinct = |value: Value| ranking.value(ranking.rank(value));
        let order = ranking.written_order(self.all_outputs().flatten().map(distinct));
        let mut index = vec![0; order.len()];
        for (position, &node) in order.iter().enumerate() {
            index[node] = position;
        }
        let moved = |value: Value| match value {
            Value::Node(node) => Value::Node(index[node]),
            other => other,
        };
        let nodes = order.iter().map(|&node| {
            let (op, ranks) = ranking.distinct[node];
            let mut args = [Value::Constant(0.0); 3];
            for (arg, rank) in args.iter_mut().zip(&ranks[..op.arity()]) {
                *arg = moved(ranking.value(*rank));
            }
            (op, args)
        });
        let outputs = self.outputs().iter();
        let outputs: Vec<Option<Value>> =
            outputs.map(|output| output.map(|value| moved(distinct(value)))).collect();
        let readout = self.readout().map(|value| moved(distinct(value)));
        let readout = readout.filter(|readout| Some(*readout) != outputs[0]);
        Dataflow::from_nodes(nodes, outputs, readout)
    }

    /// The graph as bytes: equal exactly for equal canonical forms, the signature left out.
    ///
    /// It is what the structural hash hashes, so it makes no graph and no text on the way.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        self.canonical_bytes_behind(&[])
    }

    /// The canonical bytes behind a prefix.
    pub(crate) fn canonical_bytes_behind(&self, prefix: &[u8]) -> Vec<u8> {
        let ranking = Ranking::of(self);
        let (constants, nodes) = (&ranking.constants, &ranking.distinct);
        let mut bytes = Vec::with_capacity(20 + 8 * constants.len() + 7 * nodes.len());
        bytes.extend_from_slice(prefix);
        bytes.extend((constants.len() as u16).to_le_bytes());
        bytes.extend(constants.iter().flat_map(|constant| constant.to_le_bytes()));
        bytes.extend((nodes.len() as u16).to_le_bytes());
        for (op, ranks) in nodes {
            bytes.push(*op as u8);
            bytes.extend(ranks[..op.arity()].iter().flat_map(|rank| rank.to_le_bytes()));
        }
        let rank = |output: Option<Value>| {
            output.map_or(u16::MAX, |value| ranking.rank(value)).to_le_bytes()
        };
        bytes.extend(self.outputs().iter().flat_map(|output| rank(*output)));
        let readout = self.readout().map(|readout| rank(Some(readout)));
        bytes
            .extend(readout.filter(|readout| *readout != rank(self.outputs()[0])).iter().flatten());
        bytes
    }
}

impl Program {
    /// The canonical form: the same text for all programs with this live dataflow graph.
    ///
    /// Parameters have their default names, every statement has a variable of its own (`x1`, `x2`,
    /// …), statements that compute the same are one, and a dead state slot returns itself.
    pub fn canonical(&self) -> Program {
        Program::from_dataflow(self.signature(), &Dataflow::of(self).canonical())
    }

    /// A program that computes a dataflow graph, each node in a statement and a variable of its
    /// own. A dead state slot returns itself; there is a readout where the graph has one.
    ///
    /// # Panics
    /// If the graph has other outputs than the signature, readout aside, or reads a parameter it
    /// does not have.
    pub fn from_dataflow(signature: &Signature, flow: &Dataflow) -> Program {
        use crate::{Operand, Statement, Variable};
        let parameters = signature.parameters();
        let numbered = |index: usize| {
            Variable(u16::try_from(index).expect("at most 10,000 statements, so few variables"))
        };
        let parameter = |role: Role| {
            let index = parameters.iter().position(|other| *other == role);
            numbered(index.expect("a graph reads parameters of its signature only"))
        };
        let mut names: Vec<Box<str>> =
            parameters.iter().map(|role| Signature::default_name(*role).into()).collect();
        let mut statements = Vec::with_capacity(flow.nodes().len());
        let operand = |value: Value| match value {
            Value::Input(role) => Operand::Variable(parameter(role)),
            Value::Node(node) => Operand::Variable(numbered(parameters.len() + node)),
            Value::Constant(constant) => Operand::Constant(constant),
        };
        for (index, node) in flow.nodes().iter().enumerate() {
            let args: Vec<Operand> = node.args().iter().map(|arg| operand(*arg)).collect();
            let target = numbered(parameters.len() + index);
            statements.push(Statement::new(node.op, target, &args));
            names.push(format!("x{}", index + 1).into());
        }
        let mut outputs = Vec::with_capacity(flow.outputs().len());
        for (output, value) in flow.all_outputs().enumerate() {
            let value = value.unwrap_or_else(|| Value::Input(Role::State(output - 1)));
            outputs.push(match operand(value) {
                Operand::Variable(variable) => variable,
                Operand::Constant(_) => unreachable!("an output of a graph is a node or an input"),
            });
        }
        let signature = signature.clone().with_readout(flow.readout().is_some());
        Program::new(signature, names, outputs, statements)
            .expect("a graph is typed when it is made")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(header: &str, body: &str) -> String {
        let program = Program::parse(&format!("def train({header}):\n{body}"));
        let canonical = program.expect("the test's text parses").canonical();
        let printed = canonical.to_string();
        assert_eq!(Program::parse(&printed).expect("it parses back").to_string(), printed);
        assert_eq!(canonical.canonical().to_string(), printed);
        printed
    }

    #[test]
    fn names_order_dead_code_and_duplicates_leave_no_trace() {
        let one = "  a = 0.5 * g\n  b = cosh(w)\n  c = g * 0.5\n  m = m + a\n  u = a * c\n  v = b - a\n  return u, m, v\n";
        let other =
            "  z = m\n  unused = z - 1\n  q = g * 0.5\n  out = q * q\n  return out, unused, p\n";
        let expected =
            "def train(w, g, m, v, lr):\n  x1 = g * 0.5\n  x2 = x1 * x1\n  return x2, m, v\n";
        assert_eq!(canonical("w, g, m, v, lr", one), expected);
        assert_eq!(canonical("weight, g, m, p, rate", other), expected);
    }

    #[test]
    fn what_is_not_commutative_keeps_its_order_and_constants_stand_last() {
        let body = "  a = 2.0 * square(g)\n  u = w - a\n  u = interp(u, a, 0.9)\n  return u\n";
        let expected = "def train(w, g, lr):\n  x1 = square(g)\n  x2 = x1 * 2.0\n  x3 = w - x2\n  x4 = interp(x3, x2, 0.9)\n  return x4\n";
        assert_eq!(canonical("w, g, lr", body), expected);
    }

    #[test]
    fn bytes_are_equal_exactly_for_equal_forms() {
        let flow = |body: &str| {
            let text = format!("def train(w, g, m, lr):\n  {body}\n  return u, m\n");
            Dataflow::of(&Program::parse(&text).expect("the test's text parses"))
        };
        let base = flow("u = g * 0.5 + m").canonical_bytes();
        assert_eq!(base, flow("u = m + 0.5 * g").canonical_bytes());
        for other in ["u = g * 0.25 + m", "u = g * 0.5 - m", "u = w * 0.5 + m", "u = g * -0.5 + m"]
        {
            assert_ne!(base, flow(other).canonical_bytes(), "{other}");
        }
    }
}
