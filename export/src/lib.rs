//! Exports: a program as a file of another language that needs nothing of this project.
//!
//! Invariant: an export holds the live statements only, in their order, and does what the engines
//! do: the same operations, float64 for whatever is smaller than a tree, the guards included. Every
//! target reads one listing (`listing.rs`), so names, hyperparameters and the meaning of the
//! learning rate are the same in all of them.
//!
//! What a program is, and what it does, is asked of `evo_dsl` as anybody would ask: its live
//! [`Dataflow`](evo_dsl::Dataflow) and the table of ops. The language knows nothing of its exports.
//!
//! ```
//! use evo_dsl::zoo;
//! use evo_export::{ExportTarget, export};
//!
//! let lion = zoo::get("lion").expect("Lion is in the zoo");
//! let text = export(&lion.program(), lion.title, ExportTarget::Torch);
//! assert!(text.contains("class Lion(torch.optim.Optimizer):"));
//! ```

mod arrays;
mod dot;
mod latex;
mod learner;
mod listing;
mod names;
mod optax;
mod python;
mod rust;
mod torch;
mod wording;

use evo_dsl::Program;

pub use latex::{TableRow, latex_table};
pub use learner::{LearnerTarget, export_learner};
use listing::Listing;

/// What a program can be exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportTarget {
    /// A `torch.optim.Optimizer`, in a file that needs PyTorch alone.
    Torch,
    /// An `optax.GradientTransformation`, in a file that needs JAX and Optax alone.
    Optax,
    /// A Python function on lists of NumPy arrays.
    Python,
    /// A Rust function on slices.
    Rust,
    /// A LaTeX listing of one program; [`latex_table`] is a table of several.
    Latex,
    /// The dataflow as a Graphviz graph.
    Dot,
}

impl ExportTarget {
    /// Every target.
    pub const ALL: [ExportTarget; 6] = [
        ExportTarget::Torch,
        ExportTarget::Optax,
        ExportTarget::Python,
        ExportTarget::Rust,
        ExportTarget::Latex,
        ExportTarget::Dot,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ExportTarget::Torch => "torch",
            ExportTarget::Optax => "optax",
            ExportTarget::Python => "python",
            ExportTarget::Rust => "rust",
            ExportTarget::Latex => "latex",
            ExportTarget::Dot => "dot",
        }
    }

    /// The target of this name; case does not matter.
    pub fn from_name(name: &str) -> Option<ExportTarget> {
        ExportTarget::ALL.into_iter().find(|target| target.name().eq_ignore_ascii_case(name))
    }

    /// The usual ending of a file of it.
    pub fn extension(self) -> &'static str {
        match self {
            ExportTarget::Torch | ExportTarget::Optax | ExportTarget::Python => "py",
            ExportTarget::Rust => "rs",
            ExportTarget::Latex => "tex",
            ExportTarget::Dot => "dot",
        }
    }
}

/// The program as the text of a file. The class or function in it is called `name`, in the
/// language's own style and made a valid identifier.
///
/// # Panics
/// If the program is an expression.
pub fn export(program: &Program, name: &str, target: ExportTarget) -> String {
    assert!(!program.signature().is_expression(), "optimizers can be exported");
    let listing = Listing::of(program, name);
    match target {
        ExportTarget::Torch => torch::emit(&listing),
        ExportTarget::Optax => optax::emit(&listing),
        ExportTarget::Python => python::emit(&listing),
        ExportTarget::Rust => rust::emit(&listing),
        ExportTarget::Latex => latex::emit(&listing, name),
        ExportTarget::Dot => dot::emit(&listing, name),
    }
}
