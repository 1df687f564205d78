//! Functions that exported files bring along, each only where it is called.

/// A function of the exported file.
pub(super) struct Support {
    name: &'static str,
    /// Those that it calls itself.
    calls: &'static [&'static str],
    text: &'static str,
}

const ALL: [Support; 7] = [
    Support {
        name: "place",
        calls: &[],
        text: "/// The place that a fraction of `n` stands for.
pub fn place(fraction: f64, n: usize) -> usize {
    ((fraction as f32 * n as f32) as usize).min(n - 1)
}
",
    },
    Support {
        name: "between",
        calls: &[],
        text: "/// A number between two; the low one where the high one is not above it.
pub fn between(low: f64, high: f64, draw: &mut impl super::Draw) -> f64 {
    let range = high - low;
    if range > 0.0 && range.is_finite() {
        (low + range * draw.uniform()).clamp(low, high)
    } else {
        low
    }
}
",
    },
    Support {
        name: "sum",
        calls: &[],
        text: "/// The sum in order; to begin at -0 changes no number.
pub fn sum(x: impl Iterator<Item = f64>) -> f64 {
    x.fold(-0.0, |sum, x| sum + x)
}
",
    },
    Support {
        name: "dot",
        calls: &["sum"],
        text: "/// The inner product.
pub fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    sum(a.iter().zip(b).map(|(a, b)| a * b))
}
",
    },
    Support {
        name: "norm",
        calls: &["sum"],
        text: "/// The root of the sum of squares.
pub fn norm(x: impl Iterator<Item = f64>) -> f64 {
    sum(x.map(|x| x * x)).sqrt()
}
",
    },
    Support {
        name: "mean",
        calls: &[],
        text: "/// The mean.
pub fn mean(x: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = x.fold((-0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    sum / count
}
",
    },
    Support {
        name: "deviation",
        calls: &["mean"],
        text:
            "/// The whole population's standard deviation; NaN where rounding leaves less than 0.
pub fn deviation(x: impl Iterator<Item = f64> + Clone) -> f64 {
    let middle = mean(x.clone());
    (mean(x.map(|x| x * x)) - middle * middle).sqrt()
}
",
    },
];

impl Support {
    /// The module of those that a text calls; empty where there are none.
    pub(super) fn text(code: &str) -> String {
        let is_called = |name: &str| code.contains(&format!("ops::{name}("));
        let is_used = |it: &&Support| {
            let through = |other: &Support| is_called(other.name) && other.calls.contains(&it.name);
            is_called(it.name) || ALL.iter().any(through)
        };
        let used: Vec<&str> = ALL.iter().filter(is_used).map(|it| it.text).collect();
        if used.is_empty() {
            return String::new();
        }
        let indented: String = used
            .join("\n")
            .lines()
            .map(|line| match line {
                "" => "\n".to_owned(),
                line => format!("    {line}\n"),
            })
            .collect();
        format!("\n/// What the standard library has not.\nmod ops {{\n{indented}}}\n")
    }
}
