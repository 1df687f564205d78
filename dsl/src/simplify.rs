//! The simplifier: the same optimizer in fewer statements.
//!
//! Invariant: the result is never longer than the live part of the original, is a function of the
//! program alone, and keeps the promise of its [`Rounding`]: every bit, or the weights of a probe
//! up to rounding. It is equality saturation (egg, arXiv 2004.03082): rules only ever add equal
//! forms, and the shortest is taken at the end, so the order of rules does not decide what is
//! found, as it does where each rule replaces what it matches.

mod cost;
mod extract;
mod fact;
mod name;
mod rule;
mod rules;
mod saturate;
mod term;
mod verify;

use egg::Language;

use crate::{Dataflow, Program, Value};
use rule::Agreement;
use saturate::Saturated;

/// The most terms a saturation may make.
pub const NODE_LIMIT: usize = 700;

/// The most rounds of a saturation.
pub const ITERATION_LIMIT: usize = 8;

/// The most places where a rule is used in a round. Rules that factor sums have a place for every
/// pair of equal forms, which is what would take the time.
pub const MATCH_LIMIT: usize = 128;

/// The most live statements of a program that is saturated; of a longer one only the dead
/// statements are removed.
pub const STATEMENT_LIMIT: usize = 200;

/// What a simplification may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Nothing: every weight keeps its bits at every step, whatever the inputs; one NaN is as good
    /// as another.
    Exact,
    /// Rounding. The weights of a probe of 20 steps agree within 1e-5 of the largest weight of
    /// their tensor and are finite at the same steps. Where more was assumed, a [`Note`] says so.
    Allow,
}

/// Why the search for equal forms ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// There are no more by these rules.
    Saturated,
    /// [`NODE_LIMIT`] or [`STATEMENT_LIMIT`] was reached.
    NodeLimit,
    /// [`ITERATION_LIMIT`] was reached.
    IterationLimit,
    /// There may be more where [`MATCH_LIMIT`] kept a rule from being used.
    MatchLimit,
}

/// A rule that made a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its name.
    pub rule: &'static str,
    /// What it says: `left -> right`.
    pub equation: String,
    /// The statement of the original it was used on, if it was one.
    pub statement: Option<String>,
    /// Where the two sides differ by more than rounding; empty where they do not.
    pub differs: &'static str,
}

/// A simplified program, and how it came about.
#[derive(Clone, Debug)]
pub struct Simplified {
    /// The program.
    pub program: Program,
    /// The rules behind it, those that hold within a domain at least once each.
    pub notes: Vec<Note>,
    /// Live statements before.
    pub before: usize,
    /// Live statements after.
    pub after: usize,
    /// Why the search for equal forms ended.
    pub stop: StopReason,
}

/// Simplifies a program.
///
/// ```
/// use evo_dsl::{Program, Rounding, simplify};
///
/// let text = "def train(w, g, lr):\n  a = g * 1.0\n  b = a / sqrt(a * a)\n  u = b * 0.001\n  return u\n";
/// let simplified = simplify(&Program::parse(text)?, Rounding::Allow);
/// let expected = "def train(w, g, lr):\n  b = sign(g)\n  update = b * 0.001\n  return update\n";
/// assert_eq!(simplified.program.to_string(), expected);
/// assert!(simplified.notes.iter().any(|note| note.rule == "over-own-abs"));
/// # Ok::<(), evo_dsl::ParseError>(())
/// ```
pub fn simplify(program: &Program, rounding: Rounding) -> Simplified {
    let flow = Dataflow::of(program);
    if flow.live_length() > STATEMENT_LIMIT {
        return unchanged(program, StopReason::NodeLimit);
    }
    let job = Job { program, partition: verify::slots_alike(program, &flow), flow };
    let exact = job.attempt(Agreement::Bits).0;
    match rounding {
        Rounding::Exact => exact,
        // More rules reach the limits earlier, and may then find less.
        Rounding::Allow => {
            job.rounded().filter(|rounded| rounded.after <= exact.after).unwrap_or(exact)
        }
    }
}

/// The program without its dead statements.
fn unchanged(program: &Program, stop: StopReason) -> Simplified {
    let (program, length) = (program.live(), program.live_length());
    Simplified { program, notes: Vec::new(), before: length, after: length, stop }
}

struct Job<'a> {
    program: &'a Program,
    flow: Dataflow,
    partition: saturate::Partition,
}

impl Job<'_> {
    /// The shortest form that agrees with the original on the probe. A rule that holds within a
    /// domain has to make it shorter than it is without.
    fn rounded(&self) -> Option<Simplified> {
        let agrees = |found: &(Simplified, Agreement)| {
            found.1 == Agreement::Bits || verify::agree(self.program, &found.0.program)
        };
        let within = self.attempt(Agreement::Within);
        if within.1 < Agreement::Within {
            return agrees(&within).then_some(within.0);
        }
        let plain = self.attempt(Agreement::Rounding);
        let shorter = (within.0.after < plain.0.after).then_some(within);
        shorter.into_iter().chain([plain]).find(agrees).map(|(found, _)| found)
    }

    /// The shortest form by the rules that agree at least that well, and how well the worst of
    /// those does that were used.
    fn attempt(&self, agreement: Agreement) -> (Simplified, Agreement) {
        let saturated = saturate::saturated(&self.flow, self.partition, agreement);
        let worst = saturated.applied.iter().map(|applied| applied.rule.rule.agreement).max();
        let worst = worst.unwrap_or(Agreement::Bits);
        let states = self.program.signature().states();
        let mut extracted = extract::extract(&saturated, states);
        if worst > Agreement::Bits {
            extracted.round_constants(&self.constants());
        }
        let origins: Vec<Option<usize>> =
            extracted.steps.iter().map(|step| self.origin(&saturated, step)).collect();
        let program = name::named(self.program, &extracted, &origins);
        let (before, after) = (self.flow.live_length(), program.live_length());
        if after > before {
            return (unchanged(self.program, saturated.stop), Agreement::Bits);
        }
        let notes = self.notes(&saturated, &extracted);
        let simplified = Simplified { program, notes, before, after, stop: saturated.stop };
        (simplified, worst)
    }

    /// The constants of the program.
    fn constants(&self) -> Vec<f64> {
        let args = self.flow.nodes().iter().flat_map(|node| node.args());
        let constants = args.filter_map(|value| match value {
            Value::Constant(constant) => Some(*constant),
            _ => None,
        });
        constants.collect()
    }

    /// The statement of the original that computed what a step computes.
    fn origin(&self, saturated: &Saturated, step: &extract::Step) -> Option<usize> {
        let mut nodes = saturated.nodes.iter();
        let node = nodes.position(|node| saturated.graph.find(*node) == step.class)?;
        Some(self.flow.nodes()[node].statement)
    }

    /// The rules behind the result. One that holds within a domain and does not show in the result
    /// may still be behind something that does, so it is noted once.
    fn notes(&self, saturated: &Saturated, extracted: &extract::Extracted) -> Vec<Note> {
        let graph = &saturated.graph;
        let (mut shown, mut hidden): (Vec<Note>, Vec<Note>) = (Vec::new(), Vec::new());
        for applied in &saturated.applied {
            let rule = applied.rule.rule;
            let right = graph.id_to_node(applied.right).map_children(|child| graph.find(child));
            let class = graph.find(applied.class);
            let chosen = |step: &extract::Step| step.class == class && step.term == right;
            let list = match (extracted.steps.iter().any(chosen), rule.agreement) {
                (true, _) if applied.node.is_some() => &mut shown,
                (_, Agreement::Within) => &mut hidden,
                _ => continue,
            };
            let statement = applied.node.map(|node| {
                let statement = self.flow.nodes()[node].statement;
                self.program.statement_text(&self.program.statements()[statement])
            });
            let equation = format!("{} -> {}", rule.left, rule.right);
            let note = Note { rule: rule.name, equation, statement, differs: rule.differs };
            if rule.name != "commute" && !list.contains(&note) {
                list.push(note);
            }
        }
        hidden.sort_by_key(|note| note.statement.is_none());
        for note in hidden {
            if !shown.iter().any(|other| other.rule == note.rule) {
                shown.push(note);
            }
        }
        shown
    }
}
