//! Hyperparameters: the constants of a program by what they are for, and its learning rate.
//!
//! Invariant: setting every hyperparameter and the learning rate to its default gives the program
//! as it is, to the bit. Of the decay rates of moving averages those of squares come last, as Adam
//! has them: what cycles the first one takes it for the momentum. Numbers that are part of a
//! formula rather than settings (0, 1, -1, 2 and 0.5) stay numbers, except in the place of a decay
//! rate or a weight decay. Exports let users set them, and comparisons tune them: so the two mean
//! the same by each.

use crate::{Dataflow, Node, Op, Role, Value};

/// What a constant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The weight of the old value in a moving average, or a rate whose powers correct one.
    Beta,
    /// The weight of the new value in a moving average.
    Alpha,
    /// The factor of a state carried on.
    Decay,
    /// The factor of the weights.
    WeightDecay,
    /// A factor of the learning rate, where there are several.
    RateScale,
    /// A small number added, usually against division by zero.
    Eps,
    /// Anything else.
    Other,
}

impl Purpose {
    /// The name of the only hyperparameter for it.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Beta => "beta",
            Purpose::Alpha => "alpha",
            Purpose::Decay => "decay",
            Purpose::WeightDecay => "weight_decay",
            Purpose::RateScale => "lr_scale",
            Purpose::Eps => "eps",
            Purpose::Other => "c",
        }
    }

    /// What it does, for users.
    pub fn description(self) -> &'static str {
        match self {
            Purpose::Beta => "decay rate of a moving average",
            Purpose::Alpha => "weight of the new value in a moving average",
            Purpose::Decay => "factor by which a state decays",
            Purpose::WeightDecay => "factor of the weights in the update",
            Purpose::RateScale => "factor of the learning rate",
            Purpose::Eps => "small number added",
            Purpose::Other => "evolved constant",
        }
    }

    /// Whether equal constants for it are one setting: Adam's beta1 is in the moving average and in
    /// its correction.
    fn is_shared(self) -> bool {
        matches!(self, Purpose::Beta | Purpose::Alpha | Purpose::Decay)
    }
}

/// A constant that users may set.
#[derive(Clone, Debug, PartialEq)]
pub struct Hyperparameter {
    /// A name by its purpose, numbered where there are several; no two are equal.
    pub name: String,
    /// The evolved value, which is the default.
    pub value: f64,
    /// What it is for.
    pub purpose: Purpose,
}

/// What the learning rate that users pass means.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRate {
    /// The value users pass for the program's own setting.
    pub default: f64,
    /// The factor by which the program multiplies its normalised rate, where it has exactly one:
    /// the product is then what users pass, and the normalised rate is what they pass divided by
    /// this.
    pub unit: Option<f64>,
}

impl LearningRate {
    /// The learning rate of a program.
    pub fn of(flow: &Dataflow) -> LearningRate {
        let factors: Vec<f64> = flow.nodes().iter().filter_map(rate_factor).collect();
        let only = factors.first().filter(|&&first| {
            first > 0.0 && factors.iter().all(|factor| factor.to_bits() == first.to_bits())
        });
        LearningRate { default: only.copied().unwrap_or(1.0), unit: only.copied() }
    }

    /// Whether a node is the product of the normalised rate and the unit: the learning rate itself.
    pub fn is(&self, node: &Node) -> bool {
        self.unit.is_some() && rate_factor(node).is_some()
    }
}

/// The constant that a node multiplies the learning rate by, if that is what it does.
fn rate_factor(node: &Node) -> Option<f64> {
    factor_of(node, |value| value == Value::Input(Role::LearningRate))
}

/// The constant that a node multiplies a certain value by.
fn factor_of(node: &Node, is_other: impl Fn(Value) -> bool) -> Option<f64> {
    match (node.op, node.args()) {
        (Op::Mul, [Value::Constant(factor), other] | [other, Value::Constant(factor)]) => {
            is_other(*other).then_some(*factor)
        }
        _ => None,
    }
}

/// What the constant in place `place` of a node is for; `None` if it is part of the formula.
fn purpose(flow: &Dataflow, node: &Node, place: usize, value: f64) -> Option<Purpose> {
    let args = node.args();
    let is_state = |value: Value| {
        matches!(value, Value::Input(Role::State(_)))
            || (matches!(value, Value::Node(_)) && flow.outputs()[1..].contains(&Some(value)))
    };
    let is_weight = |value: Value| value == Value::Input(Role::Weight);
    match (node.op, place) {
        (Op::Interp, 2) => {
            let old_first = matches!(args[0], Value::Input(Role::State(_)));
            let old_second = matches!(args[1], Value::Input(Role::State(_)));
            return Some(if old_first && !old_second { Purpose::Alpha } else { Purpose::Beta });
        }
        (Op::BiasCorrect, 1) => return Some(Purpose::Beta),
        (Op::Power, 0) if args[1] == Value::Input(Role::Step) => return Some(Purpose::Beta),
        // `x = w` is read as `w * 1.0`.
        _ if factor_of(node, is_weight).is_some() && value != 1.0 => {
            return Some(Purpose::WeightDecay);
        }
        _ => {}
    }
    if [0.0, 1.0, -1.0, 2.0, 0.5].contains(&value) {
        return None;
    }
    Some(match node.op {
        Op::Add if value > 0.0 && value <= 1e-4 => Purpose::Eps,
        _ if rate_factor(node).is_some() => Purpose::RateScale,
        _ if factor_of(node, is_state).is_some() && value > 0.0 && value < 1.0 => Purpose::Decay,
        _ => Purpose::Other,
    })
}

/// The hyperparameters of a program in the order of their first use, and which of them the
/// constants of its dataflow are.
#[derive(Clone, Debug)]
pub struct Hyperparameters {
    /// The hyperparameters.
    pub all: Vec<Hyperparameter>,
    /// What the learning rate is, which is none of them.
    pub rate: LearningRate,
    /// One entry for each node and place.
    places: Vec<[Option<usize>; 3]>,
}

impl Hyperparameters {
    /// Collects and names them.
    pub fn of(flow: &Dataflow) -> Hyperparameters {
        let rate = LearningRate::of(flow);
        let mut all: Vec<Hyperparameter> = Vec::new();
        let mut places = vec![[None; 3]; flow.nodes().len()];
        for (index, node) in flow.nodes().iter().enumerate().filter(|(_, node)| !rate.is(node)) {
            for (place, arg) in node.args().iter().enumerate() {
                let Value::Constant(value) = *arg else { continue };
                let Some(purpose) = purpose(flow, node, place, value) else { continue };
                let same = |known: &Hyperparameter| {
                    known.purpose == purpose && known.value.to_bits() == value.to_bits()
                };
                let shared = all.iter().position(|known| purpose.is_shared() && same(known));
                places[index][place] = Some(shared.unwrap_or(all.len()));
                if shared.is_none() {
                    all.push(Hyperparameter { name: String::new(), value, purpose });
                }
            }
        }
        let mut ordered = Hyperparameters { all, rate, places };
        ordered.put_squares_last(flow);
        name(&mut ordered.all);
        ordered
    }

    /// Orders the decay rates of moving averages, in the places that they have among the others.
    fn put_squares_last(&mut self, flow: &Dataflow) {
        let is_beta = |&index: &usize| self.all[index].purpose == Purpose::Beta;
        let places: Vec<usize> = (0..self.all.len()).filter(is_beta).collect();
        let mut betas = places.clone();
        betas.sort_by_key(|&beta| self.is_of_squares(flow, beta));
        let mut moved: Vec<usize> = (0..self.all.len()).collect();
        let old = self.all.clone();
        for (&place, &beta) in places.iter().zip(&betas) {
            self.all[place] = old[beta].clone();
            moved[beta] = place;
        }
        for setting in self.places.iter_mut().flatten().flatten() {
            *setting = moved[*setting];
        }
    }

    /// Whether all moving averages with this decay rate are of squares.
    fn is_of_squares(&self, flow: &Dataflow, beta: usize) -> bool {
        let nodes = flow.nodes().iter().enumerate();
        let mut averages = nodes
            .filter(|(index, node)| node.op == Op::Interp && self.at(*index, 2) == Some(beta))
            .peekable();
        averages.peek().is_some() && averages.all(|(_, node)| is_square(flow, node.args()[0]))
    }

    /// The hyperparameter that the constant in a place of a node is.
    pub fn at(&self, node: usize, place: usize) -> Option<usize> {
        self.places[node][place]
    }

    /// The dataflow that these are of, with other values for them, one for each.
    ///
    /// # Panics
    /// When there are fewer values than hyperparameters.
    #[must_use]
    pub fn set(&self, flow: &Dataflow, values: &[f64]) -> Dataflow {
        flow.with_constants(|node, place| self.at(node, place).map(|setting| values[setting]))
    }
}

/// Whether a value is a square, or the mean of one.
fn is_square(flow: &Dataflow, value: Value) -> bool {
    let Value::Node(node) = value else { return false };
    let node = &flow.nodes()[node];
    match (node.op, node.args()) {
        (Op::Square, _) => true,
        (Op::Mul, [a, b]) => a == b,
        (Op::RowMean | Op::ColumnMean, [x]) => is_square(flow, *x),
        _ => false,
    }
}

fn name(all: &mut [Hyperparameter]) {
    for index in 0..all.len() {
        let purpose = all[index].purpose;
        let of_its_kind = all.iter().filter(|other| other.purpose == purpose).count();
        let before = all[..index].iter().filter(|other| other.purpose == purpose).count();
        let numbered = of_its_kind > 1 || purpose == Purpose::Other;
        let number = if numbered { (before + 1).to_string() } else { String::new() };
        all[index].name = format!("{}{number}", purpose.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Program, structural_hash, zoo};

    fn set(program: &Program, value: impl Fn(&Hyperparameter) -> f64) -> Program {
        let flow = Dataflow::of(program);
        let own = Hyperparameters::of(&flow);
        let values: Vec<f64> = own.all.iter().map(value).collect();
        Program::from_dataflow(program.signature(), &own.set(&flow, &values))
    }

    #[test]
    fn set_to_their_own_values_every_rule_stays_what_it_is() {
        for entry in zoo::entries() {
            let program = entry.program();
            let own = Hyperparameters::of(&Dataflow::of(&program));
            let same = set(&program, |setting| setting.value);
            assert_eq!(structural_hash(&same), structural_hash(&program), "{}", entry.name);
            let halved = set(&program, |setting| setting.value * 0.5);
            let changed = structural_hash(&halved) != structural_hash(&program);
            assert_eq!(changed, !own.all.is_empty(), "{}", entry.name);
            let rate = Hyperparameters::of(&Dataflow::of(&halved)).rate;
            assert_eq!(rate, own.rate, "{}", entry.name);
        }
    }

    #[test]
    fn a_decay_rate_is_set_where_it_averages_and_where_it_corrects() {
        let adamw = zoo::get("adamw").expect("it is in the zoo").program();
        let changed = set(&adamw, |setting| match setting.name.as_str() {
            "beta1" => 0.6,
            _ => setting.value,
        });
        let count = |program: &Program, number| {
            let args = program.statements().iter().flat_map(|it| it.args().to_vec());
            args.filter(|arg| *arg == crate::Operand::Constant(number)).count()
        };
        assert!(count(&adamw, 0.9) > 1, "{adamw}");
        assert_eq!((count(&changed, 0.6), count(&changed, 0.9)), (count(&adamw, 0.9), 0));
    }
}
