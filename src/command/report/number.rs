//! Numbers as axes and tables show them.
//!
//! Invariant: a text is short enough for a tick at the narrowest width, and equal numbers give
//! equal texts; what is no number is a dash.

/// What stands where there is no number.
pub(in crate::command) const NONE: &str = "–";

/// Digits that a tick has at most: enough to tell apart those of the finest scale that is drawn.
const DIGITS: f64 = 5.0;

/// A number as short as it can be: at most six digits, thousands and more by their letter.
pub(in crate::command) fn short(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let size = value.abs();
    let text = match size {
        0.0 => "0".to_owned(),
        1e12.. | ..1e-4 => scientific(size),
        1e9.. => decimal(size / 1e9) + "G",
        1e6.. => decimal(size / 1e6) + "M",
        1e4.. => decimal(size / 1e3) + "k",
        _ => decimal(size),
    };
    if value < 0.0 { format!("−{text}") } else { text }
}

/// A fitness or a gain: with its sign and four decimals.
pub(in crate::command) fn signed(value: f64) -> String {
    match value {
        _ if !value.is_finite() => NONE.to_owned(),
        _ if value.abs() >= 1e5 => format!("{value:+.1e}"),
        _ => format!("{value:+.4}"),
    }
    .replace('-', "−")
}

/// A number and its interval.
pub(in crate::command) fn interval(low: f64, high: f64, text: impl Fn(f64) -> String) -> String {
    format!("{} to {}", text(low), text(high))
}

/// A part of a whole in percent.
pub(in crate::command) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => NONE.to_owned(),
        whole => format!("{:.1}%", 100.0 * part as f64 / whole as f64),
    }
}

fn decimal(size: f64) -> String {
    let decimals = (DIGITS - libm::floor(libm::log10(size))).clamp(0.0, 9.0) as usize;
    trimmed(&format!("{size:.decimals$}")).to_owned()
}

fn scientific(size: f64) -> String {
    let text = format!("{size:.2e}");
    let (digits, exponent) = text.split_once('e').expect("it has an exponent");
    format!("{}e{exponent}", trimmed(digits))
}

/// Without the zeros behind the point that say nothing.
fn trimmed(text: &str) -> &str {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short_and_exact() {
        let numbers = [
            0.0,
            -0.25,
            0.1 + 0.2,
            3.0,
            1_500.0,
            10_000.0,
            2.5e6,
            3e9,
            1e-5,
            2.5e-7,
            1e15,
            f64::NAN,
            f64::INFINITY,
        ];
        let expected = [
            "0", "−0.25", "0.3", "3", "1500", "10k", "2.5M", "3G", "1e-5", "2.5e-7", "1e15", "–",
            "–",
        ];
        assert_eq!(numbers.map(short), expected);
        assert_ne!(short(1.0001), short(1.0002));
    }

    #[test]
    fn figures_of_tables_have_a_sign_or_a_share() {
        assert_eq!(
            [0.5, -0.25, -0.0, 1e7].map(signed),
            ["+0.5000", "−0.2500", "−0.0000", "+1.0e7"]
        );
        assert_eq!([percent(1, 3), percent(0, 0)], ["33.3%", "–"]);
        assert_eq!(interval(-0.5, 1.0, signed), "−0.5000 to +1.0000");
    }
}
