//! The configuration of a search in a space that is written out.
//!
//! Invariant: what a table is made of is all that its rows depend on, and its fingerprint is made
//! of that: the space, the tasks, the functional hash and, since training rounds by the kind of
//! CPU, whoever makes it. The table itself is looked for only where a search needs it.

use std::path::Path;
use std::sync::Arc;

use evo_domain::Domain as _;
use evo_dsl::{FunctionalHasher, MutationConfig, Optimizers, Program, Space, SpaceConfig};
use evo_evaluators::{Enumerated, EnumeratedConfig, OptimizerEvaluator, SpaceTable, TrueFitness};
use evo_hashes::{Hash, Seed};
use evo_search::{Search, SearchError};

use super::paths::anchored;
use super::source::Source;
use super::{ConfigError, DomainName, RunConfig, Starts};

/// A search in a space of optimizers, each start the text of one of its programs, or where none is
/// given from the first. The settings of mutation say which space.
pub type EnumeratedSearch = RunConfig<Option<Starts>, SpaceConfig, EnumeratedConfig>;

impl EnumeratedSearch {
    /// Loads a configuration and applies overrides, in order; paths in it are relative to it, paths
    /// in overrides to the working directory.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<EnumeratedSearch, ConfigError> {
        let mut source = Source::read(path)?;
        let (mut file, mut config): (EnumeratedSearch, _) = source.with_overrides(overrides)?;
        let base = path.parent().unwrap_or(Path::new(""));
        let (stated, own) = (&mut file.evaluation.table, &mut config.evaluation.table);
        anchored(base, vec![(0, own)], &[(0, stated)]);
        config.check().map_err(|error| source.locate(error))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.domain != DomainName::Enumerated {
            return Err(ConfigError::new("domain", "must be `Enumerated`"));
        }
        self.check_hurdles(&[])?;
        self.check_held_out(false, "something held out of a table")?;
        self.hasher().map_err(ConfigError::from_search)?;
        if self.evaluation.training.lacks_baseline() {
            let message = "needs `learning_rate` and `baseline_loss` of every task";
            return Err(ConfigError::new("evaluation.training.tasks", message));
        }
        let space = self.space()?;
        let nothing = SpaceTable::new(Hash::of(b""), Vec::new());
        self.search_in(space, Arc::new(nothing)).map(drop)
    }

    /// The space.
    ///
    /// # Errors
    /// Settings that describe none.
    pub fn space(&self) -> Result<Arc<Space>, ConfigError> {
        let space = Space::new(&self.settings.mutation);
        space.map(Arc::new).map_err(|error| ConfigError::from_search(SearchError::from(error)))
    }

    /// Who scores the programs of the space by training with them; for whoever makes the table.
    ///
    /// # Errors
    /// Data that is missing or damaged, or a task that cannot be trained.
    pub fn trainer(&self) -> Result<OptimizerEvaluator, ConfigError> {
        let training = OptimizerEvaluator::new(&self.evaluation.training, Path::new(""));
        training.map_err(|error| ConfigError::from_evaluator(error.within("training")))
    }

    /// The functional hash of the space's programs.
    ///
    /// # Errors
    /// When `hashing.mantissa_bits` is not 1 to 23.
    pub fn hasher(&self) -> Result<FunctionalHasher, SearchError> {
        self.hashing.of_optimizers(&self.evaluation.training)
    }

    /// What a table of this configuration is known by, made on a kind of CPU.
    pub fn fingerprint(&self, cpu: &str) -> Result<Hash, ConfigError> {
        let training = &self.evaluation.training;
        let tasks = training.tasks.iter().map(|task| training.fingerprint(task, Path::new("")));
        let tasks = tasks.collect::<Result<Vec<Hash>, _>>();
        let tasks = tasks.map_err(|error| ConfigError::from_evaluator(error.within("training")))?;
        let hasher = self.hasher().map_err(ConfigError::from_search)?;
        let (space, bits) = (&self.settings.mutation, self.hashing.mantissa_bits);
        let text = ron::to_string(&(space, training)).expect("RON can write all of it");
        let probe = hasher.probe_name();
        Ok(Hash::of(format!("{cpu}\n{text}\n{tasks:?}\n{probe}\n{bits}").as_bytes()))
    }

    /// The table, which must have been made of this configuration on this kind of CPU.
    ///
    /// # Errors
    /// A file that is not there, is damaged, or was made of something else.
    pub fn table(&self, cpu: &str) -> Result<Arc<SpaceTable>, ConfigError> {
        let table = SpaceTable::read(&self.evaluation.table, self.fingerprint(cpu)?);
        let table = table.map_err(|error| {
            let ConfigError { place, key, message } = ConfigError::from_evaluator(error);
            let message = format!("{message}; `evo enumerate` makes one where there is none");
            ConfigError { place, key, message }
        })?;
        Ok(Arc::new(table))
    }

    /// The search this configuration describes, before its first candidate, and who scores its
    /// programs.
    ///
    /// # Errors
    /// A setting that cannot be searched with; a start that is no program of the space.
    pub fn search_in(
        &self,
        space: Arc<Space>,
        table: Arc<SpaceTable>,
    ) -> Result<(Search<Enumerated>, TrueFitness), ConfigError> {
        let hasher = self.hasher().map_err(ConfigError::from_search)?;
        let optimizers = Optimizers::new(&MutationConfig::default(), hasher);
        let optimizers = optimizers.map_err(|it| ConfigError::from_search(it.into()))?;
        let starts = self.starts_in(&space, &optimizers)?;
        let domain = Enumerated::new(optimizers, space, Arc::clone(&table));
        let search = Search::from_starts(&self.settings, Seed(self.seed), domain, starts);
        Ok((search.map_err(ConfigError::from_search)?, TrueFitness(table)))
    }

    fn starts_in(
        &self,
        space: &Space,
        optimizers: &Optimizers,
    ) -> Result<Vec<Program>, ConfigError> {
        let Some(starts) = &self.start else {
            let first = (0..space.sequences()).find_map(|number| space.program(number));
            return Ok(vec![first.expect("a space has a program of one statement")]);
        };
        let read = |(index, text): (usize, &str)| {
            let program = optimizers.read(text).and_then(|program| {
                let known = space.contains(&program);
                if known { Ok(program) } else { Err("is no program of the space".to_owned()) }
            });
            program.map_err(|message| ConfigError::new(starts.key(index), message))
        };
        starts.iter().enumerate().map(read).collect()
    }
}
