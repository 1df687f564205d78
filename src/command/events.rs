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
    /// The births absorbed before the latest held-out point that was told.
    held_out: u64,
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
            held_out: of("held_out")
                .filter_map(|line| line["absorbed"].as_u64())
                .max()
                .unwrap_or(0),
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

    /// Tells of what has come with births absorbed since the last time.
    fn catch_up<D: Domain>(&mut self, search: &Search<D>) {
        let points = search.held_out().points();
        let told = points.partition_point(|point| point.absorbed <= self.held_out);
        for point in &points[told..] {
            self.held_out = point.absorbed;
            let more = json!({
                "absorbed": point.absorbed,
                "evaluations": point.evaluations,
                "birth": point.birth,
                "fitness": point.fitness,
                "held_out_fitness": point.held_out_fitness,
            });
            self.tell("held_out", search, more);
        }
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

/// Says of an evaluation that it was on what is held out.
fn mark<P>(candidate: &Candidate<P>, more: &mut Value) {
    if candidate.held_out {
        more["held_out"] = json!(true);
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
        self.catch_up(search);
        let birth = candidate.birth;
        match outcome {
            Outcome::Ended(Ended { reason, message }) => {
                let mut more = json!({ "birth": birth, "reason": reason, "message": message });
                mark(candidate, &mut more);
                self.tell("ended", search, more);
            }
            Outcome::Failed { message } => {
                let mut more = json!({ "birth": birth, "message": message });
                mark(candidate, &mut more);
                self.tell("failure", search, more);
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
        self.catch_up(search);
        let more = json!({ "reason": reason, "counters": search.counters() });
        self.tell(if reason == StopReason::Cancelled { "interrupt" } else { "end" }, search, more);
    }
}
