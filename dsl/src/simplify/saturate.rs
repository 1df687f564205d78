//! Saturation: rewriting until nothing new is found or a limit is reached.
//!
//! Invariant: what comes of it is a function of the graph and the rules. Classes are visited in the
//! order they were made and limits count terms and rounds, never time; egg's own runner reads a
//! clock, and lets a round finish however much it adds.
//!
//! State slots are merged by coinduction. Slots start at zero, so if the next values of a set of
//! slots are equal whenever the slots themselves are, they are equal at every step. Slots are
//! assumed equal, the graph is saturated, sets whose next values are not in one class are split,
//! and all is done again until nothing splits.

use egg::{EGraph, Id};

use super::fact::{Slots, slots_of};
use super::rule::{Agreement, Compiled};
use super::rules::compiled;
use super::term::{Graph, Term};
use super::{ITERATION_LIMIT, MATCH_LIMIT, NODE_LIMIT, StopReason};
use crate::{Dataflow, Role, Signature, Value, canonical};

/// A set for each state slot: slots of one set are assumed equal.
pub(super) type Partition = [usize; Signature::MAX_STATES];

/// A saturated e-graph.
pub(super) struct Saturated {
    pub(super) graph: Graph,
    /// The class of each output, the readout last; `None` for a dead slot.
    pub(super) outputs: Vec<Option<Id>>,
    /// The class of each node of the dataflow graph.
    pub(super) nodes: Vec<Id>,
    pub(super) stop: StopReason,
    pub(super) applied: Vec<Application>,
}

/// A rule that told something new.
#[derive(Clone, Copy)]
pub(super) struct Application {
    pub(super) rule: &'static Compiled,
    /// The left side.
    pub(super) class: Id,
    /// The right side.
    pub(super) right: Id,
    /// The node of the dataflow graph on the left side, if it was one.
    pub(super) node: Option<usize>,
}

/// The saturated e-graph of a dataflow graph, with equal state slots merged. `partition` says which
/// slots may be equal at all.
pub(super) fn saturated(
    flow: &Dataflow,
    mut partition: Partition,
    agreement: Agreement,
) -> Saturated {
    let slots = slots_of(flow);
    loop {
        let saturated = saturated_under(flow, &slots, partition, agreement);
        let next = |slot: usize| {
            let states = &saturated.outputs[1..flow.outputs().len()];
            let class = states.get(slot).copied().flatten();
            (partition[slot], class.map(|class| saturated.graph.find(class)))
        };
        let mut refined: Partition = [0, 1, 2, 3];
        for slot in 0..refined.len() {
            let first = (0..slot).find(|&other| next(other) == next(slot));
            refined[slot] = first.map_or(slot, |first| refined[first]);
        }
        if refined == normal(partition) {
            return saturated;
        }
        partition = refined;
    }
}

/// The same sets, each called by its first slot.
fn normal(partition: Partition) -> Partition {
    std::array::from_fn(|slot| {
        let first = (0..slot).find(|&other| partition[other] == partition[slot]);
        first.unwrap_or(slot)
    })
}

fn saturated_under(
    flow: &Dataflow,
    slots: &Slots,
    partition: Partition,
    agreement: Agreement,
) -> Saturated {
    let mut graph: Graph = EGraph::new(*slots);
    let input = |graph: &mut Graph, role| graph.add(Term::Input(canonical::role_rank(role)));
    for slot in 0..flow.outputs().len() - 1 {
        let own = input(&mut graph, Role::State(slot));
        let first = input(&mut graph, Role::State(normal(partition)[slot]));
        graph.union(own, first);
    }
    let mut nodes: Vec<Id> = Vec::with_capacity(flow.nodes().len());
    let class = |graph: &mut Graph, value: Value, nodes: &[Id]| match value {
        Value::Input(role) => input(graph, role),
        Value::Node(node) => nodes[node],
        Value::Constant(constant) => graph.add(Term::constant(constant)),
    };
    for node in flow.nodes() {
        let mut args = [Id::from(0); 3];
        for (arg, value) in args.iter_mut().zip(node.args()) {
            *arg = class(&mut graph, *value, &nodes);
        }
        nodes.push(graph.add(Term::apply(node.op, &args[..node.args().len()])));
    }
    let outputs = flow.all_outputs();
    let outputs =
        outputs.map(|output| output.map(|value| class(&mut graph, value, &nodes))).collect();
    graph.rebuild();
    let (stop, applied) = rewrite(&mut graph, &nodes, agreement);
    Saturated { graph, outputs, nodes, stop, applied }
}

/// Applies the rules round by round.
fn rewrite(
    graph: &mut Graph,
    nodes: &[Id],
    agreement: Agreement,
) -> (StopReason, Vec<Application>) {
    let mut applied = Vec::new();
    for _ in 0..ITERATION_LIMIT {
        let matches: Vec<_> =
            compiled(agreement).map(|rule| (rule, rule.search(graph, MATCH_LIMIT))).collect();
        let limited = matches.iter().any(|(_, matches)| {
            matches.iter().map(|found| found.substs.len()).sum::<usize>() >= MATCH_LIMIT
        });
        let before = applied.len();
        let mut origins: Vec<(Id, usize)> =
            nodes.iter().enumerate().map(|(node, id)| (graph.find(*id), node)).collect();
        origins.sort_unstable();
        for (rule, matches) in matches {
            for found in matches {
                for subst in &found.substs {
                    if graph.total_size() >= NODE_LIMIT {
                        graph.rebuild();
                        return (StopReason::NodeLimit, applied);
                    }
                    let class = found.eclass;
                    if let Some(right) = rule.apply(graph, class, subst) {
                        let first = origins.partition_point(|(origin, _)| *origin < class);
                        let node = origins.get(first).filter(|(origin, _)| *origin == class);
                        let node = node.map(|(_, node)| *node);
                        applied.push(Application { rule, class, right, node });
                    }
                }
            }
        }
        graph.rebuild();
        if applied.len() == before {
            let stop = if limited { StopReason::MatchLimit } else { StopReason::Saturated };
            return (stop, applied);
        }
    }
    (StopReason::IterationLimit, applied)
}
