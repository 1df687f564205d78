//! The configuration of a search of compute graphs.
//!
//! Invariant: as that of optimizers, it has been checked as a whole once it is loaded, data
//! included, and is written out with every default.

use std::path::Path;
use std::sync::Arc;

use evo_domain::{Domain as _, Evaluator as _};
use evo_evaluators::{GraphConfig, GraphJudges};
use evo_graphs::{Graph, GraphMutation, Graphs};
use evo_hashes::Seed;
use evo_search::{Search, SearchError};

use super::paths::{anchored, placed};
use super::source::Source;
use super::{ConfigError, ConfigText, DomainName, RunConfig, ScoredBy, Starts};

/// A search of compute graphs, each start `zoo:NAME`, a text, a file or `RUN_DIR:BIRTH`; or
/// `"random"`, the default: as many random ones as a population holds, or one for each island.
/// Deduplication is by default `Structural`: almost all duplicates are isomorphic, and equal to the
/// bit, where those that behave alike are so up to rounding, which training may amplify.
pub type GraphSearch = RunConfig<Option<Starts>, GraphMutation, GraphConfig>;

impl GraphSearch {
    /// Loads a configuration and applies overrides, in order; paths in it are relative to it, paths
    /// in overrides to the working directory.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<GraphSearch, ConfigError> {
        Self::load_text(&ConfigText::read(path)?, overrides, ScoredBy::Evaluation)
    }

    /// As [`GraphSearch::load`], of a text that has been read, for whoever scores the programs.
    ///
    /// # Errors
    /// As [`GraphSearch::load`].
    pub fn load_text(
        text: &ConfigText,
        overrides: &[String],
        scored_by: ScoredBy,
    ) -> Result<GraphSearch, ConfigError> {
        let mut source = Source::of(text);
        let (mut file, mut config): (GraphSearch, _) = source.with_overrides(overrides)?;
        let base = text.base();
        if let (Some(starts), Some(stated)) = (&config.start, &file.start)
            && starts.iter().any(Starts::is_file)
        {
            config.start = Some(starts.anchored(base, stated));
        }
        anchored(base, config.evaluation.paths_mut(), &file.evaluation.paths_mut());
        config.check(scored_by).map_err(|error| source.locate(error))?;
        Ok(config)
    }

    fn check(&self, scored_by: ScoredBy) -> Result<(), ConfigError> {
        if self.domain != DomainName::Graphs {
            return Err(ConfigError::new("domain", "must be `Graphs`"));
        }
        let judges = self.judges()?;
        if scored_by == ScoredBy::Evaluation {
            self.check_hurdles(&[])?;
            let suits = self.settings.deduplication.check_suits(judges.search.depends_on());
            suits.map_err(ConfigError::from_search)?;
        }
        self.search(&judges).map(drop)
    }

    /// What scores graphs by this configuration, with its images.
    ///
    /// # Errors
    /// Data that is missing, damaged or no images, or a network that cannot be.
    pub fn judges(&self) -> Result<GraphJudges, ConfigError> {
        let judges = GraphJudges::new(&self.evaluation, Path::new(""));
        judges.map_err(ConfigError::from_evaluator)
    }

    /// The search this configuration describes, before its first candidate.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn search(&self, judges: &GraphJudges) -> Result<Search<Graphs>, ConfigError> {
        let domain = self.domain(judges)?;
        let starts = self.start_programs(&domain)?;
        let search = Search::from_starts(&self.settings, Seed(self.seed), domain, starts);
        search.map_err(ConfigError::from_search)
    }

    /// The representation that is searched, with its settings: graphs are compared by what a
    /// network of the configuration's images and stacks puts out.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn domain(&self, judges: &GraphJudges) -> Result<Graphs, ConfigError> {
        let bits = self.hashing.mantissa_bits;
        let probe = judges.probe(bits);
        let probe = probe.ok_or_else(|| ConfigError::from_search(self.hashing.refused()))?;
        let domain = Graphs::new(&self.settings.mutation, Arc::new(probe));
        domain.map_err(|error| ConfigError::from_search(SearchError::from(error)))
    }

    /// The graphs the search starts from, in order.
    ///
    /// # Errors
    /// A text that is none; a file or a birth that is not there.
    pub fn start_programs(&self, domain: &Graphs) -> Result<Vec<Graph>, ConfigError> {
        let random = Starts::from(Starts::RANDOM);
        let starts = self.start.as_ref().unwrap_or(&random);
        if starts.iter().eq([Starts::RANDOM]) {
            let draw = |rng: &mut _| domain.mutator().random(rng);
            return self.random_starts(domain, Graph::default(), draw);
        }
        let load = |(index, source): (usize, &str)| {
            let error = |message| ConfigError::new(starts.key(index), message);
            if source == Starts::RANDOM {
                let message = "`random` stands alone: it is as many starts as there is room for";
                return Err(error(message.to_owned()));
            }
            if Starts::is_file(source) || source.starts_with("zoo:") {
                return crate::load_graph(source, Path::new(""))
                    .map_err(|it| error(it.to_string()));
            }
            domain.read(source).map_err(error)
        };
        starts.iter().enumerate().map(load).collect()
    }

    /// The same configuration with the texts of its start programs in place of where they were:
    /// those of a run must not change with what lies there.
    #[must_use]
    pub fn with_texts_of(&self, programs: &[Graph]) -> GraphSearch {
        let text = |index: usize, source: &str| match Starts::is_file(source) {
            true => programs[index].to_string(),
            false => source.to_owned(),
        };
        GraphSearch { start: self.start.as_ref().map(|it| it.map(text)), ..self.clone() }
    }

    /// The same configuration for a file in `folder`, which is there; `base` is the folder of the
    /// file it was read from.
    #[must_use]
    pub fn placed_in(&self, folder: &Path, base: &Path) -> GraphSearch {
        let mut moved = self.clone();
        let paths = moved.evaluation.paths_mut();
        paths.into_iter().for_each(|(_, path)| placed(path, folder, base));
        moved
    }
}
