//! Graphs as the engine sees them.
//!
//! Invariant: graphs of one structure are isomorphic, dead vertices aside; who scores graphs builds
//! networks of their [`Wiring`](crate::Wiring), so their outcomes are equal to the bit. Behaviour
//! is what a probe sees, which belongs to whoever has the layers.

use std::fmt;
use std::sync::Arc;

use evo_domain::{Domain, Hash, SettingError, Size, StreamRng};

use crate::mutate::{GraphMutation, GraphMutator, GraphWeights};
use crate::{Graph, encoding};

/// What behaviours of graphs are looked at with.
pub trait GraphProbe: fmt::Debug + Send + Sync {
    /// Its name, with all that a hash depends on.
    fn name(&self) -> &str;

    /// The hash of what a graph computes, which isomorphic graphs have in common; `None` where that
    /// cannot be told.
    fn behaviour(&self, graph: &Graph) -> Option<Hash>;
}

/// The domain of compute graphs.
#[derive(Clone, Debug)]
pub struct Graphs {
    mutator: Arc<GraphMutator>,
    probe: Arc<dyn GraphProbe>,
}

impl Graphs {
    /// Graphs mutated in this way, and compared by what a probe sees of them.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn new(config: &GraphMutation, probe: Arc<dyn GraphProbe>) -> Result<Graphs, SettingError> {
        Ok(Graphs { mutator: Arc::new(GraphMutator::new(config)?), probe })
    }

    /// What makes children.
    pub fn mutator(&self) -> &GraphMutator {
        &self.mutator
    }
}

/// With every default and without a probe: to read and to write graphs, which depend on neither.
impl Default for Graphs {
    fn default() -> Graphs {
        let graphs = Graphs::new(&GraphMutation::default(), Arc::new(NoProbe));
        graphs.expect("the defaults are sound")
    }
}

/// Sees nothing.
#[derive(Debug)]
struct NoProbe;

impl GraphProbe for NoProbe {
    fn name(&self) -> &str {
        "none"
    }

    fn behaviour(&self, _: &Graph) -> Option<Hash> {
        None
    }
}

impl Domain for Graphs {
    type Program = Graph;
    /// The canonical form.
    type Analysis = Graph;

    const NAME: &'static str = "graphs";

    fn analyse(&self, graph: &Graph) -> Graph {
        graph.canonical()
    }

    fn structure(&self, _: &Graph, canonical: &Graph) -> Hash {
        Hash::of(&[b"g", &encoding::encode(canonical)[..]].concat())
    }

    fn behaviour(&self, _: &Graph, canonical: &Graph) -> Option<Hash> {
        self.probe.behaviour(canonical)
    }

    fn probe(&self) -> &str {
        self.probe.name()
    }

    /// Live layers; nothing is carried from step to step.
    fn size(&self, _: &Graph, canonical: &Graph) -> Size {
        Size { length: canonical.ops().len(), states: 0 }
    }

    fn mutations(&self) -> &'static [&'static str] {
        &GraphWeights::NAMES
    }

    fn mutate(&self, parent: &Graph, rng: &mut StreamRng) -> (Graph, Option<usize>) {
        self.mutator.mutate(parent, rng)
    }

    fn neutral_retries(&self) -> u32 {
        self.mutator.neutral_retries
    }

    fn encode(&self, graph: &Graph) -> Vec<u8> {
        encoding::encode(graph)
    }

    fn decode(&self, bytes: &[u8], _: &Graph) -> Option<Graph> {
        encoding::decode(bytes)
    }

    fn text(&self, graph: &Graph) -> String {
        graph.to_string()
    }

    fn live_text(&self, graph: &Graph) -> String {
        graph.live().to_string()
    }

    fn read(&self, text: &str) -> Result<Graph, String> {
        Graph::parse(text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use evo_hashes::Seed;

    use super::*;

    #[test]
    fn structure_is_that_of_the_canonical_form_and_size_what_is_live() {
        let graphs = Graphs::default();
        let read = |text: &str| graphs.read(text).expect(text);
        let known = |graph: &Graph| {
            let analysis = graphs.analyse(graph);
            (graphs.structure(graph, &analysis), graphs.size(graph, &analysis).length)
        };
        let one = read("def cell(x):\n a = conv3x3(x)\n b = conv1x1(x)\n return concat(a, b)");
        let other = read(
            "def cell(x):\n a = conv1x1(x)\n b = conv3x3(a)\n c = conv3x3(x)\n return concat(a, c)",
        );
        assert_ne!(one, other);
        assert_eq!(known(&one), known(&other));
        assert_eq!(known(&one).1, 2);
        let pooled =
            read("def cell(x):\n a = conv3x3(x)\n b = maxpool3x3(x)\n return concat(a, b)");
        assert_ne!(known(&one).0, known(&pooled).0);
    }

    #[test]
    fn edits_lead_from_parents_to_children() {
        let graphs = Graphs::default();
        let rng = &mut Seed(1).stream("edits", 0);
        let mut parent = graphs.mutator().random(rng);
        for _ in 0..500 {
            let (child, _) = graphs.mutate(&parent, rng);
            let edit = graphs.edit(&parent, &child);
            assert_eq!(graphs.apply(&graphs.text(&parent), &edit), Some(graphs.text(&child)));
            assert_eq!(graphs.decode(&graphs.encode(&child), &parent).as_ref(), Some(&child));
            parent = child;
        }
    }
}
