//! Knobs: what is tuned of a program, and the settings that are tried.
//!
//! Invariant: every program has the same number of settings tried, drawn by the same rule from
//! ranges that are relative to its own constants. Learning rates come first, with all else as it
//! is: a quarter of the settings over the whole range, another between the best so far and its
//! neighbours; then the best so far is varied, all its knobs at once. Plain random search would
//! spend nearly all of it at rates that cannot train, and without closing in on the rate what is
//! left to luck is more than most rules differ by.

use evo_dsl::{Dataflow, Hyperparameter, Hyperparameters, Program, Purpose};
use evo_hashes::{Seed, StreamRng};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::super::scoring::log_uniform;

/// The smallest and the largest learning rate, as powers of two; that of the zoo is 1.
const RATES: (f64, f64) = (-7.0, 9.0);

/// How far a learning rate is varied, in powers of two to either side.
const VARIED: f64 = 1.0;

/// As near to a learning rate on both sides, in powers of two, others are not told from it.
const CLOSE: f64 = 0.5;

/// Factors of a weight decay that a program has.
const OWN_DECAYS: (f64, f64) = (1.0 / 32.0, 32.0);

/// The share of the weights that a step takes where decay is added, at the schedule's peak.
const ADDED_DECAYS: (f64, f64) = (1e-6, 1e-2);

/// How often there is no weight decay where one is drawn.
const WITHOUT_DECAY: f64 = 0.25;

/// How far other constants are varied: to a quarter and to four times their size.
const OTHER: f64 = 4.0;

/// One way to set a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// What every update is multiplied by.
    pub learning_rate: f64,
    /// `None` where there is no such knob.
    pub weight_decay: Option<WeightDecay>,
    /// The values of the tuned hyperparameters.
    pub hyperparameters: Vec<f64>,
}

/// How weights decay with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum WeightDecay {
    /// The weight decays that the program has, times this.
    Own(f64),
    /// The program has none: every step takes this share of the weights, times the schedule.
    Added(f64),
}

/// What is tuned of a program.
#[derive(Clone, Debug)]
pub struct Knobs {
    program: Program,
    flow: Dataflow,
    all: Hyperparameters,
    /// As the program has it; none where it has no decay, and averages that would know nothing of
    /// one.
    decay: Option<WeightDecay>,
    /// Those that are tuned.
    tuned: Vec<usize>,
}

impl Knobs {
    /// The knobs of a program: its learning rate, its weight decay and at most so many of its
    /// hyperparameters, decay rates first.
    pub fn of(program: &Program, most: u32) -> Knobs {
        let flow = Dataflow::of(program);
        let all = Hyperparameters::of(&flow);
        let is_decay = |it: &Hyperparameter| it.purpose == Purpose::WeightDecay;
        let decay = match all.all.iter().any(is_decay) {
            true => Some(WeightDecay::Own(1.0)),
            false if program.readout().is_some() => None,
            false => Some(WeightDecay::Added(0.0)),
        };
        let mut tuned: Vec<usize> =
            (0..all.all.len()).filter(|&it| rank(&all.all[it]).is_some()).collect();
        tuned.sort_by_key(|&it| rank(&all.all[it]));
        tuned.truncate(most as usize);
        Knobs { program: program.clone(), flow, all, decay, tuned }
    }

    /// The hyperparameters that are tuned, in the order of [`Setting::hyperparameters`].
    pub fn hyperparameters(&self) -> impl Iterator<Item = &Hyperparameter> {
        self.tuned.iter().map(|&index| &self.all.all[index])
    }

    /// The program as it is.
    pub fn own(&self) -> Setting {
        Setting {
            learning_rate: 1.0,
            weight_decay: self.decay,
            hyperparameters: self.hyperparameters().map(|it| it.value).collect(),
        }
    }

    /// The weight decay of another program's setting, where this one has it from the same place;
    /// else its own.
    pub(super) fn decay_like(&self, other: &Setting) -> Option<WeightDecay> {
        match (self.decay, other.weight_decay) {
            (Some(WeightDecay::Own(_)), Some(WeightDecay::Own(_)))
            | (Some(WeightDecay::Added(_)), Some(WeightDecay::Added(_))) => other.weight_decay,
            (own, _) => own,
        }
    }

    /// The program with a setting, its learning rate aside: that multiplies the update of a run.
    pub fn program(&self, setting: &Setting) -> Program {
        let mut values: Vec<f64> = self.all.all.iter().map(|it| it.value).collect();
        for (&index, &value) in self.tuned.iter().zip(&setting.hyperparameters) {
            values[index] = value;
        }
        if let Some(WeightDecay::Own(factor)) = setting.weight_decay {
            let all = self.all.all.iter().zip(&mut values);
            let own = all.filter(|(it, _)| it.purpose == Purpose::WeightDecay);
            // The sum makes a zero of either sign the positive one.
            own.for_each(|(_, value)| *value = *value * factor + 0.0);
        }
        let mut flow = self.all.set(&self.flow, &values);
        match setting.weight_decay {
            Some(WeightDecay::Added(share)) if share != 0.0 => {
                flow = flow.decayed(share / setting.learning_rate);
            }
            _ => {}
        }
        Program::from_dataflow(self.program.signature(), &flow)
    }

    /// The settings that differ from the program as it is in the learning rate alone: `count` of
    /// them, one drawn from each part of the whole range.
    pub(super) fn rates(&self, count: u32, seed: Seed) -> Vec<Setting> {
        let mut stream = seed.stream("rates", 0);
        let part = (RATES.1 - RATES.0) / f64::from(count);
        let rate =
            |index: u32| libm::exp2(RATES.0 + part * (f64::from(index) + stream.random::<f64>()));
        let rates = (0..count).map(rate);
        rates.map(|learning_rate| Setting { learning_rate, ..self.own() }).collect()
    }

    /// Another setting near the best so far; each `index` has one.
    pub fn varied(&self, best: &Setting, index: u32, seed: Seed) -> Setting {
        let mut stream = seed.stream("varied", u64::from(index));
        let moved = stream.random_range(-VARIED..=VARIED);
        let power = (libm::log2(best.learning_rate) + moved).clamp(RATES.0, RATES.1);
        let weight_decay = best.weight_decay.map(|decay| match stream.random::<bool>() {
            true => decay.drawn(&mut stream),
            false => decay,
        });
        let values = self.hyperparameters().zip(&best.hyperparameters);
        let hyperparameters = values.map(|(it, &value)| match stream.random::<bool>() {
            true => drawn(it, &mut stream),
            false => value,
        });
        Setting {
            learning_rate: libm::exp2(power),
            weight_decay,
            hyperparameters: hyperparameters.collect(),
        }
    }

    /// Whether a better learning rate may lie beyond those that were tried: none was lower, or none
    /// higher, or the end of the range is close.
    pub(super) fn at_edge(best: &Setting, tried: &[f64]) -> bool {
        let rate = best.learning_rate;
        let power = libm::log2(rate);
        let is_end = power < RATES.0 + CLOSE || power > RATES.1 - CLOSE;
        is_end || !tried.iter().any(|&it| it < rate) || !tried.iter().any(|&it| it > rate)
    }

    /// The best setting at the learning rate in the middle between its own and the nearest that was
    /// tried, or the end of the range, on the side where that is further away; `None` where it is
    /// near on both.
    pub(super) fn between(best: &Setting, tried: &[f64]) -> Option<Setting> {
        let own = libm::log2(best.learning_rate);
        let others = || tried.iter().map(|&rate| libm::log2(rate));
        let below = own - others().filter(|&it| it < own).fold(RATES.0, f64::max);
        let above = others().filter(|&it| it > own).fold(RATES.1, f64::min) - own;
        let moved = if above > below { above / 2.0 } else { -below / 2.0 };
        let learning_rate = libm::exp2(own + moved);
        (below.max(above) > CLOSE).then(|| Setting { learning_rate, ..best.clone() })
    }
}

impl WeightDecay {
    /// Another one from the same place.
    fn drawn(self, stream: &mut StreamRng) -> WeightDecay {
        let without = stream.random_bool(WITHOUT_DECAY);
        let mut draw = |(low, high)| if without { 0.0 } else { log_uniform(low, high, stream) };
        match self {
            WeightDecay::Own(_) => WeightDecay::Own(draw(OWN_DECAYS)),
            WeightDecay::Added(_) => WeightDecay::Added(draw(ADDED_DECAYS)),
        }
    }
}

/// In which order hyperparameters are tuned; `None` for what is not.
fn rank(it: &Hyperparameter) -> Option<u8> {
    match it.purpose {
        Purpose::WeightDecay | Purpose::Eps => None,
        // What a program multiplies by nothing has no size to vary.
        _ if it.value == 0.0 => None,
        Purpose::Beta | Purpose::Alpha | Purpose::Decay => Some(0),
        Purpose::Other => Some(1),
        Purpose::RateScale => Some(2),
    }
}

/// A value for a hyperparameter. The smaller of a decay rate and what it lacks to 1 is drawn from a
/// tenth of it to its cube root: AdamW's beta1 from 0.54 to 0.99, beta2 from 0.9 to 0.9999.
fn drawn(it: &Hyperparameter, stream: &mut StreamRng) -> f64 {
    let is_rate = matches!(it.purpose, Purpose::Beta | Purpose::Alpha | Purpose::Decay);
    match it.value {
        rate if is_rate && 0.0 < rate && rate < 0.5 => drawn_part(rate, stream),
        rate if is_rate && (0.5..1.0).contains(&rate) => 1.0 - drawn_part(1.0 - rate, stream),
        other => other * log_uniform(1.0 / OTHER, OTHER, stream),
    }
}

fn drawn_part(part: f64, stream: &mut StreamRng) -> f64 {
    log_uniform(part / 10.0, libm::cbrt(part), stream)
}

#[cfg(test)]
mod tests {
    use evo_dsl::{structural_hash, zoo};

    use super::*;

    fn knobs(name: &str, most: u32) -> Knobs {
        Knobs::of(&zoo::get(name).expect("a zoo entry").program(), most)
    }

    fn names(knobs: &Knobs) -> Vec<&str> {
        knobs.hyperparameters().map(|it| it.name.as_str()).collect()
    }

    #[test]
    fn adamw_is_tuned_in_its_betas_and_its_own_decay() {
        let adamw = knobs("adamw", 2);
        assert_eq!(names(&adamw), ["beta1", "beta2"]);
        let own = adamw.own();
        assert_eq!(own.weight_decay, Some(WeightDecay::Own(1.0)));
        assert_eq!(own.hyperparameters, [0.9, 0.999]);
        assert_eq!(names(&knobs("adamw", 1)), ["beta1"]);
        assert_eq!(names(&knobs("adamw", 0)), [""; 0]);
    }

    #[test]
    fn as_they_are_all_rules_are_themselves() {
        for entry in zoo::entries() {
            let program = entry.program();
            let own = Knobs::of(&program, 2);
            let same = own.program(&own.own());
            assert_eq!(structural_hash(&same), structural_hash(&program), "{}", entry.name);
        }
    }

    #[test]
    fn settings_stay_in_their_ranges_and_cover_the_rates() {
        let adamw = knobs("adamw", 2);
        let rates = adamw.rates(8, Seed(3));
        for (index, setting) in rates.iter().enumerate() {
            let power = libm::log2(setting.learning_rate);
            let low = RATES.0 + 2.0 * index as f64;
            assert!((low..low + 2.0).contains(&power), "{power} at {index}");
            assert_eq!(setting.hyperparameters, [0.9, 0.999]);
        }
        let mut best = adamw.own();
        let mut least_beta: f64 = 1.0;
        for index in 0..300 {
            best = adamw.varied(&best, index, Seed(3));
            let [beta1, beta2] = best.hyperparameters[..] else { panic!("two are tuned") };
            assert!((0.53..0.9901).contains(&beta1) && (0.9 - 1e-9..0.99991).contains(&beta2));
            let Some(WeightDecay::Own(decay)) = best.weight_decay else { panic!("it has one") };
            assert!(decay == 0.0 || (1.0 / 32.1..32.1).contains(&decay), "{decay}");
            assert!((RATES.0..=RATES.1).contains(&libm::log2(best.learning_rate)));
            least_beta = least_beta.min(beta1);
        }
        assert!(least_beta < 0.6, "AdamW is at its best with 0.6 on some tasks");
        assert_eq!(adamw.varied(&best, 7, Seed(3)), adamw.varied(&best, 7, Seed(3)));
        assert_ne!(adamw.varied(&best, 7, Seed(3)), adamw.varied(&best, 8, Seed(3)));
    }

    #[test]
    fn decay_is_added_where_there_is_none_by_the_same_share_at_any_rate() {
        let text = "def train(w, g, lr):\n  u = g * lr\n  return u\n";
        let knobs = Knobs::of(&Program::parse(text).expect("it parses"), 2);
        assert_eq!(knobs.own().weight_decay, Some(WeightDecay::Added(0.0)));
        let layout = evo_dsl::Layout::new([vec![1]]);
        let shrunk = |learning_rate: f64| {
            let setting = Setting {
                learning_rate,
                weight_decay: Some(WeightDecay::Added(0.25)),
                ..knobs.own()
            };
            let program = knobs.program(&setting).scaled(learning_rate);
            let mut weights = vec![1.0];
            assert!(evo_dsl::Executor::new(&program, &layout).step(&mut weights, &[0.0], 1.0));
            weights[0]
        };
        assert_eq!((shrunk(1.0), shrunk(4.0)), (0.75, 0.75));
        let averaged = self::knobs("adamw_ema", 2).own();
        assert_eq!(averaged.weight_decay, Some(WeightDecay::Own(1.0)));
        assert_eq!(knobs.decay_like(&averaged), Some(WeightDecay::Added(0.0)));
    }

    #[test]
    fn the_best_rate_is_closed_in_on_from_both_sides() {
        let at = |power: f64| Setting { learning_rate: libm::exp2(power), ..knobs("sgd", 2).own() };
        let next = |best: f64, tried: &[f64]| {
            let tried: Vec<f64> = tried.iter().map(|&power| libm::exp2(power)).collect();
            Knobs::between(&at(best), &tried).map(|it| libm::log2(it.learning_rate))
        };
        assert_eq!(next(1.0, &[-3.0, 1.0, 4.0]), Some(-1.0));
        assert_eq!(next(1.0, &[-3.0, 1.0, 4.0, -1.0]), Some(2.5));
        assert_eq!(next(1.0, &[0.5, 1.0, 1.5]), None);
        assert_eq!(next(-5.0, &[-5.0, -4.5]), Some(-6.0), "the end of the range is a neighbour");
        assert_eq!(next(8.0, &[8.0, 7.75]), Some(8.5));
    }

    #[test]
    fn the_ends_of_what_was_tried_are_told() {
        let at_edge = |power: f64, tried: &[f64]| {
            let best = Setting { learning_rate: libm::exp2(power), ..knobs("sgd", 2).own() };
            Knobs::at_edge(&best, &tried.iter().map(|&it| libm::exp2(it)).collect::<Vec<f64>>())
        };
        assert!(!at_edge(1.0, &[0.0, 1.0, 3.0]));
        assert!(at_edge(0.0, &[0.0, 1.0, 3.0]) && at_edge(3.0, &[0.0, 1.0, 3.0]));
        assert!(at_edge(8.75, &[0.0, 8.75, 8.9]) && at_edge(-6.9, &[-6.95, -6.9, 0.0]));
    }
}
