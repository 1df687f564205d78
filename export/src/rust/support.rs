//! Functions that exported files bring along, each only where it is called.
//!
//! Invariant: they are called as `ops::name`, a path that no variable of a program can shadow.

use evo_dsl::Op;

/// A function of the exported file, or what else it brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Support {
    MaxF32,
    MaxF64,
    MinF32,
    MinF64,
    SignF32,
    SignF64,
    HeavisideF32,
    HeavisideF64,
    Log1p,
    Orthogonalize,
    Multiply,
    Transpose,
    Muon,
    PolarExpress,
    PolarFactor,
    Role,
}

impl Support {
    /// All, in the order they are written.
    pub(super) const ALL: [Support; 16] = [
        Support::MaxF32,
        Support::MaxF64,
        Support::MinF32,
        Support::MinF64,
        Support::SignF32,
        Support::SignF64,
        Support::HeavisideF32,
        Support::HeavisideF64,
        Support::Log1p,
        Support::Orthogonalize,
        Support::Multiply,
        Support::Transpose,
        Support::Muon,
        Support::PolarExpress,
        Support::PolarFactor,
        Support::Role,
    ];

    /// Its name in the module `ops`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Support::MaxF32 => "max_f32",
            Support::MaxF64 => "max_f64",
            Support::MinF32 => "min_f32",
            Support::MinF64 => "min_f64",
            Support::SignF32 => "sign_f32",
            Support::SignF64 => "sign_f64",
            Support::HeavisideF32 => "heaviside_f32",
            Support::HeavisideF64 => "heaviside_f64",
            Support::Log1p => "log1p",
            Support::Orthogonalize => "orthogonalize",
            Support::Multiply => "multiply",
            Support::Transpose => "transpose",
            Support::Muon => "MUON",
            Support::PolarExpress => "POLAR_EXPRESS",
            Support::PolarFactor => "POLAR_FACTOR",
            Support::Role => "Role",
        }
    }

    /// What it calls itself.
    pub(super) fn calls(self) -> &'static [Support] {
        match self {
            Support::Orthogonalize => &[Support::Multiply, Support::Transpose],
            _ => &[],
        }
    }

    /// Its text.
    pub(super) fn text(self) -> String {
        let text = match self {
            Support::MaxF32 | Support::MaxF64 => MAX,
            Support::MinF32 | Support::MinF64 => MIN,
            Support::SignF32 | Support::SignF64 => SIGN,
            Support::HeavisideF32 | Support::HeavisideF64 => HEAVISIDE,
            Support::Log1p => LOG1P,
            Support::Orthogonalize => ORTHOGONALIZE,
            Support::Multiply => MULTIPLY,
            Support::Transpose => TRANSPOSE,
            Support::Muon => return quintics(self.name(), Op::Orthogonalize),
            Support::PolarExpress => return quintics(self.name(), Op::PolarExpress),
            Support::PolarFactor => return quintics(self.name(), Op::PolarFactor),
            Support::Role => ROLE,
        };
        let number = if self.name().ends_with("f64") { "f64" } else { "f32" };
        text.replace("NAME", self.name()).replace("NUMBER", number)
    }
}

/// The quintics of an op's steps.
fn quintics(name: &str, op: Op) -> String {
    let (steps, _) = op.newton_schulz().expect("it has steps");
    let lines: String = steps.iter().map(|step| format!("    {step:?},\n")).collect();
    format!(
        "/// Coefficients of Newton-Schulz steps.\npub const {name}: [[f64; 3]; {}] = [\n\
         {lines}];\n",
        steps.len()
    )
}

const ROLE: &str = "\
/// What a tensor is in its network: `Vector` is everything of fewer than two dimensions.
#[allow(dead_code)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NAME {
    Hidden,
    Embedding,
    Output,
    Vector,
}
";

const MAX: &str = "\
/// The larger of two; NaN if either is.
pub fn NAME(a: NUMBER, b: NUMBER) -> NUMBER {
    if a.is_nan() || a > b || (a == b && a.is_sign_positive()) { a } else { b }
}
";

const MIN: &str = "\
/// The smaller of two; NaN if either is.
pub fn NAME(a: NUMBER, b: NUMBER) -> NUMBER {
    if a.is_nan() || a < b || (a == b && a.is_sign_negative()) { a } else { b }
}
";

const SIGN: &str = "\
/// 1 above zero, -1 below; zero and NaN stay.
pub fn NAME(x: NUMBER) -> NUMBER {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    }
}
";

const HEAVISIDE: &str = "\
/// 1 above zero, else 0; NaN stays.
pub fn NAME(x: NUMBER) -> NUMBER {
    if x > 0.0 {
        1.0
    } else if x <= 0.0 {
        0.0
    } else {
        x
    }
}
";

const LOG1P: &str = "\
/// ln |1 + x|.
pub fn NAME(x: f64) -> f64 {
    (if x < -1.0 { -2.0 - x } else { x }).ln_1p()
}
";

const ORTHOGONALIZE: &str = "\
/// Brings every matrix near its nearest semi-orthogonal one, by Newton-Schulz steps.
pub fn NAME(x: &mut [f32], shapes: &[(usize, usize)], steps: &[[f64; 3]], margin: f64) {
    let mut rest = x;
    for &(rows, columns) in shapes {
        let (x, others) = std::mem::take(&mut rest).split_at_mut(rows * columns);
        rest = others;
        let square: f64 = x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        let norm = square.sqrt() * margin;
        let divisor = if norm < 1e-7 { 1e-7 } else { norm };
        x.iter_mut().for_each(|x| *x /= divisor as f32);
        let (short, long) = (rows.min(columns), rows.max(columns));
        let mut wide = if rows > columns { transpose(x, rows, columns) } else { x.to_vec() };
        for step in steps {
            let [for_x, for_cube, for_fifth] = step.map(|it| it as f32);
            let tall = transpose(&wide, short, long);
            let gram = multiply(&wide, &tall, short, long, short);
            let mut polynomial = multiply(&gram, &gram, short, short, short);
            for (square, gram) in polynomial.iter_mut().zip(&gram) {
                *square = for_cube * gram + for_fifth * *square;
            }
            let product = multiply(&polynomial, &wide, short, short, long);
            for (x, product) in wide.iter_mut().zip(&product) {
                *x = for_x * *x + product;
            }
        }
        let wide = if rows > columns { transpose(&wide, columns, rows) } else { wide };
        x.copy_from_slice(&wide);
    }
}
";

const MULTIPLY: &str = "\
/// The product of a (rows by inner) and b (inner by columns).
pub fn NAME(a: &[f32], b: &[f32], rows: usize, inner: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows * columns];
    for row in 0..rows {
        let out = &mut out[row * columns..][..columns];
        for k in 0..inner {
            let a = a[row * inner + k];
            for (out, b) in out.iter_mut().zip(&b[k * columns..][..columns]) {
                *out += a * b;
            }
        }
    }
    out
}
";

const TRANSPOSE: &str = "\
/// Columns for rows.
pub fn NAME(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows * columns];
    for row in 0..rows {
        for column in 0..columns {
            out[column * rows + row] = x[row * columns + column];
        }
    }
    out
}
";
