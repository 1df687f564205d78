//! Crossover: a live value of one program is computed as a live value of another program is.
//!
//! Invariant: nothing else of the first program changes, and what comes in computes the very value
//! it had in the second, from the parameters as they are given. Parameters go by their role, so the
//! two need not have one header: a slice that reads what the first is not given (a state slot, the
//! step) is none to draw. Statements come in where every parameter they read still has its given
//! value, under fresh variables; the new value has the type of the old one, so nothing downstream
//! changes type. What computed the old value and is read by nothing else stays, dead.

use crate::{Dataflow, Liveness, Op, Operand, Program, Role, Statement, Type, Value, Variable};
use rand::RngExt;

use super::{Mutator, Stream, Typing};

/// What a value of the second program is computed from.
struct Slice {
    /// Nodes of its dataflow in evaluation order, that of the value last.
    nodes: Vec<usize>,
    /// The parameters it reads, as variables of the first program.
    reads: Vec<Variable>,
    ty: Type,
}

/// A statement of the first program whose value may be replaced.
struct Place {
    position: usize,
    ty: Type,
}

/// How a slice comes in at a place.
struct Splice {
    /// Where its statements stand.
    at: usize,
    /// Whether the last of them can write the variable of the old value at once; otherwise that is
    /// a copy in the old place.
    direct: bool,
}

impl Mutator {
    /// The first program with a value of the second, or `None` when no value fits anywhere.
    ///
    /// All live statements that something fits are equally likely, then all that fits there.
    pub(super) fn crossover(
        &self,
        parent: &Program,
        mate: &Program,
        rng: &mut Stream,
    ) -> Option<Vec<Statement>> {
        let flow = Dataflow::of(mate);
        let slices = (0..flow.nodes().len()).filter_map(|node| Slice::of(&flow, node, parent));
        let slices: Vec<Slice> = slices.collect();
        let fits = |place: &Place, slice: &Slice| {
            let length = parent.statements().len() - 1 + slice.nodes.len();
            let copies = || usize::from(!Splice::of(parent, place, slice).direct);
            place.ty == slice.ty
                && length <= self.max_statements
                && length + copies() <= self.max_statements
        };
        let mut places = places(parent);
        places.retain(|place| slices.iter().any(|slice| fits(place, slice)));
        if places.is_empty() {
            return None;
        }
        let place = &places[rng.random_range(0..places.len())];
        let fitting: Vec<&Slice> = slices.iter().filter(|slice| fits(place, slice)).collect();
        let slice = fitting[rng.random_range(0..fitting.len())];
        Some(spliced(parent, &flow, place, slice))
    }
}

impl Slice {
    /// What a node is computed from; `None` where that takes a parameter the program lacks.
    fn of(flow: &Dataflow, node: usize, program: &Program) -> Option<Slice> {
        let (mut needed, mut reads) = (vec![false; node + 1], Vec::new());
        needed[node] = true;
        for index in (0..=node).rev() {
            if !needed[index] {
                continue;
            }
            for arg in flow.nodes()[index].args() {
                match *arg {
                    Value::Node(earlier) => needed[earlier] = true,
                    Value::Input(role) => reads.push(parameter(program, role)?),
                    Value::Constant(_) => {}
                }
            }
        }
        let nodes = (0..=node).filter(|&index| needed[index]).collect();
        Some(Slice { nodes, reads, ty: flow.nodes()[node].ty })
    }
}

/// The variable of the parameter with this role, if the program has one.
fn parameter(program: &Program, role: Role) -> Option<Variable> {
    let mut roles = (0u16..).zip(program.signature().parameters());
    roles.find(|(_, own)| **own == role).map(|(index, _)| Variable(index))
}

/// The live statements of a program with the types of their values.
fn places(program: &Program) -> Vec<Place> {
    let mut typing = Typing::at_entry(program);
    let mut places = Vec::with_capacity(program.statements().len());
    let statements = program.statements().iter().zip(program.liveness());
    for (position, (statement, liveness)) in statements.enumerate() {
        typing.run(statement);
        if liveness == Liveness::Live {
            let ty = typing.get(statement.target).expect("it was just written");
            places.push(Place { position, ty });
        }
    }
    places
}

impl Splice {
    fn of(program: &Program, place: &Place, slice: &Slice) -> Splice {
        let before = &program.statements()[..place.position];
        let target = program.statements()[place.position].target;
        let overwrites = |it: &Statement| slice.reads.contains(&it.target);
        let at = before.iter().position(overwrites).unwrap_or(place.position);
        let mentions =
            |it: &Statement| it.target == target || it.args().contains(&Operand::Variable(target));
        Splice { at, direct: !before[at..].iter().any(mentions) }
    }
}

fn spliced(parent: &Program, flow: &Dataflow, place: &Place, slice: &Slice) -> Vec<Statement> {
    let Splice { at, direct } = Splice::of(parent, place, slice);
    let (own, old) = (parent.statements(), parent.statements()[place.position]);
    let mut variables: Vec<Variable> = parent.fresh_variables().take(slice.nodes.len()).collect();
    let value = *variables.last().expect("a slice has the node of its value");
    if direct {
        variables.pop();
        variables.push(old.target);
    }
    let mut statements = own[..at].to_vec();
    for (&node, &target) in slice.nodes.iter().zip(&variables) {
        let node = &flow.nodes()[node];
        let operand = |arg: &Value| match *arg {
            Value::Constant(value) => Operand::Constant(value),
            Value::Node(earlier) => {
                let index = slice.nodes.binary_search(&earlier).expect("a slice is complete");
                Operand::Variable(variables[index])
            }
            Value::Input(role) => {
                let own = parameter(parent, role);
                Operand::Variable(own.expect("a slice reads what the program is given"))
            }
        };
        let args: Vec<Operand> = node.args().iter().map(operand).collect();
        statements.push(Statement::new(node.op, target, &args));
    }
    statements.extend_from_slice(&own[at..place.position]);
    if !direct {
        let args = [Operand::Variable(value), Operand::Constant(1.0)];
        statements.push(Statement::new(Op::Mul, old.target, &args));
    }
    statements.extend_from_slice(&own[place.position + 1..]);
    statements
}
