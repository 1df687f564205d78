//! Colours and strokes: of a page, which follows the reader's light or dark theme, and of paper.
//!
//! Invariant: a figure of the page names variables and no colour, so that one drawing serves both
//! themes; what they stand for is here alone. The colours are told apart with any kind of
//! colour-blindness (after Okabe and Ito, darker or lighter where one would be faint on its
//! ground), and every line has a stroke besides, so that none is known by colour alone.

use std::fmt::Write as _;

use kuva::plot::LineStyle;
use kuva::render::theme::Theme;

/// A colour by its name, on a light ground and on a dark one.
type Colour = (&'static str, &'static str, &'static str);

/// Colours of series, in turn.
const SERIES: [Colour; 7] = [
    ("series-0", "#0072b2", "#56b4e9"),
    ("series-1", "#d55e00", "#f28e4b"),
    ("series-2", "#00835f", "#2bc497"),
    ("series-3", "#a8327d", "#e68fc0"),
    ("series-4", "#8a6d00", "#e6c229"),
    ("series-5", "#3b7f9e", "#a9d6f2"),
    ("series-6", "#747c84", "#8f979f"),
];

/// Everything else.
const GROUND: Colour = ("ground", "#ffffff", "#14171a");
const TEXT: Colour = ("text", "#1c2024", "#e8eaed");
const FAINT: Colour = ("faint", "#5b6470", "#a3adb8");
const AXIS: Colour = ("axis", "#5b6470", "#a3adb8");
const GRID: Colour = ("grid", "#dde1e6", "#31373d");
const SHADE: Colour = ("shade", "#f4f6f8", "#1e2226");
const GONE: Colour = ("gone", "#a11d1d", "#ff9d94");
const COME: Colour = ("come", "#0a6640", "#6fd8a4");
const LINK: Colour = ("link", "#0b5cad", "#7cbcff");

const REST: [Colour; 9] = [GROUND, TEXT, FAINT, AXIS, GRID, SHADE, GONE, COME, LINK];

/// What a figure is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Ink {
    /// Variables of the page.
    Page,
    /// The light colours themselves, for a file that stands alone.
    Paper,
    /// The dark ones, likewise.
    Night,
}

impl Ink {
    /// The colour of a series by its place.
    pub(in crate::command) fn series(self, place: usize) -> String {
        self.colour(SERIES[place % SERIES.len()])
    }

    /// Of axes, grid and text.
    pub(in crate::command) fn theme(self) -> Theme {
        let font = match self {
            Ink::Page => "inherit",
            Ink::Paper | Ink::Night => "Helvetica, Arial, 'Liberation Sans', sans-serif",
        };
        Theme {
            background: self.colour(GROUND),
            axis_color: self.colour(AXIS),
            grid_color: self.colour(GRID),
            tick_color: self.colour(AXIS),
            text_color: self.colour(TEXT),
            legend_bg: self.colour(GROUND),
            legend_border: "none".to_owned(),
            font_family: Some(font.to_owned()),
            ..Theme::light()
        }
    }

    fn colour(self, (name, light, dark): Colour) -> String {
        match self {
            Ink::Page => format!("var(--{name})"),
            Ink::Paper => light.to_owned(),
            Ink::Night => dark.to_owned(),
        }
    }
}

/// The stroke of a line by its place: of two lines of one colour it differs.
pub(in crate::command) fn stroke(place: usize) -> LineStyle {
    match place % 4 {
        0 => LineStyle::Solid,
        1 => LineStyle::Custom("12 5".to_owned()),
        2 => LineStyle::Custom("3 5".to_owned()),
        _ => LineStyle::Custom("14 5 3 5".to_owned()),
    }
}

/// What the variables stand for in both themes, as CSS.
pub(in crate::command) fn variables() -> String {
    let all = || SERIES.iter().chain(&REST);
    let (mut light, mut dark) = (String::new(), String::new());
    for (name, on_light, on_dark) in all() {
        write!(light, "--{name}:{on_light};").expect("a string can always grow");
        write!(dark, "--{name}:{on_dark};").expect("a string can always grow");
    }
    format!(
        ":root{{color-scheme:light dark;{light}}}\n\
         @media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour after WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let part = u8::from_str_radix(&colour[at..at + 2], 16).expect("two hexadecimal digits");
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { libm::pow((part + 0.055) / 1.055, 2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_line_stands_out_from_its_ground_and_every_text_more_so() {
        for (name, light, dark) in SERIES {
            assert!(contrast(light, GROUND.1) >= 3.0, "{name}: {}", contrast(light, GROUND.1));
            assert!(contrast(dark, GROUND.2) >= 3.0, "{name}: {}", contrast(dark, GROUND.2));
        }
        for (name, light, dark) in [TEXT, FAINT, GONE, COME, LINK] {
            assert!(contrast(light, SHADE.1) >= 4.5, "{name}: {}", contrast(light, SHADE.1));
            assert!(contrast(dark, SHADE.2) >= 4.5, "{name}: {}", contrast(dark, SHADE.2));
        }
    }

    #[test]
    fn a_page_names_variables_that_it_defines_and_paper_names_colours() {
        let variables = variables();
        for place in 0..20 {
            let colour = Ink::Page.series(place);
            let name = colour.strip_prefix("var(").and_then(|it| it.strip_suffix(')'));
            assert!(variables.contains(&format!("{}:#", name.expect("a variable"))), "{colour}");
            for ink in [Ink::Paper, Ink::Night] {
                assert!(ink.series(place).starts_with('#'));
            }
        }
    }
}
