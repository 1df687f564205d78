//! The grid a program is tuned over: learning rates, and weight decays where it has one.
//!
//! Invariant: the grid is fixed and deterministic, and the same for every program up to its own
//! scale: weight decays are multiples of the program's own constant, because what is usual differs
//! with the scale of the rule (AdamW's 0.01 goes with Lion's 0.1). A random search would hand the
//! search a baseline that depends on luck.

use evo_dsl::{Op, Operand, Program, Role};

/// Learning rates tried, which multiply the update: AdamW's own from 0.0005 to 0.256 in steps of
/// two.
const LEARNING_RATES: [f64; 10] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Multiples of the program's weight decay; 0, 0.01 and 0.1 for AdamW.
const WEIGHT_DECAYS: [f64; 3] = [0.0, 1.0, 10.0];

/// A program with every setting it is tuned over.
#[derive(Clone, Debug)]
pub struct Grid {
    variants: Vec<Variant>,
}

/// The program with one weight decay.
#[derive(Clone, Debug)]
struct Variant {
    weight_decay: Option<f64>,
    program: Program,
}

/// One point of a grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) program: &'a Program,
    pub(super) learning_rate: f64,
    pub(super) weight_decay: Option<f64>,
}

impl Grid {
    /// The grid of a program. Its weight decay is the constant that its live code multiplies the
    /// weights by; a program without, or with several, is tuned over learning rates alone.
    pub fn of(program: &Program) -> Grid {
        let program = program.live();
        let variants = match weight_decay(&program) {
            None => vec![Variant { weight_decay: None, program }],
            Some((place, own)) => WEIGHT_DECAYS
                // The sum makes a zero of either sign the positive one.
                .map(|multiple| own * multiple + 0.0)
                .map(|decay| Variant {
                    weight_decay: Some(decay),
                    program: decayed(&program, place, decay),
                })
                .into(),
        };
        Grid { variants }
    }

    /// The grid of the zoo's AdamW, by which baselines are tuned.
    pub fn adamw() -> Grid {
        Grid::of(&evo_dsl::zoo::get("adamw").expect("AdamW is in the zoo").program())
    }

    /// Numbers of learning rates and of weight decays; their product is the number of settings.
    pub fn size(&self) -> (usize, usize) {
        (LEARNING_RATES.len(), self.variants.len())
    }

    /// The largest learning rate that is tried.
    pub(super) fn largest_rate() -> f64 {
        LEARNING_RATES[LEARNING_RATES.len() - 1]
    }

    /// Whether a learning rate is the first or the last of the grid, so that a better one may lie
    /// beyond it.
    pub fn at_edge(learning_rate: f64) -> bool {
        let [first, .., last] = LEARNING_RATES;
        learning_rate <= first || learning_rate >= last
    }

    /// Every setting, lower weight decays first, then lower learning rates.
    pub(super) fn settings(&self) -> Vec<Setting<'_>> {
        let settings = self.variants.iter().flat_map(|variant| {
            LEARNING_RATES.map(|learning_rate| Setting {
                program: &variant.program,
                learning_rate,
                weight_decay: variant.weight_decay,
            })
        });
        settings.collect()
    }
}

/// Statement and argument of the one constant that the weights are multiplied by, and its value.
fn weight_decay(program: &Program) -> Option<((usize, usize), f64)> {
    let roles = program.signature().parameters();
    let weights = roles.iter().position(|role| *role == Role::Weight)?;
    let is_weights = |operand: &Operand| match operand {
        Operand::Variable(variable) => usize::from(variable.0) == weights,
        Operand::Constant(_) => false,
    };
    let mut found = None;
    for (index, statement) in program.statements().iter().enumerate() {
        if statement.op == Op::Mul && statement.args().iter().any(is_weights) {
            for (argument, operand) in statement.args().iter().enumerate() {
                if let Operand::Constant(value) = *operand {
                    if found.is_some() {
                        return None;
                    }
                    found = Some(((index, argument), value));
                }
            }
        }
        // From here on the name stands for something else.
        if usize::from(statement.target.0) == weights {
            break;
        }
    }
    found
}

fn decayed(program: &Program, (index, argument): (usize, usize), decay: f64) -> Program {
    let mut statements = program.statements().to_vec();
    statements[index].args_mut()[argument] = Operand::Constant(decay);
    program.with_statements(statements).expect("only a constant differs, and it is finite")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decays(text: &str) -> Vec<Option<f64>> {
        let grid = Grid::of(&Program::parse(text).expect("a well-formed program"));
        grid.variants.iter().map(|variant| variant.weight_decay).collect()
    }

    #[test]
    fn adamw_is_tuned_over_ten_learning_rates_and_three_weight_decays() {
        let grid = Grid::adamw();
        assert_eq!(grid.size(), (10, 3));
        let decays: Vec<_> = grid.variants.iter().map(|variant| variant.weight_decay).collect();
        assert_eq!(decays, [Some(0.0), Some(0.01), Some(0.1)]);
        let zoo = evo_dsl::zoo::get("adamw").expect("a zoo entry").program();
        assert_eq!(grid.variants[1].program.to_string(), zoo.to_string());
        assert_ne!(grid.variants[2].program.to_string(), zoo.to_string());
    }

    #[test]
    fn weight_decay_is_the_one_live_constant_times_the_weights() {
        let program = |line: &str| format!("def train(w, g, lr):\n{line}  return u\n");
        let of = |line: &str| decays(&program(line)).len();
        assert_eq!(of("  d = 0.1 * w\n  u = g + d\n"), 3);
        assert_eq!(of("  u = g * lr\n"), 1);
        assert_eq!(of("  d = w * 0.1\n  u = g * lr\n"), 1, "dead");
        assert_eq!(of("  d = w * 0.1\n  e = w * 0.2\n  f = d * e\n  u = g + f\n"), 1, "two");
        assert_eq!(of("  w = g * lr\n  d = w * 0.1\n  u = g + d\n"), 1, "not the weights");
    }
}
