//! How graphs are mutated: kinds of edits, each with a weight.
//!
//! Invariant: a child is a graph, whatever is drawn. A kind that is impossible for a parent leaves
//! its share to the others.

use evo_domain::SettingError;
use evo_hashes::StreamRng;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::children::{with_edge_flipped, with_layer_added, with_layer_removed, with_op_changed};
use crate::{Graph, GraphOp, MOST_LAYERS};

/// How graphs are mutated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphMutation {
    /// How often each kind is drawn.
    pub weights: GraphWeights,
    /// How often a child that behaves like its parent is thrown away and made again, at most
    /// 1,000. Default: 0.
    pub neutral_retries: u32,
}

/// The relative frequency of each kind of mutation, 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphWeights {
    /// Add an edge or take one away. Default: 1.
    pub flip_edge: f64,
    /// Change the op of a layer. Default: 1.
    pub change_op: f64,
    /// Put a layer on an edge. Default: 0.5.
    pub add_layer: f64,
    /// Remove a layer, what it read being read by those that read it. Default: 0.5.
    pub remove_layer: f64,
    /// The mutation of NAS-Bench-101's searches: flip every edge with one chance in as many as
    /// there are vertices, and change every op with one in as many as there are layers. Default: 0.
    pub scatter: f64,
}

impl Default for GraphWeights {
    fn default() -> GraphWeights {
        GraphWeights {
            flip_edge: 1.0,
            change_op: 1.0,
            add_layer: 0.5,
            remove_layer: 0.5,
            scatter: 0.0,
        }
    }
}

impl GraphWeights {
    /// The names of the kinds, those of the fields.
    pub(crate) const NAMES: [&'static str; 5] =
        ["flip_edge", "change_op", "add_layer", "remove_layer", "scatter"];

    fn by_kind(&self) -> [f64; 5] {
        [self.flip_edge, self.change_op, self.add_layer, self.remove_layer, self.scatter]
    }
}

/// The most tries to make a child that does not behave like its parent.
const MOST_RETRIES: u32 = 1_000;

/// Draws of a scattered child, of which one in three or more is a graph.
const MOST_DRAWS: usize = 1_000;

/// Makes children of graphs, and graphs from nothing.
#[derive(Clone, Debug)]
pub struct GraphMutator {
    weights: [f64; 5],
    pub(crate) neutral_retries: u32,
}

impl GraphMutator {
    /// A mutator with these settings.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn new(config: &GraphMutation) -> Result<GraphMutator, SettingError> {
        let weights = config.weights.by_kind();
        for (name, weight) in GraphWeights::NAMES.iter().zip(weights) {
            if !(weight.is_finite() && weight >= 0.0) {
                let key = format!("mutation.weights.{name}");
                return Err(SettingError::new(key, "must be a number that is not negative"));
            }
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(SettingError::new("mutation.weights", "one has to be above 0"));
        }
        if config.neutral_retries > MOST_RETRIES {
            let message = format!("must be at most {MOST_RETRIES}");
            return Err(SettingError::new("mutation.neutral_retries", message));
        }
        Ok(GraphMutator { weights, neutral_retries: config.neutral_retries })
    }

    /// A graph of as many layers as fit, each edge being there or not with equal chances, as
    /// searches of NAS-Bench-101 begin with.
    pub fn random(&self, rng: &mut StreamRng) -> Graph {
        loop {
            let ops: [GraphOp; MOST_LAYERS] = std::array::from_fn(|_| draw_op(rng));
            let inputs: [u8; MOST_LAYERS + 1] =
                std::array::from_fn(|index| rng.random_range(0..2_u8 << index));
            if let Ok(graph) = Graph::new(&ops, &inputs) {
                return graph;
            }
        }
    }

    /// A child with the index of its kind; the parent where no kind is possible.
    pub(crate) fn mutate(&self, parent: &Graph, rng: &mut StreamRng) -> (Graph, Option<usize>) {
        let mut weights = self.weights;
        loop {
            let total: f64 = weights.iter().sum();
            if total <= 0.0 {
                return (parent.clone(), None);
            }
            let mut left = rng.random::<f64>() * total;
            let drawn = weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            // Rounding may leave a little.
            let last = || weights.iter().rposition(|weight| *weight > 0.0);
            let kind = drawn.or_else(last).expect("a weight is above 0");
            if let Some(child) = child(parent, kind, rng) {
                return (child, Some(kind));
            }
            weights[kind] = 0.0;
        }
    }
}

/// A child by a kind of mutation; `None` where there is none.
fn child(parent: &Graph, kind: usize, rng: &mut StreamRng) -> Option<Graph> {
    let mut children = match kind {
        0 => with_edge_flipped(parent),
        1 => with_op_changed(parent),
        2 => with_layer_added(parent),
        3 => with_layer_removed(parent),
        _ => return scattered(parent, rng),
    };
    if children.is_empty() {
        return None;
    }
    Some(children.swap_remove(rng.random_range(0..children.len())))
}

/// A graph of the same number of layers, drawn until it is one and another. There are too many to
/// list, and drawing until one fits is what is to be compared with.
fn scattered(parent: &Graph, rng: &mut StreamRng) -> Option<Graph> {
    let (layers, vertices) = (parent.ops().len(), parent.output() + 1);
    for _ in 0..MOST_DRAWS {
        let mut inputs = parent.inputs().to_vec();
        for (from, to) in parent.pairs() {
            if rng.random_range(0..vertices) == 0 {
                inputs[to - 1] ^= 1 << from;
            }
        }
        let mut ops = parent.ops().to_vec();
        for op in &mut ops {
            if rng.random_range(0..layers) == 0 {
                let others = GraphOp::ALL.iter().filter(|it| *it != op).copied();
                let others: Vec<GraphOp> = others.collect();
                *op = others[rng.random_range(0..others.len())];
            }
        }
        match Graph::new(&ops, &inputs) {
            Ok(child) if child != *parent => return Some(child),
            _ => {}
        }
    }
    None
}

fn draw_op(rng: &mut StreamRng) -> GraphOp {
    GraphOp::ALL[rng.random_range(0..GraphOp::ALL.len())]
}

#[cfg(test)]
mod tests {
    use evo_hashes::Seed;

    use super::*;

    #[test]
    fn children_are_graphs_of_every_kind_and_kinds_without_a_weight_are_not_drawn() {
        let all = GraphWeights { scatter: 1.0, ..GraphWeights::default() };
        let some = GraphWeights { flip_edge: 0.0, add_layer: 0.0, ..all };
        for (weights, kinds) in [(all, &[0, 1, 2, 3, 4][..]), (some, &[1, 3, 4])] {
            let config = GraphMutation { weights, neutral_retries: 0 };
            let mutator = GraphMutator::new(&config).expect("fine settings");
            let mut seen = [false; 5];
            let rng = &mut Seed(3).stream("children", 0);
            let mut graph = mutator.random(rng);
            for _ in 0..3_000 {
                let (child, kind) = mutator.mutate(&graph, rng);
                assert_eq!(Graph::new(child.ops(), child.inputs()).as_ref(), Ok(&child));
                let Some(kind) = kind else {
                    assert!(graph.ops().is_empty() && child == graph, "{graph}");
                    graph = mutator.random(rng);
                    continue;
                };
                assert_ne!(child, graph, "{}", GraphWeights::NAMES[kind]);
                (seen[kind], graph) = (true, child);
            }
            let seen: Vec<usize> = (0..5).filter(|kind| seen[*kind]).collect();
            assert_eq!(seen, kinds);
        }
    }

    #[test]
    fn what_cannot_be_searched_with_is_refused_at_its_key() {
        let key = |change: fn(&mut GraphMutation)| {
            let mut config = GraphMutation::default();
            change(&mut config);
            GraphMutator::new(&config).expect_err("wrong").key
        };
        assert_eq!(key(|it| it.weights.add_layer = -1.0), "mutation.weights.add_layer");
        assert_eq!(key(|it| it.weights.scatter = f64::NAN), "mutation.weights.scatter");
        assert_eq!(key(|it| it.neutral_retries = 1_001), "mutation.neutral_retries");
        let none = |it: &mut GraphMutation| {
            it.weights = GraphWeights {
                flip_edge: 0.0,
                change_op: 0.0,
                add_layer: 0.0,
                remove_layer: 0.0,
                scatter: 0.0,
            };
        };
        assert_eq!(key(none), "mutation.weights");
    }

    #[test]
    fn graphs_from_nothing_are_as_large_as_they_may_be() {
        let mutator = GraphMutator::new(&GraphMutation::default()).expect("the defaults");
        let graph = mutator.random(&mut Seed(0).stream("random", 0));
        assert_eq!(graph.ops().len(), MOST_LAYERS);
        assert_ne!(graph, mutator.random(&mut Seed(0).stream("random", 1)));
    }
}
