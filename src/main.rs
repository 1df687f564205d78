//! The `evo` binary: the command line of the library, with an allocator.

use std::process::ExitCode;

/// Training small nets allocates and frees many small tensors; measured against glibc's allocator
/// in `docs/records/`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evo::command_line(std::env::args_os()).into()
}
