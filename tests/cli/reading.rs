//! Commands that read a run: under way, killed, copied in part, or in a folder to be read only.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::{Running, Scratch, repository};

fn begin(scratch: &Scratch) -> Running {
    let tiny = repository("tests/data/tiny.ron");
    let limit = "stopping.candidates=100000000";
    let args = ["search", &tiny, "--set", limit, "--out", "run", "--threads", "1", "--quiet"];
    let mut running = Running::begin(scratch.command(&args));
    running.wait_for(&scratch.path("run/best.py"));
    running
}

/// Every file of a folder, with its content.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("it is a folder");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.map(|path| (path.display().to_string(), std::fs::read(path).expect("a file"))).collect()
}

/// Every command that reads a run does, and leaves every byte as it was.
fn all_commands_read(scratch: &Scratch, run: &str) {
    let before = content(&scratch.path(run));
    let birth = format!("{run}:0");
    let config = scratch.path("config.ron").display().to_string();
    let commands = [
        &["show", run][..],
        &["show", &birth, "--plain"],
        &["lineage", run],
        &["lineage", &birth, "--json"],
        &["report", run, "--out", "report.html", "--figures", "figures"],
        &["simplify", run],
        &["simplify", &birth],
        &["export", run, "--to", "torch"],
        &["export", &birth, "--to", "python"],
        &["evaluate", run, &birth, "--config", &config],
        &["bench", &config, "--program", &birth, "--seconds", "0.01", "--threads", "1"],
        &["bench", &config, "--program", run, "--seconds", "0.01", "--threads", "1"],
    ];
    for command in commands {
        let done = scratch.run(command);
        assert_eq!(done.code, Some(0), "{command:?} on {run}: {}", done.stderr);
        assert!(!done.stdout.is_empty(), "{command:?} on {run}");
    }
    assert!(content(&scratch.path(run)) == before, "{run} has been changed by reading it");
}

/// A copy of a run with some of its files, that nobody may write to.
fn copied(scratch: &Scratch, files: &[&str], to: &str) {
    std::fs::create_dir(scratch.path(to)).expect("there is room");
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    for file in files {
        let copy = scratch.path(to).join(file);
        std::fs::copy(scratch.path("run").join(file), &copy).expect("there is room");
        set(&copy, 0o444);
    }
    set(&scratch.path(to), 0o555);
}

#[test]
fn every_command_that_reads_a_run_does_so_whatever_state_it_is_in_and_changes_no_byte() {
    let scratch = Scratch::new();
    let mut running = begin(&scratch);
    std::fs::copy(scratch.path("run/config.ron"), scratch.path("config.ron")).expect("it is there");
    // Stopped, so that what changes is not the run's doing.
    running.signal("-STOP");
    all_commands_read(&scratch, "run");
    running.signal("-CONT");
    running.kill();
    // Killed before its first snapshot, and before its best was written to a file of its own.
    std::fs::remove_file(scratch.path("run/best.py")).expect("it is there");
    all_commands_read(&scratch, "run");
    copied(&scratch, &["run.db", "run.db-wal", "run.db-shm"], "with everything");
    copied(&scratch, &["run.db", "run.db-wal"], "without index");
    copied(&scratch, &["run.db"], "without log");
    for run in ["with everything", "without index", "without log"] {
        all_commands_read(&scratch, run);
    }
    // Writable again, so that the scratch directory can be removed.
    for run in ["with everything", "without index", "without log"] {
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(scratch.path(run), open).expect("it is ours");
    }
    // What was read is still there to go on with, in full.
    let done = scratch.run(&["resume", "run", "--set", "stopping.candidates=1", "--quiet"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    all_commands_read(&scratch, "run");
}

#[test]
fn a_folder_that_is_no_run_is_named_as_such() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("empty")).expect("there is room");
    for args in [&["show", "empty"][..], &["lineage", "empty"]] {
        let run = scratch.run(args);
        assert!(run.code == Some(2) && run.stderr.contains("run.db"), "{run:?}");
    }
    let unknown = scratch.run(&["show", "empty:3"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("empty/run.db"), "{unknown:?}");
}
