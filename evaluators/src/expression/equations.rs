//! Published equations: the benchmarks of symbolic regression, by name.
//!
//! Invariant: formula, ranges and number of points are those of the source. Points are drawn evenly
//! from the ranges. Where a source leaves the number of points to its reader, it is 200.

/// Uy, Hoai, O'Neill, McKay, Galván-López: Semantically-based crossover in genetic programming,
/// Genetic Programming and Evolvable Machines 12, 2011, table 1.
const UY: &str = "Uy et al. 2011";

/// Petersen et al.: Deep symbolic regression, arXiv 1912.04871, table 2, which has two more
/// equations under Nguyen's name.
const PETERSEN: &str = "Petersen et al. 2021";

/// Udrescu, Tegmark: AI Feynman, Science Advances 6, 2020 (arXiv 1905.11481), table 4, with the
/// ranges of its data base.
const UDRESCU: &str = "Udrescu & Tegmark 2020";

/// A published equation.
#[derive(Clone, Copy, Debug)]
pub struct Equation {
    /// Its name, such as `Nguyen-1` or `Feynman I.12.1`.
    pub name: &'static str,
    /// The formula, in the language.
    pub formula: &'static str,
    /// Names and ranges of the inputs.
    pub inputs: &'static [(&'static str, f64, f64)],
    /// Points to fit.
    pub points: usize,
    /// Where it was published.
    pub source: &'static str,
}

impl Equation {
    /// Every equation, in the order of the sources.
    pub fn all() -> &'static [Equation] {
        EQUATIONS
    }

    /// The equation of this name; case does not matter.
    pub fn named(name: &str) -> Option<&'static Equation> {
        EQUATIONS.iter().find(|equation| equation.name.eq_ignore_ascii_case(name))
    }
}

const fn nguyen(
    name: &'static str,
    formula: &'static str,
    inputs: &'static [(&'static str, f64, f64)],
    points: usize,
) -> Equation {
    Equation { name, formula, inputs, points, source: UY }
}

const fn petersen(name: &'static str, formula: &'static str) -> Equation {
    let inputs = &[("x", 0.0, 1.0), ("y", 0.0, 1.0)];
    Equation { name, formula, inputs, points: 20, source: PETERSEN }
}

const fn feynman(
    name: &'static str,
    formula: &'static str,
    inputs: &'static [(&'static str, f64, f64)],
) -> Equation {
    Equation { name, formula, inputs, points: 200, source: UDRESCU }
}

const X: &[(&str, f64, f64)] = &[("x", -1.0, 1.0)];
const XY: &[(&str, f64, f64)] = &[("x", -1.0, 1.0), ("y", -1.0, 1.0)];

#[rustfmt::skip]
const EQUATIONS: &[Equation] = &[
    nguyen("Nguyen-1", "x ** 3 + x ** 2 + x", X, 20),
    nguyen("Nguyen-2", "x ** 4 + x ** 3 + x ** 2 + x", X, 20),
    nguyen("Nguyen-3", "x ** 5 + x ** 4 + x ** 3 + x ** 2 + x", X, 20),
    nguyen("Nguyen-4", "x ** 6 + x ** 5 + x ** 4 + x ** 3 + x ** 2 + x", X, 20),
    nguyen("Nguyen-5", "sin(x ** 2) * cos(x) - 1", X, 20),
    nguyen("Nguyen-6", "sin(x) + sin(x + x ** 2)", X, 20),
    nguyen("Nguyen-7", "log(x + 1) + log(x ** 2 + 1)", &[("x", 0.0, 2.0)], 20),
    nguyen("Nguyen-8", "sqrt(x)", &[("x", 0.0, 4.0)], 20),
    nguyen("Nguyen-9", "sin(x) + sin(y ** 2)", XY, 100),
    nguyen("Nguyen-10", "2 * sin(x) * cos(y)", XY, 100),
    petersen("Nguyen-11", "x ** y"),
    petersen("Nguyen-12", "x ** 4 - x ** 3 + y ** 2 / 2 - y"),
    feynman("Feynman I.6.2a", "exp(-(theta ** 2) / 2) / sqrt(2 * get_pi())",
        &[("theta", 1.0, 3.0)]),
    feynman("Feynman I.8.14", "sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)",
        &[("x1", 1.0, 5.0), ("x2", 1.0, 5.0), ("y1", 1.0, 5.0), ("y2", 1.0, 5.0)]),
    feynman("Feynman I.10.7", "m_0 / sqrt(1 - v ** 2 / c ** 2)",
        &[("m_0", 1.0, 5.0), ("v", 1.0, 2.0), ("c", 3.0, 10.0)]),
    feynman("Feynman I.12.1", "mu * n", &[("mu", 1.0, 5.0), ("n", 1.0, 5.0)]),
    feynman("Feynman I.14.3", "m * g * z", &[("m", 1.0, 5.0), ("g", 1.0, 5.0), ("z", 1.0, 5.0)]),
    feynman("Feynman I.14.4", "k * x ** 2 / 2", &[("k", 1.0, 5.0), ("x", 1.0, 5.0)]),
    feynman("Feynman I.25.13", "q / c", &[("q", 1.0, 5.0), ("c", 1.0, 5.0)]),
    feynman("Feynman I.39.1", "3 / 2 * pr * v", &[("pr", 1.0, 5.0), ("v", 1.0, 5.0)]),
    feynman("Feynman I.50.26", "x1 * (cos(omega * t) + alpha * cos(omega * t) ** 2)",
        &[("x1", 1.0, 3.0), ("omega", 1.0, 3.0), ("t", 1.0, 3.0), ("alpha", 1.0, 3.0)]),
    feynman("Feynman II.3.24", "pwr / (4 * get_pi() * r ** 2)",
        &[("pwr", 1.0, 5.0), ("r", 1.0, 5.0)]),
    feynman("Feynman II.8.31", "epsilon * ef ** 2 / 2", &[("epsilon", 1.0, 5.0), ("ef", 1.0, 5.0)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_equation_is_an_expression_of_its_inputs() {
        for equation in Equation::all() {
            let names: Vec<&str> = equation.inputs.iter().map(|input| input.0).collect();
            let program = evo_dsl::Program::parse_formula(&names, equation.formula);
            let program = program.unwrap_or_else(|error| panic!("{}: {error}", equation.name));
            assert_eq!(program.signature().inputs(), names.len());
            assert!(!equation.source.is_empty() && Equation::named(equation.name).is_some());
        }
    }
}
