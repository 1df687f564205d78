//! Exit codes of the command line.
//!
//! Invariant: 0 is what was asked for, 1 something less, 2 an error, 130 an interrupt. A type of its
//! own, because the standard one cannot be asked for its number, which another language hands on.

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode(u8);

impl ExitCode {
    /// What was asked for was done.
    pub const SUCCESS: ExitCode = ExitCode(0);

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl From<u8> for ExitCode {
    fn from(number: u8) -> ExitCode {
        ExitCode(number)
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> std::process::ExitCode {
        code.0.into()
    }
}
