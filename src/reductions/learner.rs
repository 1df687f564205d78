//! Reductions of learners: learners that a learner could be cut down to, each by one step.
//!
//! Invariant: every reduction is a learner, another one and no longer than what it comes from;
//! whether it is as good is for its fitness to say. What a search asks of its candidates, such as a
//! least number of statements, is not asked here: it keeps a search from what is too short to
//! learn, and a find that is shorter is no worse.

use evo_dsl::{LearnerFunction, LearnerProgram, LearnerStatement};
use evo_hashes::Hash;

/// A learner cut down by one step.
#[derive(Clone, Debug)]
pub struct LearnerReduction {
    /// What was done, in words.
    pub step: String,
    /// The learner, simplified.
    pub program: LearnerProgram,
}

/// All reductions of a learner: statements dropped, alone or with an argument in place of the
/// result, those first that leave the fewest; then constants rounded to one digit and to two.
pub fn learner_reductions(program: &LearnerProgram) -> Vec<LearnerReduction> {
    let program = program.simplified();
    let count = program.statements().len();
    let mut seen = vec![program.structural_hash()];
    let dropped = (0..count).rev().flat_map(|index| drops(&program, index));
    let mut shorter = others(&program, dropped, &mut seen);
    shorter.retain(|it| it.program.statements().len() < count);
    shorter.sort_by_key(|it| it.program.statements().len());
    let rounded = (0..count).flat_map(|index| roundings(&program, index));
    shorter.extend(others(&program, rounded, &mut seen));
    shorter
}

type Step = (String, Vec<Option<LearnerStatement>>);

/// The learners of these statements that are no longer than `program`, each once.
fn others(
    program: &LearnerProgram,
    steps: impl Iterator<Item = Step>,
    seen: &mut Vec<Hash>,
) -> Vec<LearnerReduction> {
    let mut found = Vec::new();
    for (step, statements) in steps {
        let other = rebuilt(program, &statements).simplified();
        let structure = other.structural_hash();
        if other.statements().len() <= program.statements().len() && !seen.contains(&structure) {
            seen.push(structure);
            found.push(LearnerReduction { step, program: other });
        }
    }
    found
}

/// The learner with these in place of its statements; `None`: left out.
fn rebuilt(program: &LearnerProgram, statements: &[Option<LearnerStatement>]) -> LearnerProgram {
    let mut rest = statements;
    let functions = LearnerFunction::ALL.map(|function| {
        let (own, behind) = rest.split_at(program.function(function).len());
        rest = behind;
        own.iter().flatten().copied().collect::<Vec<_>>()
    });
    let [setup, predict, learn] = &functions;
    LearnerProgram::new([setup, predict, learn]).expect("statements of a learner are sound")
}

fn all(program: &LearnerProgram) -> Vec<Option<LearnerStatement>> {
    program.statements().iter().copied().map(Some).collect()
}

/// The learner without a statement, and with each argument of its type in place of its result.
fn drops(program: &LearnerProgram, index: usize) -> Vec<Step> {
    let statement = program.statements()[index];
    let (info, own) = (statement.op.info(), statement.output);
    let mut without = all(program);
    without[index] = None;
    let mut steps = vec![(format!("without `{statement}`"), without.clone())];
    let same = info.inputs.iter().zip(statement.inputs).filter(|(ty, _)| info.output == Some(**ty));
    for (ty, argument) in same.filter(|(_, argument)| *argument != own) {
        let mut replaced = without.clone();
        for statement in replaced.iter_mut().flatten() {
            let inputs = statement.op.info().inputs.iter().zip(&mut statement.inputs);
            inputs
                .filter(|(of, input)| *of == ty && **input == own)
                .for_each(|(_, it)| *it = argument);
        }
        let letter = &statement.to_string()[..1];
        steps.push((format!("{letter}{argument} for `{statement}`"), replaced));
    }
    steps
}

/// The learner with each constant of a statement rounded.
fn roundings(program: &LearnerProgram, index: usize) -> Vec<Step> {
    let statement = program.statements()[index];
    let mut steps = Vec::new();
    for place in 0..statement.op.info().constants.count() {
        let value = statement.constants[place];
        for digits in super::DIGITS {
            let rounded: f64 =
                format!("{value:.digits$e}").parse().expect("what was printed is a number");
            if rounded == value || !rounded.is_finite() {
                break;
            }
            let mut statements = all(program);
            let mut changed = statement;
            changed.constants[place] = rounded;
            statements[index] = Some(changed);
            steps.push((format!("{rounded:?} for {value:?} in `{statement}`"), statements));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_can_go_and_every_constant_be_rounded() {
        let text = "def Setup():\n  s2 = 0.1234\ndef Predict():\n  s1 = dot(v1, v0)\n\
                    def Learn():\n  s3 = s0 - s1\n  s3 = s2 * s3\n  v2 = s3 * v0\n  v1 = v1 + v2\n";
        let program = LearnerProgram::parse(text).expect("it is one");
        let found = learner_reductions(&program);
        let steps: Vec<&str> = found.iter().map(|it| it.step.as_str()).collect();
        assert!(steps.contains(&"without `s3 = s2 * s3`"), "{steps:?}");
        assert!(steps.iter().any(|it| it.starts_with("0.1 for 0.1234")), "{steps:?}");
        assert!(steps.iter().any(|it| it.starts_with("0.12 for 0.1234")), "{steps:?}");
        assert!(steps.iter().any(|it| it.starts_with("v2 for `v1 = v1 + v2`")), "{steps:?}");
        let lengths: Vec<usize> = found.iter().map(|it| it.program.statements().len()).collect();
        let rounded = steps.iter().position(|it| it.contains(" for 0.1234")).expect("it is there");
        assert!(lengths[..rounded].is_sorted() && lengths[rounded - 1] < 6, "{lengths:?}");
    }

    #[test]
    fn the_zoo_has_reductions_and_none_is_the_learner_itself_or_longer() {
        for entry in evo_dsl::LearnerZooEntry::all() {
            let own = entry.program();
            let found = learner_reductions(&own);
            assert!(!found.is_empty(), "{}", entry.name);
            for LearnerReduction { program, .. } in found {
                assert_ne!(program.structural_hash(), own.structural_hash());
                assert!(program.statements().len() <= own.statements().len());
            }
        }
    }
}
