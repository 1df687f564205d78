//! The canonical form: one graph for all that differ in the order of their vertices.
//!
//! Invariant: two graphs have one canonical form if and only if what is live of them is
//! isomorphic. It is the least of all orders, of which five vertices have 120 at most;
//! NAS-Bench-101 hashes neighbourhoods instead, which is no proof and needed for larger graphs
//! only.

use crate::Graph;

impl Graph {
    /// The least of all graphs that are isomorphic to what is live of this one.
    #[must_use]
    pub fn canonical(&self) -> Graph {
        let live = self.live();
        let mut least: Option<Graph> = None;
        live.each_order(&mut Vec::new(), &mut |order| {
            let arranged = live.arranged(order);
            if least.as_ref().is_none_or(|least| arranged < *least) {
                least = Some(arranged);
            }
        });
        least.expect("a graph is in an order itself")
    }

    /// Calls `visit` with every order of the layers in which all edges lead forward that begins
    /// with `order`.
    fn each_order(&self, order: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
        if order.len() == self.ops().len() {
            return visit(order);
        }
        let placed = order.iter().fold(1_u8, |placed, vertex| placed | 1 << vertex);
        for vertex in 1..self.output() {
            let ready = self.inputs()[vertex - 1] & !placed == 0;
            if ready && placed >> vertex & 1 == 0 {
                order.push(vertex);
                self.each_order(order, visit);
                order.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use evo_hashes::Seed;
    use rand::RngExt;

    use super::*;
    use crate::graph::tests::{all, of_layers};
    use crate::{GraphMutation, GraphMutator};

    /// The same graph with its vertices in another order that edges allow.
    fn relabelled(graph: &Graph, rng: &mut evo_hashes::StreamRng) -> Graph {
        let mut orders = Vec::new();
        graph.each_order(&mut Vec::new(), &mut |order| orders.push(order.to_vec()));
        graph.arranged(&orders[rng.random_range(0..orders.len())])
    }

    #[test]
    fn relabelled_graphs_meet_and_the_form_is_its_own() {
        let mutator = GraphMutator::new(&GraphMutation::default()).expect("the defaults");
        for index in 0..2_000 {
            let rng = &mut Seed(5).stream("relabel", index);
            let graph = mutator.random(rng);
            let canonical = graph.canonical();
            assert_eq!(relabelled(&graph, rng).canonical(), canonical, "{graph}");
            assert_eq!(canonical.canonical(), canonical);
            assert_eq!(canonical, canonical.live());
        }
    }

    /// Whether a bijection of the layers of one graph to those of another keeps ops and edges.
    fn isomorphic(a: &Graph, b: &Graph) -> bool {
        fn extend(a: &Graph, b: &Graph, images: &mut Vec<usize>) -> bool {
            let next = images.len();
            if next == a.output() {
                images.push(b.output());
                let same = a.pairs().all(|(from, to)| {
                    let (i, j) = (images[from], images[to]);
                    a.has_edge(from, to) == (i < j && b.has_edge(i, j))
                });
                images.pop();
                return same;
            }
            (1..b.output()).any(|image| {
                if images.contains(&image) || a.ops()[next - 1] != b.ops()[image - 1] {
                    return false;
                }
                images.push(image);
                let found = extend(a, b, images);
                images.pop();
                found
            })
        }
        a.ops().len() == b.ops().len()
            && a.edge_count() == b.edge_count()
            && extend(a, b, &mut vec![0])
    }

    #[test]
    fn exactly_isomorphic_graphs_meet() {
        let forms: BTreeSet<Graph> = all(2).map(|it| it.canonical()).collect();
        let forms: Vec<Graph> = forms.into_iter().collect();
        for (index, a) in forms.iter().enumerate() {
            assert!(isomorphic(a, a));
            assert!(forms[index + 1..].iter().all(|b| !isomorphic(a, b)), "{a}");
        }
    }

    /// The canonical forms of so many layers: those that are their own.
    fn count(layers: usize) -> usize {
        let is_live = |graph: &Graph| graph.live() == *graph;
        of_layers(layers, is_live).filter(|it| it.canonical() == *it).count()
    }

    #[test]
    fn small_graphs_are_as_many_as_there_are() {
        assert_eq!((0..=3).map(count).collect::<Vec<_>>(), [1, 6, 84, 2_441]);
    }

    /// 423,624 unique graphs of up to 7 vertices and 9 edges (arXiv 1902.09635).
    #[test]
    fn there_are_as_many_as_nas_bench_101_has() {
        assert_eq!((0..=crate::MOST_LAYERS).map(count).sum::<usize>(), 423_624);
    }
}
