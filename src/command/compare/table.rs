//! The comparison as a person reads it.

use evo::{Duel, Estimate, Standing, Standings, StudyConfig, Verdict, fewest_seeds};

use super::cost;
use crate::output;

/// All tables, and what they mean.
pub(super) fn text(config: &StudyConfig, standings: &Standings, seconds: &[Vec<f64>]) -> String {
    let reference = &standings.programs[0].name;
    let mut text = format!("Against {reference}, task by task:\n");
    text += &overall(standings, seconds, |it| Some(&it.reference));
    if standings.programs.iter().any(|it| it.best_rules.is_some()) {
        text += "\nAgainst the best rule of the zoo among them on each task, itself aside:\n";
        text += &overall(standings, seconds, |it| it.best_rules.as_ref());
    }
    text += &format!("\nMean final losses; < and > are wins and losses against {reference}:\n");
    text += &losses(standings);
    text += &notes(config, standings);
    text
}

/// A row for each program.
fn overall(
    standings: &Standings,
    seconds: &[Vec<f64>],
    duel: impl Fn(&Standing) -> Option<&Duel>,
) -> String {
    let headings =
        ["", "gain", "95%", "steps", "95%", "reached", "time", "won", "tied", "lost", "profile"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    for (program, own) in standings.programs.iter().zip(seconds) {
        let Some(duel) = duel(program) else { continue };
        let (gain, of_gain) = figure(duel.gain, |it| format!("{it:+.3}"));
        let (steps, of_steps) = figure(duel.steps, |it| format!("{it:.2}"));
        let time = cost::relative(own, &seconds[0]);
        rows.push(vec![
            program.name.clone(),
            gain,
            of_gain,
            steps,
            of_steps,
            format!("{}/{}", duel.reached, standings.tasks.len()),
            format!("{time:.2}"),
            duel.wins.to_string(),
            duel.ties.to_string(),
            duel.losses.to_string(),
            format!("{:.3}", program.profile_score),
        ]);
    }
    output::table(&rows)
}

/// A figure and its interval; none where it is infinite, a loss that is not reached.
fn figure(estimate: Option<Estimate>, number: impl Fn(f64) -> String) -> (String, String) {
    match estimate.filter(|it| it.value.is_finite()) {
        None => ("-".to_owned(), String::new()),
        Some(Estimate { value, low, high }) => {
            (number(value), format!("{} to {}", number(low), number(high)))
        }
    }
}

/// A row for each task.
fn losses(standings: &Standings) -> String {
    let names = standings.programs.iter().map(|it| it.name.clone());
    let mut rows: Vec<Vec<String>> = vec![std::iter::once(String::new()).chain(names).collect()];
    for (index, task) in standings.tasks.iter().enumerate() {
        let cells = standings.programs.iter().map(|program| {
            let sign = match program.reference.tasks[index].verdict {
                Verdict::Win => "<",
                Verdict::Tie => " ",
                Verdict::Loss => ">",
            };
            let loss = program.on_tasks[index].loss;
            loss.map_or("-".to_owned(), |it| format!("{sign} {:.4}", it.value))
        });
        rows.push(std::iter::once(task.clone()).chain(cells).collect());
    }
    output::table(&rows)
}

fn notes(config: &StudyConfig, standings: &Standings) -> String {
    let tuning = config.tuning;
    let mut text = format!(
        "\nEach program was tuned on each task: {} settings (learning rate, weight decay, {} \
         hyperparameters at most) x {} runs;\nfigures are of {} other runs with the best, the same \
         initial weights and batches for all. Intervals are bootstrapped\nover these runs. gain: \
         mean of ln(loss of the other / loss). steps: geometric mean of steps to the other's final \
         loss.\ntime: of a step. won, lost: p at most 0.05 by the exact signed-rank test, after \
         Holm. profile: AlgoPerf's score.\n",
        tuning.settings, tuning.hyperparameters, tuning.repeats, config.repeats,
    );
    let fewest = fewest_seeds(standings.tasks.len());
    if config.repeats.get() < fewest {
        text += &format!(
            "With {} runs on {} tasks every difference counts as a tie: `repeats` must be \
             {fewest}\n",
            config.repeats,
            standings.tasks.len()
        );
    }
    for program in &standings.programs {
        let tasks = standings.tasks.iter().zip(&program.on_tasks);
        for (task, own) in tasks {
            if own.stopped > 0 {
                let runs = config.repeats;
                text += &format!(
                    "{} on {task}: {} of {runs} runs were stopped\n",
                    program.name, own.stopped
                );
            } else if own.at_edge {
                text += &format!(
                    "{} on {task}: a better learning rate may lie beyond those tried\n",
                    program.name
                );
            }
        }
    }
    text
}
