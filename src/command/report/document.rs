//! The document: all sections of a report, and the page they are written to.
//!
//! Invariant: whatever a user wrote, a name, a path or a program, is escaped by the template, which
//! escapes everything but the figures and the variables of colours; these are made here, and escape
//! what they take from a user themselves.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::comparison::{Comparison, Tables};
use super::figure::Figure;
use super::funnel::{Funnel, StageTable};
use super::ink;
use super::run::{Run, span};
use super::run_figures;
use super::run_section::RunSection;
use super::simplified::{Simplified, SimplifiedTables};

/// The name ends in what the engine knows it has to escape by.
const TEMPLATE: (&str, &str) = ("page.html", include_str!("page.html"));

/// What is reported.
pub(super) struct Document<'a> {
    pub runs: &'a [Run],
    pub comparison: Option<Comparison>,
    pub funnel: Option<Funnel>,
    pub simplified: Option<Simplified>,
}

/// What the page says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sections {
    title: String,
    version: &'static str,
    /// As CSS.
    colours: String,
    /// Of several runs.
    overview: Vec<OverviewRow>,
    overview_figure: Option<Figure>,
    runs: Vec<RunSection>,
    comparison: Option<Tables>,
    comparison_figures: Vec<Figure>,
    funnel: Vec<StageTable>,
    simplified: Option<SimplifiedTables>,
}

/// A run beside others.
#[derive(Clone, Debug, Serialize)]
struct OverviewRow {
    name: String,
    strategy: String,
    seed: String,
    births: u64,
    evaluations: usize,
    fitness: String,
    length: String,
    span: String,
}

impl Document<'_> {
    /// What the page says.
    pub(super) fn sections(&self) -> Sections {
        let several = self.runs.len() > 1;
        let sections = self.runs.iter().enumerate();
        let sections = sections.map(|(index, run)| RunSection::of(run, several.then_some(index)));
        let names: Vec<&str> = self.runs.iter().map(|run| run.name.as_str()).collect();
        let all: Vec<&Run> = self.runs.iter().collect();
        let comparison = self.comparison.as_ref();
        Sections {
            title: names.join(", "),
            version: env!("CARGO_PKG_VERSION"),
            colours: ink::variables(),
            overview: match several {
                true => self.runs.iter().map(OverviewRow::of).collect(),
                false => Vec::new(),
            },
            overview_figure: several.then(|| run_figures::fitness("runs", &all)).flatten(),
            runs: sections.collect(),
            comparison: comparison.map(Comparison::tables),
            comparison_figures: comparison.map_or(Vec::new(), Comparison::figures),
            funnel: self.funnel.as_ref().map_or(Vec::new(), Funnel::tables),
            simplified: self.simplified.as_ref().map(Simplified::tables),
        }
    }
}

impl Sections {
    /// The page.
    pub(super) fn html(&self) -> anyhow::Result<String> {
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(syntax);
        environment.add_template(TEMPLATE.0, TEMPLATE.1)?;
        Ok(environment.get_template(TEMPLATE.0)?.render(Serde(self))?)
    }

    /// All figures, in the order of the page.
    pub(super) fn figures(&self) -> impl Iterator<Item = &Figure> {
        let runs = self.runs.iter().flat_map(RunSection::figures);
        self.overview_figure.iter().chain(runs).chain(&self.comparison_figures)
    }
}

impl OverviewRow {
    fn of(run: &Run) -> OverviewRow {
        let configured = run.configured.as_ref();
        let none = || super::number::NONE.to_owned();
        OverviewRow {
            name: run.name.clone(),
            strategy: configured.map_or_else(none, |it| it.strategy.clone()),
            seed: configured.map_or_else(none, |it| it.seed.to_string()),
            births: run.births,
            evaluations: run.evaluated.len(),
            fitness: run.fitness().map_or_else(none, super::number::signed),
            length: run.best().map_or_else(none, |it| it.length.to_string()),
            span: span(run.seconds),
        }
    }
}
