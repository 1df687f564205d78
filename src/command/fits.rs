//! How expressions fit the data of a task, for people and for programs.

use anyhow::{Context, bail};
use evo::{Evaluator, ExpressionEvaluator, Outcome, Program, Trial};
use serde::Serialize;

use crate::output;

/// How an expression fits the data of a task.
#[derive(Serialize)]
struct Fit {
    name: String,
    task: String,
    /// `None` for one that is not finite at a point.
    fitness: Option<f64>,
    loss: Option<f64>,
    /// On the points held out.
    test_loss: Option<f64>,
    /// The expression with its constants as they were fitted, where they are.
    fitted: Option<String>,
}

/// Expressions by how they fit.
#[derive(Serialize)]
pub(crate) struct Fits {
    fits: Vec<Fit>,
}

impl Fit {
    fn of(name: &str, program: &Program, evaluator: &ExpressionEvaluator) -> anyhow::Result<Fit> {
        let outcome = evaluator.evaluate(&[Trial::of(program)]).pop();
        let outcome = outcome.context("one outcome for one program")?;
        if let Outcome::Failed { message } = outcome {
            bail!("{name}: {message}");
        }
        let fitted = evaluator.fitted(program);
        Ok(Fit {
            name: name.to_owned(),
            task: evaluator.task().to_owned(),
            fitness: Some(outcome.fitness()).filter(|fitness| fitness.is_finite()),
            loss: evaluator.train_loss(program).ok(),
            test_loss: evaluator.test_loss(program).and_then(Result::ok),
            fitted: (fitted != *program).then(|| fitted.live().to_string()),
        })
    }
}

impl Fits {
    /// Evaluates named programs.
    pub(crate) fn of(
        programs: &[(String, Program)],
        evaluator: &ExpressionEvaluator,
    ) -> anyhow::Result<Fits> {
        let fits = programs.iter().map(|(name, program)| Fit::of(name, program, evaluator));
        Ok(Fits { fits: fits.collect::<anyhow::Result<_>>()? })
    }

    /// The table a person reads: a row for each program.
    pub(crate) fn table(&self) -> String {
        let number = |it: Option<f64>| it.map_or("-".to_owned(), |it| format!("{it:.3e}"));
        let row = |fit: &Fit| {
            let fitness = fit.fitness.map_or("-".to_owned(), |it| format!("{it:+.2}"));
            vec![fit.name.clone(), fitness, number(fit.loss), number(fit.test_loss)]
        };
        let task = self.fits.first().map_or("", |fit| fit.task.as_str());
        let headings = [task, "fitness", "loss", "loss held out"].map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(headings).chain(self.fits.iter().map(row)).collect();
        let fitted = self.fits.iter().filter_map(|fit| fit.fitted.as_ref().map(|it| (fit, it)));
        let fitted = fitted.map(|(fit, it)| format!("\n{} with fitted constants:\n{it}", fit.name));
        output::table(&rows) + &fitted.collect::<String>()
    }
}
