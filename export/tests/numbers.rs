//! Numbers in exported files: with the fewest digits that give the same number.

use evo_dsl::Program;
use evo_export::{ExportTarget, export};

/// Numbers that many ways to print them get wrong: sums of rounded ones, the last and the first of
/// those with few digits, very large and very small ones.
const NUMBERS: [f64; 8] = [
    0.1 + 0.2,
    0.000_591_696_128_464_153_7,
    1.0 / 3.0,
    123_456_789.0,
    9_007_199_254_740_993.0,
    1e22,
    2.5e-9,
    5e-324,
];

/// Digits of a number without zeros before and behind them.
fn digits(text: &str) -> usize {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len()
}

/// The numbers in a text, as they are written; a power of ten is read with its factor.
fn written(text: &str) -> Vec<String> {
    let text = text.replace(" \\cdot 10^{", "e").replace("10^{", "1e");
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    let words = text.split(|c: char| !is_part(c)).map(|word| word.trim_start_matches(['-', '+']));
    let words = words.map(|word| word.trim_end_matches("_f32").trim_end_matches("_f64"));
    let starts = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    words.filter(starts).filter(|word| word.parse::<f64>().is_ok()).map(str::to_owned).collect()
}

#[test]
fn every_target_writes_numbers_with_the_fewest_digits_that_give_them() {
    let statements: String =
        NUMBERS.iter().map(|number| format!("  u = u + {number:?}\n  u = sin(u)\n")).collect();
    let text = format!("def train(w, g, lr):\n  u = g * lr\n{statements}  return u\n");
    let program = Program::parse(&text).expect("it parses");
    for target in ExportTarget::ALL {
        let text = export(&program, "Rule", target);
        let written = written(&text);
        for number in &written {
            let value: f64 = number.parse().expect("it is a number");
            assert_eq!(digits(number), digits(&format!("{value:e}")), "{number} in\n{text}");
        }
        for number in NUMBERS {
            let is_it = |text: &String| text.parse() == Ok(number);
            assert!(written.iter().any(is_it), "{number:?} in the export to {target:?}:\n{text}");
        }
    }
}
