//! The graph: vertices in an order in which every edge goes forward.
//!
//! Invariant: a [`Graph`] that exists is within the limits and has a path from its input to its
//! output. Vertices off every such path are dead and may be there all the same: they are the
//! stepping stones of a search that changes one thing at a time, as dead statements are.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most vertices with a layer, those of NAS-Bench-101.
pub const MOST_LAYERS: usize = 5;

/// The most edges.
pub const MOST_EDGES: usize = 9;

/// The layer of a vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GraphOp {
    /// A 3×3 convolution, normalised, and relu.
    Conv3x3,
    /// A 1×1 convolution, normalised, and relu.
    Conv1x1,
    /// The largest of 3×3 pixels.
    MaxPool3x3,
}

impl GraphOp {
    /// All of them.
    pub const ALL: [GraphOp; 3] = [GraphOp::Conv3x3, GraphOp::Conv1x1, GraphOp::MaxPool3x3];

    /// Its name in texts.
    pub fn name(self) -> &'static str {
        match self {
            GraphOp::Conv3x3 => "conv3x3",
            GraphOp::Conv1x1 => "conv1x1",
            GraphOp::MaxPool3x3 => "maxpool3x3",
        }
    }

    /// The op of this name.
    pub fn named(name: &str) -> Option<GraphOp> {
        GraphOp::ALL.into_iter().find(|op| op.name() == name)
    }

    /// Whether it has weights.
    pub fn has_weights(self) -> bool {
        self != GraphOp::MaxPool3x3
    }
}

impl fmt::Display for GraphOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A compute graph: vertex 0 is the input, the last one the output, those between have a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Graph {
    ops: Vec<GraphOp>,
    /// For vertex 1 and every later one the vertices it reads, as bits.
    inputs: Vec<u8>,
}

/// Why there is no such graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphFault {
    /// More layers than [`MOST_LAYERS`].
    #[error("{0} layers, and at most {MOST_LAYERS} fit")]
    Layers(usize),
    /// More edges than [`MOST_EDGES`].
    #[error("{0} edges, and at most {MOST_EDGES} fit")]
    Edges(usize),
    /// An edge that does not lead to a later vertex, or no list of inputs for every vertex.
    #[error("an edge that does not lead forward")]
    Backward,
    /// Nothing that the input holds reaches the output.
    #[error("no path leads from the input to the output")]
    Disconnected,
}

/// The smallest: the input is the output.
impl Default for Graph {
    fn default() -> Graph {
        Graph { ops: Vec::new(), inputs: vec![1] }
    }
}

impl Graph {
    /// The graph of these layers, and for each of them and the output the vertices it reads, as
    /// bits: bit 0 is the input, bit `i` the layer before the `i`-th comma.
    ///
    /// # Errors
    /// A [`GraphFault`].
    pub fn new(ops: &[GraphOp], inputs: &[u8]) -> Result<Graph, GraphFault> {
        if ops.len() > MOST_LAYERS {
            return Err(GraphFault::Layers(ops.len()));
        }
        let forward = |(index, bits): (usize, &u8)| u32::from(*bits) < 2 << index;
        if inputs.len() != ops.len() + 1 || !inputs.iter().enumerate().all(forward) {
            return Err(GraphFault::Backward);
        }
        let graph = Graph { ops: ops.to_vec(), inputs: inputs.to_vec() };
        if graph.edge_count() > MOST_EDGES {
            return Err(GraphFault::Edges(graph.edge_count()));
        }
        match graph.live_vertices() & 1 {
            0 => Err(GraphFault::Disconnected),
            _ => Ok(graph),
        }
    }

    /// The layers, in order.
    pub fn ops(&self) -> &[GraphOp] {
        &self.ops
    }

    /// For every layer, and then the output, the vertices it reads, as bits.
    pub fn inputs(&self) -> &[u8] {
        &self.inputs
    }

    /// The number of the output.
    pub fn output(&self) -> usize {
        self.ops.len() + 1
    }

    /// Whether an edge leads from one vertex to a later one.
    pub fn has_edge(&self, from: usize, to: usize) -> bool {
        self.inputs[to - 1] >> from & 1 == 1
    }

    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        self.pairs().filter(|&(from, to)| self.has_edge(from, to))
    }

    /// How many there are.
    pub fn edge_count(&self) -> usize {
        self.inputs.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// All pairs of vertices that an edge may join.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        (1..=self.output()).flat_map(|to| (0..to).map(move |from| (from, to)))
    }

    /// The vertices on a path from the input to the output, as bits; none where there is no path.
    pub(crate) fn live_vertices(&self) -> u8 {
        let reached = self.inputs.iter().zip(1..).fold(1_u8, |reached, (bits, vertex)| {
            reached | u8::from(bits & reached != 0) << vertex
        });
        let output = 1 << self.output();
        if reached & output == 0 {
            return 0;
        }
        (1..=self.output()).rev().fold(output, |needed, vertex| match needed >> vertex & 1 {
            1 => needed | self.inputs[vertex - 1] & reached,
            _ => needed,
        }) & reached
    }

    /// Whether each layer has an effect, in order.
    pub fn liveness(&self) -> Vec<bool> {
        let live = self.live_vertices();
        (1..self.output()).map(|vertex| live >> vertex & 1 == 1).collect()
    }

    /// The same without what has no effect, its layers in the order they had.
    #[must_use]
    pub fn live(&self) -> Graph {
        let live = self.live_vertices();
        let kept: Vec<usize> = (1..self.output()).filter(|it| live >> it & 1 == 1).collect();
        self.arranged(&kept)
    }

    /// The graph of these layers in this order, without edges from and to others. Every edge among
    /// them has to lead forward.
    pub(crate) fn arranged(&self, order: &[usize]) -> Graph {
        let all: Vec<usize> = [&[0], order, &[self.output()]].concat();
        let reads = |(place, &vertex): (usize, &usize)| {
            let earlier = all[..place].iter().enumerate();
            earlier
                .filter(|(_, from)| self.has_edge(**from, vertex))
                .fold(0, |bits, (it, _)| bits | 1_u8 << it)
        };
        Graph {
            ops: order.iter().map(|vertex| self.ops[vertex - 1]).collect(),
            inputs: all.iter().enumerate().skip(1).map(reads).collect(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Every graph of up to this many layers.
    pub(crate) fn all(layers: usize) -> impl Iterator<Item = Graph> {
        (0..=layers).flat_map(|count| of_layers(count, |_| true))
    }

    /// Every graph of this many layers whose edges are fine.
    pub(crate) fn of_layers(
        layers: usize,
        are_fine: impl Fn(&Graph) -> bool,
    ) -> impl Iterator<Item = Graph> {
        let pairs = (layers + 1) * (layers + 2) / 2;
        let ops = move |number: usize| {
            let op = |place| GraphOp::ALL[number / 3_usize.pow(place) % 3];
            (0..layers as u32).map(op).collect::<Vec<_>>()
        };
        let of_edges = move |mut edges: u32| {
            let bits_of = |vertex: usize| {
                let bits = (edges & ((1 << vertex) - 1)) as u8;
                edges >>= vertex;
                bits
            };
            let inputs: Vec<u8> = (1..=layers + 1).map(bits_of).collect();
            Graph::new(&ops(0), &inputs).ok()
        };
        (0..1_u32 << pairs).filter_map(of_edges).filter(are_fine).flat_map(move |graph| {
            let with = move |number| Graph { ops: ops(number), ..graph.clone() };
            (0..3_usize.pow(layers as u32)).map(with)
        })
    }

    #[test]
    fn what_is_no_graph_is_refused() {
        use GraphOp::Conv3x3;
        assert_eq!(Graph::new(&[], &[0]), Err(GraphFault::Disconnected));
        assert_eq!(Graph::new(&[], &[2]), Err(GraphFault::Backward));
        assert_eq!(Graph::new(&[Conv3x3], &[1]), Err(GraphFault::Backward));
        assert_eq!(Graph::new(&[Conv3x3], &[1, 1]).map(|it| it.edge_count()), Ok(2));
        assert_eq!(Graph::new(&[Conv3x3], &[0, 2]), Err(GraphFault::Disconnected));
        assert_eq!(Graph::new(&[Conv3x3; 6], &[1; 7]), Err(GraphFault::Layers(6)));
        let all = [1, 3, 7, 15, 1];
        assert_eq!(Graph::new(&[Conv3x3; 4], &all), Err(GraphFault::Edges(11)));
    }

    #[test]
    fn what_is_not_on_a_path_is_dead() {
        use GraphOp::{Conv1x1, Conv3x3, MaxPool3x3};
        // The first leads nowhere, the second has no input and leads to the output.
        let graph = Graph::new(&[Conv3x3, Conv1x1, MaxPool3x3], &[1, 0, 1, 0b1100]);
        let graph = graph.expect("a graph");
        assert_eq!(graph.liveness(), [false, false, true]);
        assert_eq!(Ok(graph.live()), Graph::new(&[MaxPool3x3], &[1, 2]));
    }
}
