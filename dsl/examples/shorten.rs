//! How much shorter the simplifier makes programs, beyond removing dead statements.
//!
//! `cargo run --release -p evo-dsl --example shorten -- FILE…`; a file holds programs separated by
//! lines of `---`. With `--print` each program is printed simplified.

use std::time::{Duration, Instant};

use evo_dsl::{Program, Rounding, Simplified, simplify};

/// What became of all programs under one kind of rounding.
#[derive(Default)]
struct Tally {
    after: usize,
    shorter: usize,
    total: Duration,
    longest: Duration,
}

impl Tally {
    #[expect(clippy::disallowed_methods, reason = "the time is only printed")]
    fn simplify(&mut self, program: &Program, rounding: Rounding) -> Simplified {
        let start = Instant::now();
        let simplified = simplify(program, rounding);
        let time = start.elapsed();
        self.after += simplified.after;
        self.shorter += usize::from(simplified.after < simplified.before);
        self.total += time;
        self.longest = self.longest.max(time);
        simplified
    }

    fn print(&self, name: &str, programs: usize) {
        println!(
            "{name}: mean live length {:.3}, {:.1}% of programs shorter; time mean {:.2?}, max {:.2?}",
            self.after as f64 / programs as f64,
            100.0 * self.shorter as f64 / programs as f64,
            self.total / programs as u32,
            self.longest,
        );
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (options, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let (mut exact, mut allow) = (Tally::default(), Tally::default());
    let (mut programs, mut written, mut before) = (0, 0, 0);
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        for text in text.split("\n---").map(|text| text.trim_start_matches(['-', '\n', '\r'])) {
            if text.trim().is_empty() {
                continue;
            }
            let program = Program::parse(text)?;
            exact.simplify(&program, Rounding::Exact);
            let simplified = allow.simplify(&program, Rounding::Allow);
            (programs, written) = (programs + 1, written + program.statements().len());
            before += simplified.before;
            if options.iter().any(|option| option == "--print") {
                print!(
                    "{}# {} -> {} {:?}\n{}",
                    program.live(),
                    simplified.before,
                    simplified.after,
                    simplified.stop,
                    simplified.program
                );
                for note in simplified.notes {
                    println!(
                        "# {}: {}; {:?}; {}",
                        note.rule, note.equation, note.statement, note.differs
                    );
                }
                println!("---");
            }
        }
    }
    if programs == 0 {
        return Err("no programs: name files of them".into());
    }
    let mean = |count: usize| count as f64 / programs as f64;
    println!("{programs} programs: mean length {:.3}, live {:.3}", mean(written), mean(before));
    exact.print("exact", programs);
    allow.print("allow", programs);
    Ok(())
}
