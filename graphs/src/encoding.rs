//! Graphs as bytes: what a snapshot holds.
//!
//! Invariant: all of it that mutation sees is there, the dead vertices and the order too.

use crate::{Graph, GraphOp};

/// The number of layers, their ops, and what each vertex behind the input reads.
pub(crate) fn encode(graph: &Graph) -> Vec<u8> {
    let ops = graph.ops().iter().map(|op| *op as u8);
    let count = graph.ops().len() as u8;
    [count].into_iter().chain(ops).chain(graph.inputs().iter().copied()).collect()
}

/// `None` for bytes that are no graph.
pub(crate) fn decode(bytes: &[u8]) -> Option<Graph> {
    let (&count, rest) = bytes.split_first()?;
    let (ops, inputs) = rest.split_at_checked(usize::from(count))?;
    let op = |number: &u8| GraphOp::ALL.get(usize::from(*number)).copied();
    Graph::new(&ops.iter().map(op).collect::<Option<Vec<_>>>()?, inputs).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::all;

    #[test]
    fn bytes_hold_the_whole_graph_and_others_are_refused() {
        for graph in all(2) {
            let bytes = encode(&graph);
            assert_eq!(decode(&bytes), Some(graph));
            assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
            assert_eq!(decode(&[&bytes[..], &[0]].concat()), None);
        }
        for bytes in [&[][..], &[0], &[255], &[0, 0], &[1, 3, 1, 2], &[1, 0, 1, 8]] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
