//! A figure: a drawing for the page and one for paper, with what has to be said of it.
//!
//! Invariant: its name is one of a file on any system, and its legend on the page wraps as the page
//! does, which one inside a drawing cannot.

use kuva::plot::LineStyle;
use serde::Serialize;

use super::chart::{Bars, Chart, Drawing, Mark};
use super::ink::{Ink, stroke};

/// A figure.
#[derive(Clone, Debug, Serialize)]
pub(in crate::command) struct Figure {
    /// Of its file, without what it ends in.
    pub name: String,
    /// What it shows, in a few words.
    pub title: String,
    /// What has to be known to read it.
    pub caption: String,
    pub keys: Vec<Key>,
    /// As SVG of the page.
    pub page: String,
    /// As SVG that stands alone.
    #[serde(skip)]
    pub paper: String,
    /// As that, on a dark ground.
    #[serde(skip)]
    pub night: String,
}

/// An entry of a legend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::command) struct Key {
    pub label: String,
    pub colour: String,
    /// The lengths of dashes and gaps; none of a line without gaps.
    pub dashes: Option<String>,
    /// `line`, `dots` or `block`.
    pub shape: &'static str,
}

impl Figure {
    /// Of a chart; `None` where nothing is drawn in it.
    pub(in crate::command) fn of_chart(
        name: &str,
        title: &str,
        caption: &str,
        chart: &Chart,
    ) -> Option<Figure> {
        let drawn = chart.series.iter().filter(|series| !series.points.is_empty());
        let keys: Vec<Key> = drawn
            .map(|series| Key {
                label: series.label.clone(),
                colour: Ink::Page.series(series.place),
                dashes: match stroke(series.place) {
                    LineStyle::Custom(dashes) => Some(dashes),
                    _ => None,
                },
                shape: match series.mark {
                    Mark::Cloud | Mark::Points => "dots",
                    Mark::Line | Mark::Steps | Mark::Dotted => "line",
                },
            })
            .collect();
        (!keys.is_empty()).then(|| Figure::new((name, title, caption), keys, chart))
    }

    /// Of bars; `None` where there are none.
    pub(in crate::command) fn of_bars(
        name: &str,
        title: &str,
        caption: &str,
        bars: &Bars,
    ) -> Option<Figure> {
        let keys = bars.parts.iter().map(|(label, place)| Key {
            label: label.clone(),
            colour: Ink::Page.series(*place),
            dashes: None,
            shape: "block",
        });
        (!bars.bars.is_empty()).then(|| Figure::new((name, title, caption), keys.collect(), bars))
    }

    fn new(
        (name, title, caption): (&str, &str, &str),
        keys: Vec<Key>,
        drawing: &dyn Drawing,
    ) -> Figure {
        Figure {
            name: file_name(name),
            title: title.to_owned(),
            caption: caption.to_owned(),
            // A single line is named by the axis.
            keys: if keys.len() > 1 { keys } else { Vec::new() },
            page: drawing.svg(Ink::Page),
            paper: drawing.svg(Ink::Paper),
            night: drawing.svg(Ink::Night),
        }
    }
}

/// A name as every system takes it for a file.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    name.chars().take(100).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_a_name_that_leads_out_of_no_folder() {
        assert_eq!(file_name("curves-1-../../etc/a b"), "curves-1-------etc-a-b");
        assert_eq!(file_name(&"x".repeat(1_000)).len(), 100);
    }
}
