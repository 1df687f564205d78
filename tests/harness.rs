//! What the themes share: a scratch directory, the binary, and what a run of it gave.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// A scratch directory in which the binary is run.
pub(crate) struct Scratch {
    directory: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch { directory: TempDir::new().expect("the system has a place for temporary files") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a scratch file can be written");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names of everything in it.
    pub(crate) fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).expect("it exists");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("it can be listed").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evo"));
        command.args(args).current_dir(self.directory.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let Output { status, stdout, stderr } =
            self.command(args).output().expect("the binary starts");
        Run {
            code: status.code(),
            stdout: String::from_utf8(stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
        }
    }
}

impl Scratch {
    /// A search with this override is refused in one line that has these words, and leaves nothing
    /// behind.
    pub(crate) fn assert_refused(&self, config: &str, set: &str, key: &str, words: &str) {
        let run = self.run(&["search", config, "--set", set, "--out", "out"]);
        assert_eq!(run.code, Some(2), "{set}: {run:?}");
        assert!(run.stderr.contains(key) && run.stderr.contains(words), "{set}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert!(!self.path("out").exists(), "{set}");
    }
}

/// What a run of the binary gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The output of a run that must have gone well.
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }
}

/// How long a binary may take to say or do what it is about to: on any machine it takes less.
const PATIENCE: Duration = Duration::from_secs(60);

const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A binary under way, which does not outlive its test, and the lines it has written to standard
/// error.
pub(crate) struct Running {
    child: Child,
    messages: mpsc::Receiver<String>,
}

impl Running {
    pub(crate) fn begin(mut command: Command) -> Running {
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary starts");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let (sender, messages) = mpsc::channel();
        // Read as they come: a full pipe would stop it.
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Running { child, messages }
    }

    /// Waits until it has written a file.
    pub(crate) fn wait_for(&mut self, path: &Path) {
        self.wait_until(|| path.exists());
    }

    /// Waits until something holds of it; it must still be running then.
    pub(crate) fn wait_until(&mut self, mut holds: impl FnMut() -> bool) {
        while !holds() {
            self.assert_runs();
            std::thread::sleep(LOOK_AGAIN);
        }
        self.assert_runs();
    }

    pub(crate) fn assert_runs(&mut self) {
        let ended = self.child.try_wait().expect("it can be watched");
        assert!(ended.is_none(), "it ended by itself: {ended:?}");
    }

    /// Waits for a message that contains this.
    pub(crate) fn wait_for_message(&self, part: &str) {
        let next = || self.messages.recv_timeout(PATIENCE);
        while !next().unwrap_or_else(|_| panic!("it does not say `{part}`")).contains(part) {}
    }

    /// Sends it a signal.
    pub(crate) fn signal(&mut self, name: &str) {
        self.assert_runs();
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("there is a kill command").success());
    }

    /// Kills it; it must not have come to its end.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        let status = self.child.wait().expect("it is dead");
        assert_eq!(status.signal(), Some(9), "it came to its end before it was killed");
    }

    /// Waits for the end it is about to come to: its exit code, and what it has said since.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        for _ in 0..PATIENCE.as_millis() / LOOK_AGAIN.as_millis() {
            if let Some(status) = self.child.try_wait().expect("it can be watched") {
                let messages: Vec<String> = self.messages.iter().collect();
                return (status.code(), messages.join("\n"));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        panic!("it does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Births that the store of a run holds, which may be under way or killed. Nothing of it changes:
/// what a kill has left is there for the next that goes on.
pub(crate) fn stored_births(run: &Path) -> u64 {
    let read_only = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = rusqlite::Connection::open_with_flags(run.join("run.db"), read_only);
    let count = store.and_then(|store| {
        store.busy_timeout(Duration::from_secs(10))?;
        store.query_row("SELECT COUNT(*) FROM candidates", [], |row| row.get::<_, i64>(0))
    });
    // At first there is no file, and then none with tables.
    count.map_or(0, |count| count as u64)
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    path.to_str().expect("the repository has a UTF-8 path").to_owned()
}
