//! The ablation as a person reads it.

use super::leg::Clock;
use super::summary::{Ablation, AtBudget, Mean, Row, Timed};
use crate::output;

/// All tables, and what they mean.
pub(super) fn text(ablation: &Ablation) -> String {
    let (rows, timed) = (ablation.rows(), ablation.timed());
    let mut text = savings(&rows) + "\n" + &fitness(&rows, &timed, ablation.clock);
    if !ablation.budgets.is_empty() {
        text += "\n";
        text += &budgets(ablation);
    }
    text + &notes(ablation)
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn mean(mean: Option<Mean>) -> String {
    match mean {
        None => "-".to_owned(),
        Some(Mean { value, low: Some(low), high: Some(high) }) => {
            format!("{value:+.4} ({low:+.4} to {high:+.4})")
        }
        Some(Mean { value, .. }) => format!("{value:+.4}"),
    }
}

/// Seconds with digits enough to compare short ones.
fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{seconds:.4}") } else { format!("{seconds:.2}") }
}

fn count(number: f64) -> String {
    format!("{number:.0}")
}

fn table(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let headings = headings.iter().map(|&it| it.to_owned()).collect();
    output::table(&std::iter::once(headings).chain(rows).collect::<Vec<_>>())
}

/// What was processed, and what was not evaluated.
fn savings(rows: &[Row]) -> String {
    let headings = [
        "",
        "candidates",
        "evaluations",
        "saved",
        "structural hits",
        "functional",
        "late hits",
        "structures/behaviour",
        "rechecks wrong",
        "95%",
    ];
    let row = |row: &Row| {
        let (low, high) = (percent(row.disagreed_low), percent(row.disagreed_high));
        let wrong = match row.rechecked {
            0 => ["-".to_owned(), String::new()],
            rechecked => [format!("{}/{rechecked}", row.disagreed), format!("{low} to {high}")],
        };
        let mut legs = vec![row.arm.clone(), count(row.candidates), count(row.evaluations)];
        legs.push(format!("{:.2}x", row.saved));
        legs.extend([row.structural_hits, row.functional_hits, row.late_hits].map(percent));
        legs.push(format!("{:.2}", row.structures_per_behaviour));
        legs.extend(wrong);
        legs
    };
    table(&headings, rows.iter().map(row))
}

/// What that came to.
fn fitness(rows: &[Row], timed: &[Timed], clock: Clock) -> String {
    let headings = [
        "",
        "best",
        "at equal evaluations",
        "at equal time",
        "reached",
        "evaluations to target",
        clock.name(),
        "to target",
        "times as fast",
        "hashing",
    ];
    let row = |(row, timed): (&Row, &Timed)| {
        let or_none = |it: Option<String>| it.unwrap_or_else(|| "-".to_owned());
        vec![
            row.arm.clone(),
            mean(row.best),
            mean(row.best_at_equal_evaluations),
            mean(timed.best_at_equal_time),
            format!("{}/{}", row.reached_target, row.seeds),
            or_none(row.evaluations_to_target.map(count)),
            seconds(timed.seconds),
            or_none(timed.seconds_to_target.map(seconds)),
            or_none(timed.speedup.map(|it| format!("{it:.2}"))),
            percent(timed.hashing_share),
        ]
    };
    table(&headings, rows.iter().zip(timed).map(row))
}

/// A column for each number of evaluations.
fn budgets(ablation: &Ablation) -> String {
    let legs = ablation.at_budgets();
    let what = if ablation.optimum.is_some() { "regret behind" } else { "best behind" };
    let mut headings = vec![what.to_owned()];
    headings.extend(ablation.budgets.iter().map(ToString::to_string));
    let mut rows = vec![headings];
    for arm in legs.chunks(ablation.budgets.len()) {
        let name = arm.first().map(|it| it.arm.clone()).unwrap_or_default();
        let leg = |it: &AtBudget| mean(it.regret.or(it.best));
        rows.push(std::iter::once(name).chain(arm.iter().map(leg)).collect());
    }
    output::table(&rows)
}

fn notes(ablation: &Ablation) -> String {
    let evaluations = ablation.common(|run| run.end().evaluations as f64);
    let time = seconds(ablation.common(|run| run.seconds(ablation.clock)));
    let mut text = format!(
        "\nmeans over {} seeds with 95% bootstrap intervals, medians of what it took to the target \
         of {:+.4};\nsaved: candidates for each evaluation. late hits: of the last quarter of the \
         births. equal evaluations: {evaluations:.0}; equal time: {time} {}\n",
        ablation.seeds.len(),
        ablation.target,
        ablation.clock.name(),
    );
    if let Some(optimum) = ablation.optimum {
        text += &format!("the highest fitness there is: {optimum:+.6}\n");
    }
    text
}
