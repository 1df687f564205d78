//! The children of a graph, by kind of edit.
//!
//! Invariant: all of them are graphs, within the limits and connected, and none is the parent. They
//! are so few that all are made and one is drawn: trying until one fits would favour the edits that
//! fit easily.

use crate::{Graph, GraphOp};

/// The graphs that differ in one edge.
pub(crate) fn with_edge_flipped(graph: &Graph) -> Vec<Graph> {
    let flipped = |(from, to): (usize, usize)| {
        let mut inputs = graph.inputs().to_vec();
        inputs[to - 1] ^= 1 << from;
        Graph::new(graph.ops(), &inputs).ok()
    };
    graph.pairs().filter_map(flipped).collect()
}

/// The graphs that differ in one layer.
pub(crate) fn with_op_changed(graph: &Graph) -> Vec<Graph> {
    let mut children = Vec::new();
    for (place, &old) in graph.ops().iter().enumerate() {
        for op in GraphOp::ALL.into_iter().filter(|op| *op != old) {
            let mut ops = graph.ops().to_vec();
            ops[place] = op;
            children.extend(Graph::new(&ops, graph.inputs()));
        }
    }
    children
}

/// The graphs with a layer more, on one of the edges.
pub(crate) fn with_layer_added(graph: &Graph) -> Vec<Graph> {
    let mut children = Vec::new();
    for (from, to) in graph.edges() {
        // In front of the vertex that the edge leads to: bits from there on move up by one.
        let low = (1_u16 << to) - 1;
        let moved = |bits: u8| (u16::from(bits) & low | (u16::from(bits) & !low) << 1) as u8;
        if graph.ops().len() == crate::MOST_LAYERS {
            return children;
        }
        for op in GraphOp::ALL {
            let mut ops = graph.ops().to_vec();
            ops.insert(to - 1, op);
            let mut inputs: Vec<u8> = graph.inputs().iter().map(|bits| moved(*bits)).collect();
            inputs.insert(to - 1, 1 << from);
            inputs[to] = inputs[to] & !(1 << from) | 1 << to;
            children.extend(Graph::new(&ops, &inputs));
        }
    }
    children
}

/// The graphs with a layer less, what it read being read by those that read it.
pub(crate) fn with_layer_removed(graph: &Graph) -> Vec<Graph> {
    let removed = |gone: usize| {
        let through = graph.inputs()[gone - 1];
        let low = (1_u8 << gone) - 1;
        let bypassed = |bits: u8| {
            let bits = if bits >> gone & 1 == 1 { bits | through } else { bits };
            bits & low | (bits >> 1) & !low
        };
        let mut ops = graph.ops().to_vec();
        ops.remove(gone - 1);
        let mut inputs: Vec<u8> = graph.inputs().iter().map(|bits| bypassed(*bits)).collect();
        inputs.remove(gone - 1);
        Graph::new(&ops, &inputs).ok()
    };
    (1..graph.output()).filter_map(removed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::all;

    fn texts(children: &[Graph]) -> Vec<String> {
        children.iter().map(|it| it.to_string().replace('\n', ";")).collect()
    }

    #[test]
    fn each_kind_makes_all_children_of_it() {
        let graph = Graph::parse("def cell(x):\n a = conv3x3(x)\n return concat(a)").expect("one");
        let flipped = ["def cell(x):;  a = conv3x3(x);  return concat(x, a);"];
        assert_eq!(texts(&with_edge_flipped(&graph)), flipped);
        let changed = ["conv1x1", "maxpool3x3"]
            .map(|op| format!("def cell(x):;  a = {op}(x);  return concat(a);"));
        assert_eq!(texts(&with_op_changed(&graph)), changed);
        let added = texts(&with_layer_added(&graph));
        assert_eq!(added.len(), 6);
        assert_eq!(added[1], "def cell(x):;  a = conv1x1(x);  b = conv3x3(a);  return concat(b);");
        assert_eq!(texts(&with_layer_removed(&graph)), ["def cell(x):;  return concat(x);"]);
    }

    #[test]
    fn a_layer_that_was_added_can_be_removed_again() {
        for graph in all(2) {
            for child in with_layer_added(&graph) {
                assert_eq!(child.ops().len(), graph.ops().len() + 1);
                assert!(with_layer_removed(&child).contains(&graph), "{graph}{child}");
            }
            let same = |children: Vec<Graph>| children.contains(&graph);
            assert!(!same(with_edge_flipped(&graph)) && !same(with_op_changed(&graph)));
        }
    }
}
