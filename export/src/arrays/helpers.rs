//! Helper functions of exported files, written only where they are called.
//!
//! Invariant: a helper calls only helpers that [`Helper::needs`] names, and those come first.

use std::borrow::Cow;
use std::collections::BTreeSet;

use evo_dsl::Op;

use super::Library;

/// A helper function. The order is that in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Helper {
    StateDtype,
    ComputedIn,
    Cast,
    Zeros,
    Number,
    Scalar,
    Broadcast,
    Sign,
    ForeachSign,
    Cbrt,
    Log1p,
    Heaviside,
    Where,
    BiasCorrection,
    Rows,
    Columns,
    RowMean,
    ColumnMean,
    Norm,
    Dot,
    GlobalNorm,
    CosineSim,
    Clip,
    Orthogonalize,
    PolarExpress,
    PolarFactor,
    Role,
    At,
    Put,
    RefuseComplex,
    Local,
    Whole,
    Store,
    IsFlat,
    IsOfZero,
}

impl Helper {
    /// The name of the function.
    pub(super) fn name(self) -> &'static str {
        match self {
            Helper::StateDtype => "_state_dtype",
            Helper::ComputedIn => "_computed_in",
            Helper::Cast => "_cast",
            Helper::Zeros => "_zeros",
            Helper::Number => "_number",
            Helper::Scalar => "_scalar",
            Helper::Broadcast => "_broadcast",
            Helper::Sign => "_sign",
            Helper::ForeachSign => "_foreach_sign",
            Helper::Cbrt => "_cbrt",
            Helper::Log1p => "_log1p",
            Helper::Heaviside => "_heaviside",
            Helper::Where => "_where",
            Helper::BiasCorrection => "_bias_correction",
            Helper::Rows => "_rows",
            Helper::Columns => "_columns",
            Helper::RowMean => "_row_mean",
            Helper::ColumnMean => "_column_mean",
            Helper::Norm => "_norm",
            Helper::Dot => "_dot",
            Helper::GlobalNorm => "_global_norm",
            Helper::CosineSim => "_cosine_sim",
            Helper::Clip => "_clip",
            Helper::Orthogonalize => "_orthogonalize",
            Helper::PolarExpress => "_POLAR_EXPRESS",
            Helper::PolarFactor => "_POLAR_FACTOR",
            Helper::Role => "_role",
            Helper::At => "_at",
            Helper::Put => "_put",
            Helper::RefuseComplex => "_refuse_complex",
            Helper::Local => "_local",
            Helper::Whole => "_whole",
            Helper::Store => "_store",
            Helper::IsFlat => "_is_flat",
            Helper::IsOfZero => "_is_of_zero",
        }
    }

    /// What it calls itself.
    fn needs(self, library: Library) -> &'static [Helper] {
        match (self, library) {
            (Helper::GlobalNorm | Helper::CosineSim | Helper::Clip, _) => &[Helper::Dot],
            (Helper::BiasCorrection, Library::Torch) => &[Helper::Scalar],
            (Helper::Orthogonalize, Library::Jax | Library::NumPy) => &[Helper::Norm],
            (Helper::Zeros, _) => &[Helper::ComputedIn],
            _ => &[],
        }
    }

    fn text(self, library: Library) -> Cow<'static, str> {
        match (self, library) {
            (Helper::PolarExpress, _) => quintics(self.name(), Op::PolarExpress).into(),
            (Helper::PolarFactor, _) => quintics(self.name(), Op::PolarFactor).into(),
            (Helper::Role, _) => include_str!("helpers/role.py").into(),
            (Helper::Rows, _) => include_str!("helpers/rows.py").into(),
            (Helper::Columns, _) => include_str!("helpers/columns.py").into(),
            (_, Library::Torch) => self.torch().into(),
            (_, Library::Jax) => self.jax().into(),
            (_, Library::NumPy) => self.numpy().into(),
        }
    }

    fn torch(self) -> &'static str {
        match self {
            Helper::StateDtype => include_str!("helpers/torch/state_dtype.py"),
            Helper::Number => include_str!("helpers/torch/number.py"),
            Helper::Scalar => include_str!("helpers/torch/scalar.py"),
            Helper::Broadcast => include_str!("helpers/torch/broadcast.py"),
            Helper::Sign => include_str!("helpers/torch/sign.py"),
            Helper::ForeachSign => include_str!("helpers/torch/foreach_sign.py"),
            Helper::Cbrt => include_str!("helpers/torch/cbrt.py"),
            Helper::Log1p => include_str!("helpers/torch/log1p.py"),
            Helper::Heaviside => include_str!("helpers/torch/heaviside.py"),
            Helper::Where => include_str!("helpers/torch/where.py"),
            Helper::BiasCorrection => include_str!("helpers/torch/bias_correction.py"),
            Helper::RowMean => include_str!("helpers/torch/row_mean.py"),
            Helper::ColumnMean => include_str!("helpers/torch/column_mean.py"),
            Helper::Dot => include_str!("helpers/torch/dot.py"),
            Helper::GlobalNorm => include_str!("helpers/torch/global_norm.py"),
            Helper::CosineSim => include_str!("helpers/torch/cosine_sim.py"),
            Helper::Clip => include_str!("helpers/torch/clip.py"),
            Helper::Orthogonalize => include_str!("helpers/torch/orthogonalize.py"),
            Helper::Local => include_str!("helpers/torch/local.py"),
            Helper::Whole => include_str!("helpers/torch/whole.py"),
            Helper::Store => include_str!("helpers/torch/store.py"),
            Helper::IsFlat => include_str!("helpers/torch/is_flat.py"),
            Helper::IsOfZero => include_str!("helpers/torch/is_of_zero.py"),
            Helper::Norm => unreachable!("PyTorch has a norm in float64"),
            Helper::At | Helper::Put | Helper::RefuseComplex => unreachable!("of trees of JAX"),
            Helper::ComputedIn | Helper::Cast | Helper::Zeros => unreachable!("see StateDtype"),
            _ => unreachable!("the same in all libraries"),
        }
    }

    fn jax(self) -> &'static str {
        match self {
            Helper::ComputedIn => include_str!("helpers/jax/computed_in.py"),
            Helper::Cast => include_str!("helpers/jax/cast.py"),
            Helper::Zeros => include_str!("helpers/jax/zeros.py"),
            Helper::Broadcast => include_str!("helpers/jax/broadcast.py"),
            Helper::Log1p => include_str!("helpers/jax/log1p.py"),
            Helper::BiasCorrection => include_str!("helpers/jax/bias_correction.py"),
            Helper::RowMean => include_str!("helpers/jax/row_mean.py"),
            Helper::ColumnMean => include_str!("helpers/jax/column_mean.py"),
            Helper::Norm => include_str!("helpers/jax/norm.py"),
            Helper::Dot => include_str!("helpers/jax/dot.py"),
            Helper::GlobalNorm => include_str!("helpers/jax/global_norm.py"),
            Helper::CosineSim => include_str!("helpers/jax/cosine_sim.py"),
            Helper::Clip => include_str!("helpers/jax/clip.py"),
            Helper::Orthogonalize => include_str!("helpers/jax/orthogonalize.py"),
            Helper::At => include_str!("helpers/jax/at.py"),
            Helper::Put => include_str!("helpers/jax/put.py"),
            Helper::RefuseComplex => include_str!("helpers/jax/refuse_complex.py"),
            _ => unreachable!("JAX has it"),
        }
    }

    fn numpy(self) -> &'static str {
        match self {
            Helper::ComputedIn => include_str!("helpers/numpy/computed_in.py"),
            Helper::Cast => include_str!("helpers/numpy/cast.py"),
            Helper::Broadcast => include_str!("helpers/numpy/broadcast.py"),
            Helper::Log1p => include_str!("helpers/numpy/log1p.py"),
            Helper::BiasCorrection => include_str!("helpers/numpy/bias_correction.py"),
            Helper::RowMean => include_str!("helpers/numpy/row_mean.py"),
            Helper::ColumnMean => include_str!("helpers/numpy/column_mean.py"),
            Helper::Norm => include_str!("helpers/numpy/norm.py"),
            Helper::Dot => include_str!("helpers/numpy/dot.py"),
            Helper::GlobalNorm => include_str!("helpers/numpy/global_norm.py"),
            Helper::CosineSim => include_str!("helpers/numpy/cosine_sim.py"),
            Helper::Clip => include_str!("helpers/numpy/clip.py"),
            Helper::Orthogonalize => include_str!("helpers/numpy/orthogonalize.py"),
            _ => unreachable!("NumPy has it"),
        }
    }
}

/// The list of the quintics of an op's steps.
fn quintics(name: &str, op: Op) -> String {
    let (steps, _) = op.newton_schulz().expect("it has steps");
    let line = |[a, b, c]: &[f64; 3]| format!("    ({a:?}, {b:?}, {c:?}),\n");
    let lines: String = steps.iter().map(line).collect();
    format!("# Coefficients of Polar Express (arXiv 2505.16932).\n{name} = [\n{lines}]\n")
}

/// The text of these helpers and of what they need, two empty lines before each.
pub(crate) fn texts(called: &BTreeSet<Helper>, library: Library) -> String {
    let mut all = called.clone();
    // No helper needs one that needs another.
    for helper in called {
        all.extend(helper.needs(library));
    }
    all.iter().map(|helper| format!("\n\n{}", helper.text(library))).collect()
}
