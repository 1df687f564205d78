//! The writer of a cache file: a thread that commits outcomes as they come.
//!
//! Invariant: whoever tells of an outcome never waits for the disk or for another process. What has
//! come while a commit was under way is the next commit, so outcomes are in the file at once where
//! evaluations are long, and in large batches where they are short. A process that is killed loses
//! what was not committed, and nothing of what another one has written.
//!
//! Why not a commit by the search itself, as its store has it: two processes take turns to write,
//! and the search would stand still in the other one's.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use evo_domain::Outcome;
use evo_hashes::Hash;
use rusqlite::{Connection, TransactionBehavior, params};

use super::CacheKey;
use super::entry::{Entry, checksum, reach};
use super::file::Tally;
use super::limit::evict;
use super::open::unusable;

/// Outcomes that may wait to be written; those beyond are not, which costs an evaluation some day.
const MOST_WAITING: usize = 65_536;

/// Outcomes of one commit.
const MOST_TOGETHER: usize = 4_096;

/// An outcome to be written.
pub(super) struct Pending {
    pub(super) structure: Hash,
    pub(super) program: String,
    pub(super) outcome: Arc<Outcome>,
}

enum Message {
    Write(Pending),
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
}

/// The thread, and the way to it. When it goes, everything noted is written first.
pub(super) struct Writer {
    messages: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn begin(
        path: &Path,
        connection: Connection,
        key: CacheKey,
        limit: Option<u64>,
        tally: Arc<Tally>,
    ) -> io::Result<Writer> {
        let (sender, messages) = sync_channel(MOST_WAITING);
        let path = path.to_owned();
        let mut work = Work { path, connection, key, limit, tally, told: (0, 0) };
        let thread = std::thread::Builder::new().name("cache".to_owned());
        let thread = thread.spawn(move || work.run(&messages))?;
        Ok(Writer { messages: Some(sender), thread: Some(thread) })
    }

    /// Has an outcome written; `false` where too many are waiting.
    pub(super) fn note(&self, pending: Pending) -> bool {
        let sent = self.messages.as_ref().map(|it| it.try_send(Message::Write(pending)));
        sent.is_some_and(|sent| sent.is_ok())
    }

    /// Waits until everything noted is written.
    pub(super) fn flush(&self) {
        let (sender, done) = sync_channel(1);
        if let Some(messages) = &self.messages
            && messages.send(Message::Flush(sender)).is_ok()
        {
            // An error says that the thread has gone, and then there is nothing to wait for.
            done.recv().ok();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// What the thread works with.
struct Work {
    path: PathBuf,
    connection: Connection,
    key: CacheKey,
    limit: Option<u64>,
    tally: Arc<Tally>,
    /// Lookups and hits that the file knows of.
    told: (u64, u64),
}

impl Work {
    fn run(&mut self, messages: &Receiver<Message>) {
        while let Ok(first) = messages.recv() {
            let (mut batch, mut waiting) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Write(pending) => batch.push(pending),
                    Message::Flush(sender) => waiting.push(sender),
                }
                next = messages.try_recv().ok().filter(|_| batch.len() < MOST_TOGETHER);
            }
            self.write(&batch);
            for sender in waiting {
                // Whoever does not wait any more need not be told.
                sender.send(()).ok();
            }
        }
        self.write(&[]);
    }

    /// Commits these, and how much was looked up, unless the file has been given up.
    fn write(&mut self, batch: &[Pending]) {
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let now = (count(&self.tally.lookups), count(&self.tally.hits));
        if self.tally.is_given_up() || (batch.is_empty() && now == self.told) {
            return;
        }
        match self.commit(batch, (now.0 - self.told.0, now.1 - self.told.1)) {
            Ok(written) => {
                self.tally.written.fetch_add(written, Ordering::Relaxed);
                self.told = now;
            }
            Err(error) => self.tally.give_up(&unusable(&self.path, &error)),
        }
    }

    fn commit(&mut self, batch: &[Pending], (lookups, hits): (u64, u64)) -> rusqlite::Result<u64> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let CacheKey { domain, structure_version, fingerprint, description } = &self.key;
        // Asked for anew each time: its entries may have been pruned meanwhile, and it with them.
        let evaluator = "INSERT INTO evaluators VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT DO UPDATE SET lookups = lookups + ?5, hits = hits + ?6 RETURNING id";
        let evaluator: i64 = transaction.prepare_cached(evaluator)?.query_row(
            params![
                domain,
                structure_version,
                fingerprint.0,
                description,
                lookups as i64,
                hits as i64
            ],
            |row| row.get(0),
        )?;
        let mut written = 0;
        let text = "INSERT INTO outcomes VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET reach = excluded.reach, program = excluded.program,
                outcome = excluded.outcome, checksum = excluded.checksum
            WHERE excluded.reach > reach";
        let mut insert = transaction.prepare_cached(text)?;
        let (most_unchecked, mut unchecked) = (self.limit.unwrap_or(u64::MAX) / 16, 0);
        for Pending { structure, program, outcome } in batch {
            let (key, reach) = (self.key.of_structure(structure), reach(outcome));
            let outcome = Entry::text_of(outcome);
            let checksum = checksum(&key, structure, reach, program, &outcome);
            let row = params![key.0, evaluator, structure.0, reach, program, outcome, checksum];
            written += insert.execute(row)?;
            // A large batch would make the file as large, before what is too much goes.
            unchecked += (program.len() + outcome.len()) as u64;
            if let Some(limit) = self.limit.filter(|_| unchecked > most_unchecked) {
                evict(&transaction, limit)?;
                unchecked = 0;
            }
        }
        drop(insert);
        if let Some(limit) = self.limit {
            evict(&transaction, limit)?;
        }
        transaction.commit()?;
        Ok(written as u64)
    }
}

#[cfg(test)]
mod tests {
    use evo_domain::Score;

    use super::*;
    use crate::cache::open::to_write;

    /// Its writer has waited for so long that all of them are one batch.
    #[test]
    fn a_batch_far_beyond_the_limit_leaves_the_file_within_it() {
        const LIMIT: u64 = 64 << 10;
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("cache");
        let connection = to_write(&path).expect("it is made");
        let key = CacheKey {
            domain: "programs".to_owned(),
            structure_version: 1,
            fingerprint: Hash([7; 16]),
            description: "numbers".to_owned(),
        };
        let (limit, tally) = (Some(LIMIT), Arc::default());
        let mut work = Work { path: path.clone(), connection, key, limit, tally, told: (0, 0) };
        let pending = |number: u64| Pending {
            structure: Hash::of(&number.to_le_bytes()),
            program: format!("def f(x):\n  y = x + {number}.0\n  return y\n").repeat(5),
            outcome: Arc::new(Outcome::Scored(Score::new(number as f64, vec![1.0]))),
        };
        let batch: Vec<Pending> = (0..3_000).map(pending).collect();
        work.write(&batch);
        assert!(!work.tally.is_given_up());
        let query = "SELECT COUNT(*), MIN(number), MAX(number) FROM outcomes";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let (entries, first, last): (i64, i64, i64) =
            work.connection.query_row(query, [], row).expect("it can be read");
        assert!(entries > 50 && last == 3_000 && last - first == entries - 1, "those written last");
        drop(work);
        let length = std::fs::metadata(&path).expect("it is there").len();
        assert!(length <= LIMIT * 5 / 4, "{length} bytes");
    }
}
