//! Fingerprints: whether a task is still the one a baseline was measured on.
//!
//! Invariant: on tasks of one fingerprint every program has the same losses at the same learning
//! rate, on one kind of CPU. All of the configuration that training sees counts, and so do the
//! bytes of data files; where those lie does not, and neither does a learning rate or a baseline
//! loss.

use std::path::Path;

use evo_hashes::Hash;

use super::scoring::{Rates, Scoring};
use crate::data::LARGEST_FILE;
use crate::{EvaluatorError, OptimizerConfig, TaskConfig, read_file};

/// Changes whenever losses change for the same configuration, or the grid or the AdamW that
/// baselines are tuned by do.
const VERSION: u8 = 4;

/// The same for losses where the best of the multiples counts.
const VERSION_OF_BEST: u8 = 2;

impl OptimizerConfig {
    /// The fingerprint of `task` as this configuration trains it; relative paths start at
    /// `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Data`] for a file that cannot be read, with the key `data`.
    pub fn fingerprint(&self, task: &TaskConfig, base_dir: &Path) -> Result<Hash, EvaluatorError> {
        let mut task = TaskConfig { learning_rate: None, baseline_loss: None, ..task.clone() };
        for path in task.data.paths_mut() {
            let file = base_dir.join(&*path);
            // Not prefixed as other hashed content is: it is only written into text.
            match read_file(&file, LARGEST_FILE) {
                Ok(bytes) => *path = Hash::of(&bytes).to_string().into(),
                Err(message) => {
                    return Err(EvaluatorError::Data { key: "data".into(), path: file, message });
                }
            }
        }
        let trained =
            (&task, self.data_seed, &self.learning_rate_multiples, self.repeats, self.divergence);
        let text = ron::to_string(&trained).expect("a task has no value that RON cannot write");
        let mut bytes = vec![b't', VERSION];
        bytes.extend(text.as_bytes());
        // What was measured before there was another way to score is still right.
        if self.scoring != Scoring::default() {
            let scoring = ron::to_string(&self.scoring);
            bytes.extend(scoring.expect("a scoring has no value that RON cannot write").as_bytes());
        }
        if self.scoring.rates == Rates::Best {
            bytes.push(VERSION_OF_BEST);
        }
        Ok(Hash::of(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "name: \"task\", model: Mlp(hidden: [8]), data: Digits, batch_size: 16, \
        steps: 20, schedule: Cosine(), data_fraction: 1.0, label_noise: 0.0";

    fn task(text: &str) -> TaskConfig {
        let options = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        options.from_str(&format!("({text})")).expect("a well-formed task")
    }

    fn of(text: &str) -> Hash {
        let task = task(text);
        let config = OptimizerConfig::new(vec![task.clone()]);
        config.fingerprint(&task, Path::new("")).expect("no file is read")
    }

    #[test]
    fn every_field_that_trains_changes_it_and_a_normaliser_does_not() {
        let base = of(TASK);
        for (field, other) in [
            ("\"task\"", "\"other\""),
            ("[8]", "[9]"),
            ("Digits", "Fashion"),
            ("Digits", "Letter"),
            ("Digits", "Mnist1d(examples: 300)"),
            ("Digits", "Teacher(inputs: 6, hidden: 4, classes: 3, examples: 300)"),
            ("batch_size: 16", "batch_size: 17"),
            ("steps: 20", "steps: 21"),
            ("Cosine()", "Linear()"),
            ("Cosine()", "Cosine(warmup_steps: 1)"),
            ("data_fraction: 1.0", "data_fraction: 0.5"),
            ("label_noise: 0.0", "label_noise: 0.1"),
        ] {
            assert!(TASK.contains(field), "{field}");
            assert_ne!(of(&TASK.replacen(field, other, 1)), base, "{other}");
        }
        assert_eq!(of(&format!("{TASK}, learning_rate: 3.0, baseline_loss: 0.2")), base);
        assert_eq!(of(&TASK.replace(", schedule: Cosine()", "")), base, "the default, left out");
    }

    #[test]
    fn how_all_tasks_are_run_changes_it_and_other_tasks_do_not() {
        let task = task(TASK);
        let with = |change: fn(&mut OptimizerConfig)| {
            let mut config = OptimizerConfig::new(vec![task.clone()]);
            change(&mut config);
            config.fingerprint(&task, Path::new("")).expect("no file is read")
        };
        let base = with(|_| {});
        assert_ne!(with(|config| config.data_seed = 1), base);
        assert_ne!(with(|config| config.learning_rate_multiples = vec![1.0]), base);
        assert_ne!(with(|config| config.repeats = config.repeats.saturating_add(1)), base);
        assert_ne!(with(|config| config.divergence = 5.0), base);
        assert_ne!(with(|config| config.scoring.rates = Rates::Best), base);
        assert_ne!(with(|config| config.scoring.normalise_updates = true), base);
        assert_ne!(with(|config| config.scoring.horizons = vec![0.5]), base);
        assert_ne!(with(|config| config.scoring.batches = vec![0.5]), base);
        assert_eq!(with(|config| config.held_out = config.tasks.clone()), base);
        assert_eq!(with(|config| config.stages = vec![1]), base);
    }

    #[test]
    fn files_count_by_what_they_hold_and_not_by_where_they_lie() {
        let folder = tempfile::TempDir::new().expect("a place for temporary files");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("it can be written");
        };
        let of = |name: &str| {
            let data = format!("Text(path: {name:?})");
            let task = task(&TASK.replacen("Digits", &data, 1));
            OptimizerConfig::new(Vec::new()).fingerprint(&task, folder.path())
        };
        write("a", "text");
        write("b", "text");
        let before = of("a").expect("it can be read");
        assert_eq!(of("b").expect("it can be read"), before);
        write("a", "other text");
        assert_ne!(of("a").expect("it can be read"), before);
        let error = of("absent").expect_err("no such file").to_string();
        assert!(error.starts_with("data: "), "{error}");
    }
}
