//! What a *compute graph* is: a cell of layers, and everything the engine needs of one.
//!
//! A [`Graph`] is a directed acyclic graph in the manner of NAS-Bench-101 (arXiv 1902.09635): an
//! input, up to five vertices with a layer each, an output. [`Graphs`] is its
//! [`Domain`](evo_domain::Domain): text, mutation, encoding, and two hashes, that of the
//! [canonical form](Graph::canonical), in which isomorphic graphs meet, and that of a
//! [`GraphProbe`], in which graphs that compute the same do.
//!
//! It knows no layer by what it does: whoever scores graphs builds networks of their [`Wiring`].
//!
//! ```
//! use evo_graphs::Graph;
//!
//! let cell = "def cell(x):\n  a = conv3x3(x)\n  b = maxpool3x3(x + a)\n  return concat(a, b)\n";
//! let graph = Graph::parse(cell).expect("a graph");
//! assert_eq!(graph.to_string(), cell);
//! ```

mod canonical;
mod children;
mod domain;
mod encoding;
mod graph;
mod mutate;
mod text;
mod wiring;
mod zoo;

pub use domain::{GraphProbe, Graphs};
pub use graph::{Graph, GraphFault, GraphOp, MOST_EDGES, MOST_LAYERS};
pub use mutate::{GraphMutation, GraphMutator, GraphWeights};
pub use text::GraphError;
pub use wiring::{Wire, WiredVertex, Wiring};
pub use zoo::GraphZooEntry;
