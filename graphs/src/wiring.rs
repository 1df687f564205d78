//! Wiring: what a network is built from, one for all graphs that are isomorphic.
//!
//! Invariant: it is made of the canonical form alone, so isomorphic graphs have equal wirings, and
//! networks built of them equal bits.
//!
//! Weights are known by *role*, what is computed up to there, and not by the place of a vertex:
//! otherwise two graphs that compute the same by other vertices would begin with other weights, and
//! no probe would find them equal. The role of a layer is its op with the roles of what it reads.
//! Layers with weights that have all of that in common, as the two branches of `conv3x3(x)` and
//! `conv3x3(x)`, are told apart by a rank: with equal weights they would stay one layer for ever.
//! Layers without weights are not, since they are equal whatever is done.

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
            role: roles.0[vertex],
        };
        let vertices = graph.ops().iter().zip(1..).map(vertex).collect();
        let mut output: Vec<Wire> = Vec::new();
        for from in roles.in_order(&graph, graph.output()) {
            let of = |occurrence| {
                let role = roles.0[from];
                Hash::of(format!("graph output {role} {occurrence}").as_bytes())
            };
            // Values that are equal whatever is done are projected by weights of their own.
            let occurrence = (0..).find(|it| output.iter().all(|wire| wire.role != of(*it)));
            output.push(Wire { from, role: of(occurrence.expect("there are few edges")) });
        }
        Wiring { vertices, output }
    }
}

/// The role of every vertex but the output.
struct Roles(Vec<Hash>);

impl Roles {
    /// By the longest path from the input: layers with one op and one set of inputs are equally
    /// deep, so all of them are known when they are told apart.
    fn of(graph: &Graph) -> Roles {
        let depths = depths(graph);
        let below = below(graph);
        let mut roles = Roles(vec![Hash::of(b"graph input"); graph.output()]);
        for depth in 1..=depths.iter().copied().max().unwrap_or(0) {
            let layer: Vec<usize> = (1..graph.output()).filter(|it| depths[*it] == depth).collect();
            let base = |vertex: usize| {
                let reads: Vec<Hash> =
                    roles.in_order(graph, vertex).into_iter().map(|it| roles.0[it]).collect();
                Hash::of(format!("graph {} {reads:?}", graph.ops()[vertex - 1]).as_bytes())
            };
            let bases: Vec<(usize, Hash)> = layer.iter().map(|it| (*it, base(*it))).collect();
            for &(vertex, base) in &bases {
                // By what reads them, so that graphs in which that is the same rank them alike.
                let before = |&(other, of): &(usize, Hash)| {
                    of == base && (below[other], other) < (below[vertex], vertex)
                };
                let rank = bases.iter().filter(|it| before(it)).count();
                roles.0[vertex] = match graph.ops()[vertex - 1].has_weights() {
                    true => Hash::of(format!("graph {base} {rank}").as_bytes()),
                    false => base,
                };
            }
        }
        roles
    }

    /// What a vertex reads, by role; what has one role is equal, or in the order of the form.
    fn in_order(&self, graph: &Graph, vertex: usize) -> Vec<usize> {
        let mut inputs: Vec<usize> =
            (0..vertex).filter(|&from| graph.has_edge(from, vertex)).collect();
        inputs.sort_by_key(|&from| self.0[from]);
        inputs
    }
}

/// The length of the longest path from the input to every vertex but the output.
fn depths(graph: &Graph) -> Vec<usize> {
    let mut depths = vec![0; graph.output()];
    for vertex in 1..graph.output() {
        let reads = (0..vertex).filter(|&from| graph.has_edge(from, vertex));
        depths[vertex] = 1 + reads.map(|from| depths[from]).max().unwrap_or(0);
    }
    depths
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
        let pools = wiring("a = maxpool3x3(x)\nb = maxpool3x3(x)\nreturn concat(a, b)");
        assert_eq!(pools.vertices[0].role, pools.vertices[1].role);
        assert_ne!(pools.output[0].role, pools.output[1].role);
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
