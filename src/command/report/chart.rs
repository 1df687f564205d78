//! Charts: series on two axes, and bars, drawn as SVG.
//!
//! Invariant: nothing of a chart refers to anything outside it, to another chart or to a colour of
//! a theme, so that any number of them stand in one page. Text is as large as it has to be to be
//! read where a chart is 400 pixels wide.
//!
//! `kuva` draws: it has titles of axes, logarithmic ones, steps, bands, strokes, themes of any CSS
//! colour, four dependencies, and releases (0.6 is of October 2026). `plotters` is a quarter of its
//! size, but takes RGB alone, measures no text without fonts of the system, and had its latest
//! release in 2024. PNG and PDF are left to tools that convert SVG: `kuva`'s own would bring fonts
//! and up to a hundred packages.

use std::sync::Arc;

use kuva::backend::svg::SvgBackend;
use kuva::plot::{BandPlot, BarPlot, LegendPosition, LinePlot, MarkerShape, ScatterPlot};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, render_multiple};

use super::axis::{Axis, Scale};
use super::ink::{Ink, stroke};
use super::number;

/// The size of a drawing, in the unit of its text.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;

/// Of all text: 11 pixels where the drawing is 376 wide, as on a page of 400.
const TEXT: u32 = 19;

/// Room for half of the last tick's text.
const RIGHT: f64 = 30.0;

/// The height of a bar with what is above it.
const BAR: f64 = 38.0;

/// The most letters of a name in the legend of a file that stands alone.
const LONGEST_LABEL: usize = 48;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Mark {
    /// From point to point.
    Line,
    /// Along to the next point, then up or down to it.
    Steps,
    /// From point to point, which are marked.
    Dotted,
    /// Points alone, small and faint: there are many.
    Cloud,
    /// Points alone.
    Points,
}

/// What is drawn in one colour and stroke.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::command) struct Series {
    pub label: String,
    /// Its place in the turn of colours and strokes.
    pub place: usize,
    pub mark: Mark,
    pub points: Vec<(f64, f64)>,
    /// Below and above each point.
    pub band: Vec<(f64, f64)>,
}

/// Series on two axes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::command) struct Chart {
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
}

/// A bar for each of several names, of parts that add up.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::command) struct Bars {
    pub title: String,
    /// What they are, and their places in the turn of colours.
    pub parts: Vec<(String, usize)>,
    pub bars: Vec<(String, Vec<f64>)>,
}

/// A drawing in one ink, whole.
pub(in crate::command) trait Drawing {
    /// As SVG; a page has its own legend.
    fn svg(&self, ink: Ink) -> String;
}

impl Series {
    pub(in crate::command) fn new(
        label: &str,
        place: usize,
        mark: Mark,
        points: Vec<(f64, f64)>,
    ) -> Series {
        Series { label: label.to_owned(), place, mark, points, band: Vec::new() }
    }

    /// What is drawn of it on these axes: lines along an end that they leave, points not at all.
    fn plots(&self, chart: &Chart, ink: Ink) -> Vec<Plot> {
        let Chart { x, y, .. } = chart;
        let (colour, finite) = (ink.series(self.place), |it: &(f64, f64)| it.0.is_finite());
        let known = |it: &&(f64, f64)| finite(it) && it.1.is_finite() && x.holds(it.0);
        let clamped = self.points.iter().filter(known).map(|it| (it.0, y.clamped(it.1)));
        let inside = self.points.iter().filter(known).filter(|it| y.holds(it.1)).copied();
        let label = label(&self.label);
        let line = LinePlot::new()
            .with_color(colour.clone())
            .with_stroke_width(2.6)
            .with_line_style(stroke(self.place));
        let points = |size: f64, opacity: f64| {
            let plot = ScatterPlot::new().with_data(inside.clone()).with_color(colour.clone());
            plot.with_size(size).with_marker_opacity(opacity)
        };
        let mut plots: Vec<Plot> = self.band_plot(chart, &colour).into_iter().collect();
        match self.mark {
            Mark::Line => plots.push(line.with_data(clamped).with_legend(label).into()),
            Mark::Steps => {
                plots.push(line.with_data(clamped).with_step().with_legend(label).into());
            }
            Mark::Dotted => {
                plots.push(line.with_data(clamped).with_legend(label).into());
                plots.push(points(4.5, 1.0).into());
            }
            Mark::Cloud => plots.push(points(2.4, 0.55).with_legend(label).into()),
            Mark::Points => {
                let points = points(6.5, 1.0).with_marker(MarkerShape::Diamond);
                plots.push(points.with_legend(label).into());
            }
        }
        plots
    }

    fn band_plot(&self, chart: &Chart, colour: &str) -> Option<Plot> {
        let Chart { x, y, .. } = chart;
        let banded = self.points.iter().zip(&self.band);
        let known = banded
            .filter(|((at, _), (low, high))| x.holds(*at) && low.is_finite() && high.is_finite());
        let places: Vec<(f64, f64, f64)> =
            known.map(|((at, _), (low, high))| (*at, y.clamped(*low), y.clamped(*high))).collect();
        let column = |of: fn(&(f64, f64, f64)) -> f64| places.iter().map(of).collect::<Vec<f64>>();
        (places.len() > 1).then(|| {
            let band = BandPlot::new(column(|it| it.0), column(|it| it.1), column(|it| it.2));
            band.with_color(colour).with_opacity(0.18).into()
        })
    }
}

impl Drawing for Chart {
    fn svg(&self, ink: Ink) -> String {
        let plots: Vec<Plot> = self.series.iter().flat_map(|it| it.plots(self, ink)).collect();
        let mut layout = layout(&plots, ink, HEIGHT)
            .with_x_label(text(&self.x.title))
            .with_y_label(text(&self.y.title))
            .with_x_axis_min(self.x.low)
            .with_x_axis_max(self.x.high)
            .with_y_axis_min(self.y.low)
            .with_y_axis_max(self.y.high);
        if let Some(step) = self.x.step() {
            layout = layout.with_x_tick_step(step);
        }
        if self.x.scale == Scale::Logarithmic {
            layout = layout.with_log_x();
        }
        if self.y.scale == Scale::Logarithmic {
            layout = layout.with_log_y();
        }
        svg(render_multiple(plots, layout), ink)
    }
}

impl Drawing for Bars {
    fn svg(&self, ink: Ink) -> String {
        let mut bars = BarPlot::new().with_horizontal(true).with_stacked().with_width(0.7);
        // The first is drawn lowest.
        for (name, parts) in self.bars.iter().rev() {
            let parts = parts.iter().zip(&self.parts);
            let parts = parts.map(|(size, (_, place))| (*size, ink.series(*place)));
            bars = bars.with_group(text(name), parts.collect::<Vec<_>>());
        }
        let labels: Vec<String> = self.parts.iter().map(|(part, _)| label(part)).collect();
        let plots = vec![bars.with_legend(labels.iter().map(String::as_str).collect()).into()];
        let height = BAR * self.bars.len() as f64 + 90.0;
        let layout = layout(&plots, ink, height).with_x_label(text(&self.title));
        svg(render_multiple(plots, layout), ink)
    }
}

fn layout(plots: &[Plot], ink: Ink, height: f64) -> Layout {
    let mut layout = Layout::auto_from_plots(plots)
        .with_width(WIDTH)
        .with_height(height)
        .with_theme(ink.theme())
        .with_label_size(TEXT)
        .with_tick_size(TEXT)
        .with_body_size(TEXT)
        .with_ticks(5)
        .with_legend_position(LegendPosition::OutsideBottomColumns)
        .with_tick_format(TickFormat::Custom(Arc::new(number::short)));
    layout.show_legend &= ink != Ink::Page;
    layout.force_margin_right = Some(RIGHT);
    layout
}

/// The drawing as text, without what refers to a name of it: such names would be those of other
/// drawings too, and nothing lies beyond the axes that would have to be cut off.
fn svg(mut scene: Scene, ink: Ink) -> String {
    let cuts = |it: &Primitive| matches!(it, Primitive::ClipStart { .. } | Primitive::ClipEnd);
    scene.elements.retain(|element| !cuts(element));
    scene.defs.clear();
    if ink == Ink::Page {
        scene.background_color = None;
    }
    let (width, height) = (scene.width, scene.height);
    let text = SvgBackend::new().render_scene(&scene);
    let (head, body) = text.split_once('>').expect("it is one element");
    let rest = head.split_once(" font-family").map_or("", |(_, rest)| rest);
    let namespace = match ink {
        Ink::Page => "",
        Ink::Paper | Ink::Night => r#" xmlns="http://www.w3.org/2000/svg""#,
    };
    format!(r#"<svg{namespace} viewBox="0 0 {width} {height}" font-family{rest}>{body}"#)
}

/// A text as it is: between dollars it would be taken for a formula.
fn text(text: &str) -> String {
    text.replace('$', "\\$")
}

/// A name that is not too long for a legend: its beginning and its end.
fn label(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= LONGEST_LABEL {
        return text(name);
    }
    let (first, last) = (LONGEST_LABEL / 2, letters.len() - (LONGEST_LABEL - 1) / 2);
    let part = |letters: &[char]| letters.iter().collect::<String>();
    text(&format!("{}…{}", part(&letters[..first]), part(&letters[last..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</text><script>alert(1)</script> & \"$x^2$\" '";

    fn chart() -> Chart {
        let points = vec![(1.0, -1.0), (2.0, f64::NAN), (3.0, 2.0), (9.0, 1.0), (4.0, -1e300)];
        let mut line = Series::new(HOSTILE, 0, Mark::Steps, points.clone());
        line.band = vec![(-2.0, 0.0); 5];
        let cloud = Series::new("each", 1, Mark::Cloud, points.clone());
        let dots = Series::new("dots", 2, Mark::Dotted, points.clone());
        let rest = [Mark::Line, Mark::Points].map(|mark| Series::new("", 9, mark, points.clone()));
        let series = [line, cloud, dots].into_iter().chain(rest).collect();
        let (x, y) = (Axis::between(HOSTILE, 0.0, 5.0), Axis::linear("fitness", [-1.0, 2.0]));
        Chart { x, y, series }
    }

    fn bars() -> Bars {
        let bars = vec![(HOSTILE.to_owned(), vec![1.0, 2.0]), ("swap".to_owned(), vec![0.0, 0.0])];
        Bars {
            title: HOSTILE.to_owned(),
            parts: vec![(HOSTILE.to_owned(), 0), ("b".to_owned(), 6)],
            bars,
        }
    }

    #[test]
    fn whatever_a_name_holds_is_text_and_stays_as_it_is() {
        for drawing in [&chart() as &dyn Drawing, &bars()] {
            for svg in [Ink::Page, Ink::Paper].map(|ink| drawing.svg(ink)) {
                assert!(!svg.contains("<script"), "{svg}");
                assert!(svg.contains("&lt;script&gt;alert(1)") && svg.contains("$x^2$"), "{svg}");
            }
        }
    }

    #[test]
    fn a_page_has_variables_for_colours_and_nothing_that_refers_elsewhere() {
        for svg in [chart().svg(Ink::Page), bars().svg(Ink::Page)] {
            for part in ["url(", "http", "xmlns", "id=", "style"] {
                assert!(!svg.contains(part), "{part} is in {svg}");
            }
            let attributes = svg.split(['"', '=']);
            let colours: Vec<&str> =
                attributes.filter(|it| it.starts_with('#') || it.starts_with("rgb")).collect();
            assert!(colours.is_empty(), "{colours:?} in {svg}");
        }
        let paper = chart().svg(Ink::Paper);
        assert!(paper.starts_with("<svg xmlns=") && !paper.contains("var("), "{paper}");
    }

    #[test]
    fn text_can_be_read_where_a_drawing_is_narrow_and_all_of_it_lies_within() {
        for svg in [chart().svg(Ink::Page), bars().svg(Ink::Page)] {
            let sizes = svg.split("font-size=\"").skip(1).map(|it| it.split('"').next());
            for size in sizes {
                let size: f64 = size.and_then(|it| it.parse().ok()).expect("a number");
                assert!(size * 376.0 / WIDTH >= 11.0, "{size}");
            }
        }
    }

    #[test]
    fn long_names_are_cut_in_their_middle() {
        let cut = label(&format!("begin{}end", "x".repeat(100)));
        assert!(cut.starts_with("beginx") && cut.ends_with("xend"), "{cut}");
        assert_eq!(cut.chars().count(), LONGEST_LABEL);
        assert_eq!(label("short"), "short");
    }
}
