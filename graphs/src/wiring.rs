//! Wiring: what a network is built from, one for all graphs that are isomorphic.
//!
//! Invariant: it is made of the canonical form alone, so isomorphic graphs have equal wirings, and
//! networks built of them equal bits.
//!
//! Weights are known by *role*, where what they are multiplied with comes from, and not by the
//! place of a vertex: otherwise two graphs that compute the same by other vertices would begin with
//! other weights, and no probe would find them equal. The role of a layer is its op with its
//! sources: the layers with weights, or the input of the cell, that it reads directly, and those
//! that it reads through pools, however many. Pools are seen through because only they can be
//! changed without changing what is computed: three of them in a row are as good as four where
//! images are small. Layers of one op and the same sources, as the two of `conv3x3(x)` beside
//! `conv3x3(x)`, are told apart by a rank: with equal weights they would stay one layer for ever.

use std::collections::BTreeSet;

use evo_hashes::Hash;

use crate::{Graph, GraphOp};

/// A graph as a network is built from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// The layers, in an order in which each reads earlier ones.
    pub vertices: Vec<WiredVertex>,
    /// What the output concatenates, in order.
    pub output: Vec<Wire>,
}

/// A layer, and what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WiredVertex {
    /// The layer.
    pub op: GraphOp,
    /// The vertices whose sum it is given, in the order of summation: 0 is the input of the cell,
    /// and 1 the first layer.
    pub inputs: Vec<usize>,
    /// The role of its weights.
    pub role: Hash,
}

/// An edge to the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Where it comes from, as in [`WiredVertex::inputs`].
    pub from: usize,
    /// The role of the weights that it is projected by.
    pub role: Hash,
}

impl Graph {
    /// The wiring of what is live.
    pub fn wiring(&self) -> Wiring {
        let graph = self.canonical();
        let roles = Roles::of(&graph);
        let vertex = |(op, vertex): (&GraphOp, usize)| WiredVertex {
            op: *op,
            inputs: roles.in_order(&graph, vertex),
            role: hashed("layer", &roles.sources[vertex]),
        };
        let vertices = graph.ops().iter().zip(1..).map(vertex).collect();
        let mut output: Vec<Wire> = Vec::new();
        for from in roles.in_order(&graph, graph.output()) {
            let base = hashed("output", &roles.sources[from]);
            let of = |rank: usize| Hash::of(format!("graph {base} {rank}").as_bytes());
            let is_free = |rank: &usize| output.iter().all(|wire| wire.role != of(*rank));
            let rank = (0..).find(is_free).expect("there are few edges");
            output.push(Wire { from, role: of(rank) });
        }
        Wiring { vertices, output }
    }
}

/// Where a value comes from: layers with weights and the input of the cell, each by its role and
/// whether it was pooled since.
type Sources = BTreeSet<(Hash, bool)>;

fn hashed(what: &str, sources: &Sources) -> Hash {
    Hash::of(format!("graph {what} {sources:?}").as_bytes())
}

/// What is known of every vertex but the output.
struct Roles {
    /// A layer with weights has itself alone.
    sources: Vec<Sources>,
    /// The length of the longest path from the input.
    depths: Vec<usize>,
}

impl Roles {
    /// By the most layers with weights on a path from the input: those with one op and the same
    /// sources have as many, so all of them are known when they are told apart.
    fn of(graph: &Graph) -> Roles {
        let (depths, levels) =
            (longest(graph, |_| 1), longest(graph, |op| op.has_weights().into()));
        let below = below(graph);
        let input = Sources::from([(Hash::of(b"graph input"), false)]);
        let mut sources = vec![Sources::new(); graph.output()];
        sources[0] = input;
        for level in 0..=levels.iter().copied().max().unwrap_or(0) {
            let of_level = |vertex: &usize| levels[*vertex] == level;
            let (weighted, pools): (Vec<usize>, Vec<usize>) = (1..graph.output())
                .filter(of_level)
                .partition(|vertex| graph.ops()[vertex - 1].has_weights());
            let read = |sources: &[Sources], vertex: usize| -> Sources {
                let reads = (0..vertex).filter(|&from| graph.has_edge(from, vertex));
                reads.flat_map(|from| sources[from].iter().copied()).collect()
            };
            let base =
                |vertex: usize| hashed(graph.ops()[vertex - 1].name(), &read(&sources, vertex));
            let bases: Vec<(usize, Hash)> = weighted.iter().map(|it| (*it, base(*it))).collect();
            for &(vertex, base) in &bases {
                // By what reads them, so that graphs in which that is the same rank them alike.
                let key = |vertex: usize| (depths[vertex], below[vertex], vertex);
                let before = |it: &&(usize, Hash)| it.1 == base && key(it.0) < key(vertex);
                let rank = bases.iter().filter(before).count();
                let role = Hash::of(format!("graph {base} {rank}").as_bytes());
                sources[vertex] = Sources::from([(role, false)]);
            }
            // Each reads earlier ones of its level, and what is pooled once more is pooled.
            for vertex in pools {
                let read = read(&sources, vertex);
                sources[vertex] = read.into_iter().map(|(role, _)| (role, true)).collect();
            }
        }
        Roles { sources, depths }
    }

    /// What a vertex reads, by where that comes from.
    fn in_order(&self, graph: &Graph, vertex: usize) -> Vec<usize> {
        let mut inputs: Vec<usize> =
            (0..vertex).filter(|&from| graph.has_edge(from, vertex)).collect();
        inputs.sort_by_key(|&from| (&self.sources[from], self.depths[from], from));
        inputs
    }
}

/// The greatest length of a path from the input to every vertex but the output, where each layer
/// has a length.
fn longest(graph: &Graph, length: impl Fn(GraphOp) -> usize) -> Vec<usize> {
    let mut lengths = vec![0; graph.output()];
    for vertex in 1..graph.output() {
        let reads = (0..vertex).filter(|&from| graph.has_edge(from, vertex));
        let before = reads.map(|from| lengths[from]).max().unwrap_or(0);
        lengths[vertex] = before + length(graph.ops()[vertex - 1]);
    }
    lengths
}

/// Of every vertex a hash of all that is computed from it.
fn below(graph: &Graph) -> Vec<Hash> {
    let output = graph.output();
    let mut below = vec![Hash::of(b"graph output"); output + 1];
    for vertex in (0..output).rev() {
        let readers = (vertex + 1..=output).filter(|&to| graph.has_edge(vertex, to));
        let mut readers: Vec<String> = readers
            .map(|to| match to == output {
                true => "output".to_owned(),
                false => format!("{} {}", graph.ops()[to - 1], below[to]),
            })
            .collect();
        readers.sort();
        below[vertex] = Hash::of(format!("graph below {readers:?}").as_bytes());
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wiring(body: &str) -> Wiring {
        Graph::parse(&format!("def cell(x):\n{body}")).expect(body).wiring()
    }

    fn roles(wiring: &Wiring, op: GraphOp) -> Vec<Hash> {
        let of = wiring.vertices.iter().filter(|it| it.op == op);
        let mut roles: Vec<Hash> = of.map(|it| it.role).collect();
        roles.sort();
        roles
    }

    #[test]
    fn isomorphic_graphs_have_one_wiring() {
        let one = "a = conv3x3(x)\nb = conv1x1(x)\nc = conv3x3(a + b)\nreturn concat(c, x)";
        let two = "a = conv1x1(x)\nb = conv3x3(x)\nd = conv1x1(a)\nc = conv3x3(b + a)\n\
                   return concat(x, c)";
        assert_eq!(wiring(one), wiring(two));
    }

    #[test]
    fn weights_of_equal_branches_are_apart() {
        let both = wiring("a = conv3x3(x)\nb = conv3x3(x)\nreturn concat(a, b)");
        assert_ne!(both.vertices[0].role, both.vertices[1].role);
        assert_ne!(both.output[0].role, both.output[1].role);
        let pooled =
            wiring("a = maxpool3x3(x)\nb = conv3x3(x)\nc = conv3x3(a)\nreturn concat(b, c)");
        let [b, c] = roles(&pooled, GraphOp::Conv3x3)[..] else { panic!("there are two") };
        assert_ne!(b, c);
        let pools = wiring("a = maxpool3x3(x)\nb = maxpool3x3(x)\nreturn concat(a, b)");
        assert_ne!(pools.output[0].role, pools.output[1].role);
    }

    /// One pool or several in a row are seen through.
    #[test]
    fn weights_behind_pools_are_the_same_however_many_there_are() {
        let behind = |pools: usize| {
            let mut body = "p0 = maxpool3x3(x)\n".to_owned();
            (1..pools).for_each(|it| body += &format!("p{it} = maxpool3x3(p{})\n", it - 1));
            wiring(&format!("{body}a = conv3x3(p{})\nreturn concat(a)", pools - 1))
        };
        let (one, four) = (behind(1), behind(4));
        assert_eq!(roles(&one, GraphOp::Conv3x3), roles(&four, GraphOp::Conv3x3));
        assert_eq!(one.output[0].role, four.output[0].role);
        let none = wiring("a = conv3x3(x)\nreturn concat(a)");
        assert_ne!(roles(&one, GraphOp::Conv3x3), roles(&none, GraphOp::Conv3x3));
    }

    /// One pool for both convolutions, or one for each: the same function, of the same weights.
    #[test]
    fn what_computes_the_same_by_other_vertices_has_the_same_roles() {
        let rest = "d = conv1x1(b)\nreturn concat(c, d)";
        let shared = wiring(&format!("a = maxpool3x3(x)\nb = conv3x3(a)\nc = conv3x3(a)\n{rest}"));
        let twice = wiring(&format!(
            "a = maxpool3x3(x)\ne = maxpool3x3(x)\nb = conv3x3(a)\nc = conv3x3(e)\n{rest}"
        ));
        assert_ne!(shared, twice);
        for op in [GraphOp::Conv3x3, GraphOp::Conv1x1] {
            assert_eq!(roles(&shared, op), roles(&twice, op));
        }
        let wires = |wiring: &Wiring| wiring.output.iter().map(|it| it.role).collect::<Vec<_>>();
        assert_eq!(wires(&shared), wires(&twice));
    }
}
