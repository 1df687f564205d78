//! The file of events: a line of JSON whenever something happens, to follow a run with `tail -f`.
//!
//! Invariant: a read-only observer. Nothing is read back from the file but what a resumed run has
//! already told, so that an event is not told twice; its absence changes nothing. Every line names
//! its event and has the seconds of this process and the candidates bred.
#![expect(clippy::disallowed_methods, reason = "a clock stamps what is told and reaches no result")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use evo::{Candidate, Champion, Domain, Ended, Observer, Outcome, Search, StopReason};
use serde_json::{Map, Value, json};

/// Writes the events of a run.
pub(crate) struct Events {
    file: File,
    started: Instant,
    /// The fitness of the latest best that was told.
    best: Option<f64>,
    /// Restarts that were told.
    restarts: usize,
    /// Whether the file was begun by an earlier process.
    resumed: bool,
    /// The first thing that went wrong; the run goes on and it is reported at the end.
    pub error: Option<anyhow::Error>,
}

impl Events {
    /// Appends to a file, which need not exist.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Events> {
        let told = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<Value> =
            told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let of = |name: &'static str| lines.iter().filter(move |line| line["event"] == name);
        let best = of("best").next_back().and_then(|line| line["fitness"].as_f64());
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| path.display().to_string())?;
        if !told.is_empty() && !told.ends_with('\n') {
            // The line that was being written when the run was killed.
            writeln!(file).with_context(|| path.display().to_string())?;
        }
        Ok(Events {
            file,
            started: Instant::now(),
            best,
            restarts: of("restart").count(),
            resumed: !lines.is_empty(),
            error: None,
        })
    }

    fn tell<D: Domain>(&mut self, event: &str, search: &Search<D>, more: Value) {
        let mut line = Map::new();
        line.insert("event".to_owned(), json!(event));
        line.insert("seconds".to_owned(), json!(self.started.elapsed().as_secs_f64()));
        line.insert("candidates".to_owned(), json!(search.counters().births));
        if let Value::Object(more) = more {
            line.extend(more);
        }
        // One write a line, so that nobody reads half of one.
        let text = Value::Object(line).to_string() + "\n";
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            self.error.get_or_insert(anyhow::Error::new(error).context("events.jsonl"));
        }
    }

    fn tell_restarts<D: Domain>(&mut self, search: &Search<D>) {
        while let Some(restart) = search.restarts().get(self.restarts) {
            let more = json!({
                "birth": restart.birth,
                "reason": restart.reason.to_string(),
                "carried": restart.carried.birth,
            });
            self.tell("restart", search, more);
            self.restarts += 1;
        }
    }
}

impl<D: Domain> Observer<D> for Events {
    fn on_start(&mut self, search: &Search<D>) {
        let event = if self.resumed { "resume" } else { "start" };
        self.tell(event, search, Value::Null);
    }

    fn on_outcome(
        &mut self,
        search: &Search<D>,
        candidate: &Candidate<D::Program>,
        outcome: &Outcome,
    ) {
        self.tell_restarts(search);
        let birth = candidate.birth;
        match outcome {
            Outcome::Ended(Ended { reason, message }) => {
                let more = json!({ "birth": birth, "reason": reason, "message": message });
                self.tell("ended", search, more);
            }
            Outcome::Failed { message } => {
                self.tell("failure", search, json!({ "birth": birth, "message": message }));
            }
            Outcome::Scored(_) | Outcome::Invalid(_) | Outcome::Stopped(_) => {}
        }
    }

    fn on_new_best(&mut self, search: &Search<D>, best: &Champion<D::Program>) {
        let fitness = best.individual.fitness;
        if self.best.is_none_or(|told| fitness > told) {
            self.best = Some(fitness);
            let more = json!({
                "birth": best.individual.birth,
                "fitness": fitness,
                "length": best.length,
                "losses": best.losses,
                "program": search.domain().live_text(&best.individual.program),
            });
            self.tell("best", search, more);
        }
    }

    fn on_finish(&mut self, search: &Search<D>, reason: StopReason) {
        self.tell_restarts(search);
        let more = json!({ "reason": reason, "counters": search.counters() });
        self.tell(if reason == StopReason::Cancelled { "interrupt" } else { "end" }, search, more);
    }
}
