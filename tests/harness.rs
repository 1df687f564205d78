//! What the themes share: a scratch directory, the binary, and what a run of it gave.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
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

/// Waits until a running binary has written a file.
pub(crate) fn wait_for(path: &Path, child: &mut Child) {
    wait_until(child, || path.exists());
}

/// Waits until something holds of a binary that must still be running then.
pub(crate) fn wait_until(child: &mut Child, mut holds: impl FnMut() -> bool) {
    while !holds() {
        assert_runs(child);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_runs(child);
}

fn assert_runs(child: &mut Child) {
    let ended = child.try_wait().expect("it can be watched");
    assert!(ended.is_none(), "it ended by itself: {ended:?}");
}

/// Kills a running binary; it must not have come to its end.
pub(crate) fn kill(child: &mut Child) {
    child.kill().expect("it can be killed");
    let status = child.wait().expect("it is dead");
    assert_eq!(status.signal(), Some(9), "it came to its end before it was killed");
}

/// How a running binary ends that is about to. One that goes on for a minute is taken for one that
/// does not end.
pub(crate) fn ended(child: &mut Child) -> ExitStatus {
    for _ in 0..12_000 {
        if let Some(status) = child.try_wait().expect("it can be watched") {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it can be killed");
    panic!("it does not end");
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

/// Sends a signal to a running binary.
pub(crate) fn signal(name: &str, child: &Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([name, &pid]).status();
    assert!(sent.expect("there is a kill command").success());
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    path.to_str().expect("the repository has a UTF-8 path").to_owned()
}
