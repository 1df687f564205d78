//! The text of a graph, which reads as what it computes: a layer is a call, its inputs are summed,
//! and the output concatenates what it reads.
//!
//! Invariant: what is printed is read back as the same graph, dead vertices and order of vertices
//! included. Any names do; they are known by their place and printed as `a` to `e`.

use std::fmt;

use thiserror::Error;

use crate::{Graph, GraphOp};

/// Where and why the text of a graph is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{line}:{column}: {message}")]
pub struct GraphError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// The names of the layers in printed texts.
const NAMES: [&str; crate::MOST_LAYERS] = ["a", "b", "c", "d", "e"];

/// The name of the function.
const FUNCTION: &str = "cell";

/// The most characters of a text that an error repeats.
const MOST_SHOWN: usize = 40;

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |vertex: usize| if vertex == 0 { "x" } else { NAMES[vertex - 1] };
        let inputs = |vertex, between| {
            let inputs = (0..vertex).filter(|&from| self.has_edge(from, vertex)).map(name);
            inputs.collect::<Vec<_>>().join(between)
        };
        writeln!(f, "def {FUNCTION}(x):")?;
        for (op, vertex) in self.ops().iter().zip(1..) {
            writeln!(f, "  {} = {op}({})", name(vertex), inputs(vertex, " + "))?;
        }
        writeln!(f, "  return concat({})", inputs(self.output(), ", "))
    }
}

impl Graph {
    /// The graph that a text states; comments and empty lines are skipped.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Graph, GraphError> {
        let mut reader = Reader::default();
        let mut last = 1;
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            let line = Line { text: line.split('#').next().unwrap_or_default(), number };
            if !line.text.trim().is_empty() {
                reader.read(line)?;
            }
            last = number;
        }
        reader.graph(last)
    }

    /// Whether a text is meant as a graph: its first function is a `cell`.
    pub fn is_meant_by(text: &str) -> bool {
        let text = text.trim_start_matches('\u{feff}');
        let header = text.lines().find_map(|line| line.trim_start().strip_prefix("def "));
        header.and_then(|it| it.split('(').next()).is_some_and(|name| name.trim() == FUNCTION)
    }
}

/// A line without its comment.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    number: usize,
}

impl<'a> Line<'a> {
    /// An error at a part of the line.
    fn error(self, at: &str, message: impl Into<String>) -> GraphError {
        // Where the part is none of the line, as an empty one may be, the line itself.
        let offset = (at.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        let before = offset.and_then(|offset| self.text.get(..offset));
        let column = before.map_or(0, |before| before.chars().count()) + 1;
        GraphError { line: self.number, column, message: message.into() }
    }

    fn trimmed(self) -> &'a str {
        self.text.trim()
    }

    /// What stands in the brackets of a call, and its name.
    fn call(self, text: &'a str) -> Result<(&'a str, &'a str), GraphError> {
        let inner = text.strip_suffix(')').and_then(|it| it.split_once('('));
        let (name, inner) = inner.ok_or_else(|| {
            self.error(text, format!("`{}` is no call such as `conv3x3(x)`", shown(text)))
        })?;
        Ok((name.trim(), inner))
    }
}

/// A text, cut where it is long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader<'a> {
    /// The input and the layers, in order; empty before the header.
    names: Vec<&'a str>,
    ops: Vec<GraphOp>,
    inputs: Vec<u8>,
    /// The line of the output.
    end: Option<Line<'a>>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, line: Line<'a>) -> Result<(), GraphError> {
        let text = line.trimmed();
        if self.end.is_some() {
            return Err(line.error(text, "nothing may follow what is returned"));
        }
        if self.names.is_empty() {
            return self.header(line);
        }
        match text.strip_prefix("return").filter(|it| it.starts_with(char::is_whitespace)) {
            Some(result) => self.result(line, result.trim()),
            None => self.layer(line),
        }
    }

    fn header(&mut self, line: Line<'a>) -> Result<(), GraphError> {
        let text = line.trimmed();
        let expected = || line.error(text, format!("a graph begins with `def {FUNCTION}(x):`"));
        let call = text.strip_prefix("def ").and_then(|it| it.trim().strip_suffix(':'));
        let (name, input) = line.call(call.ok_or_else(expected)?.trim())?;
        if name != FUNCTION {
            return Err(expected());
        }
        let input = input.trim();
        check_name(line, input)?;
        self.names.push(input);
        Ok(())
    }

    fn layer(&mut self, line: Line<'a>) -> Result<(), GraphError> {
        let text = line.trimmed();
        let expected = "a layer such as `a = conv3x3(x)`, or `return concat(a)`, is expected";
        let (name, call) = text.split_once('=').ok_or_else(|| line.error(text, expected))?;
        let name = name.trim();
        check_name(line, name)?;
        if self.names.contains(&name) {
            return Err(line.error(name, format!("`{}` is there already", shown(name))));
        }
        let (op, inputs) = line.call(call.trim())?;
        let op = GraphOp::named(op).ok_or_else(|| {
            let names = GraphOp::ALL.map(GraphOp::name).join(", ");
            line.error(op, format!("`{}` is none of {names}", shown(op)))
        })?;
        if self.ops.len() == crate::MOST_LAYERS {
            let message = format!("at most {} layers fit", crate::MOST_LAYERS);
            return Err(line.error(name, message));
        }
        let inputs = self.vertices(line, inputs, '+')?;
        self.names.push(name);
        self.ops.push(op);
        self.inputs.push(inputs);
        Ok(())
    }

    fn result(&mut self, line: Line<'a>, text: &'a str) -> Result<(), GraphError> {
        let (name, inputs) = line.call(text)?;
        if name != "concat" {
            return Err(line.error(name, "what is returned is a `concat(…)`"));
        }
        let inputs = self.vertices(line, inputs, ',')?;
        self.inputs.push(inputs);
        self.end = Some(line);
        Ok(())
    }

    /// The vertices named in a list, as bits.
    fn vertices(&self, line: Line<'a>, list: &'a str, by: char) -> Result<u8, GraphError> {
        if list.trim().is_empty() {
            return Ok(0);
        }
        let mut bits = 0;
        for name in list.split(by) {
            let name = name.trim();
            check_name(line, name)?;
            let place = self.names.iter().position(|it| *it == name);
            let vertex = place.ok_or_else(|| {
                line.error(name, format!("`{}` is not there before this line", shown(name)))
            })?;
            if bits >> vertex & 1 == 1 {
                return Err(line.error(name, format!("`{}` is read twice", shown(name))));
            }
            bits |= 1 << vertex;
        }
        Ok(bits)
    }

    fn graph(self, last: usize) -> Result<Graph, GraphError> {
        let Some(end) = self.end else {
            let message = match self.names.is_empty() {
                true => format!("there is no graph: one begins with `def {FUNCTION}(x):`"),
                false => "`return concat(…)` is missing".to_owned(),
            };
            return Err(GraphError { line: last, column: 1, message });
        };
        let graph = Graph::new(&self.ops, &self.inputs);
        graph.map_err(|fault| end.error(end.trimmed(), fault.to_string()))
    }
}

fn check_name(line: Line<'_>, name: &str) -> Result<(), GraphError> {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if name.is_empty() || !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit())
    {
        let message = format!("`{}` is no name of letters, digits and `_`", shown(name));
        return Err(line.error(name, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use evo_hashes::Seed;
    use rand::RngExt;

    use super::*;
    use crate::{GraphMutation, GraphMutator, graph};

    #[test]
    fn texts_are_read_back() {
        for graph in graph::tests::all(2) {
            assert_eq!(Graph::parse(&graph.to_string()), Ok(graph));
        }
        let mutator = GraphMutator::new(&GraphMutation::default()).expect("the defaults");
        for index in 0..200 {
            let graph = mutator.random(&mut Seed(1).stream("text", index));
            assert_eq!(Graph::parse(&graph.to_string()), Ok(graph));
        }
    }

    #[test]
    fn names_comments_and_spaces_are_free() {
        let text = "\u{feff}# a cell\n\ndef  cell ( image ) :\n\tfirst=conv1x1( image )# one\n \
                    return  concat( first,image )\n\n# end";
        let graph = Graph::parse(text).expect("a graph");
        let printed = "def cell(x):\n  a = conv1x1(x)\n  return concat(x, a)\n";
        assert_eq!(graph.to_string(), printed);
        assert!(Graph::is_meant_by(text) && !Graph::is_meant_by("def f(x):\n  return x\n"));
    }

    #[test]
    fn errors_say_where_and_what() {
        let error = |lines: &str| Graph::parse(lines).expect_err(lines).to_string();
        let of = |body: &str| error(&format!("def cell(x):\n  {body}\n  return concat(x)\n"));
        assert_eq!(of("a = conv5x5(x)"), "2:7: `conv5x5` is none of conv3x3, conv1x1, maxpool3x3");
        assert_eq!(of("a = conv3x3(x + y)"), "2:19: `y` is not there before this line");
        assert_eq!(of("a = conv3x3(x + x)"), "2:19: `x` is read twice");
        assert_eq!(of("a = conv3x3(a)"), "2:15: `a` is not there before this line");
        assert_eq!(of("x = conv3x3(x)"), "2:3: `x` is there already");
        assert_eq!(of("a = conv3x3(x +)"), "2:18: `` is no name of letters, digits and `_`");
        assert!(of("a = conv3x3").starts_with("2:7: `conv3x3` is no call"));
        assert!(of("x").starts_with("2:3: a layer such as"));
        assert!(error("").starts_with("1:1: there is no graph"));
        assert!(error("def f(x):").starts_with("1:1: a graph begins with"));
        assert_eq!(error("def cell(x):\n"), "1:1: `return concat(…)` is missing");
        let unconnected = "def cell(x):\n  a = conv3x3()\n  return concat(a)";
        assert_eq!(error(unconnected), "3:3: no path leads from the input to the output");
        let behind = "def cell(x):\n return concat(x)\n a = conv3x3(x)";
        assert_eq!(error(behind), "3:2: nothing may follow what is returned");
        let layers: Vec<String> = (0..6).map(|it| format!("  l{it} = conv3x3(x)\n")).collect();
        let many = format!("def cell(x):\n{}  return concat(x)\n", layers.concat());
        assert_eq!(error(&many), "7:3: at most 5 layers fit");
        let edges = "def cell(x):\n  a = conv3x3(x)\n  b = conv3x3(x + a)\n  \
                     c = conv3x3(x + a + b)\n  d = conv3x3(x + a + b + c)\n  return concat(d)\n";
        assert_eq!(error(edges), "6:3: 11 edges, and at most 9 fit");
    }

    #[test]
    fn hostile_texts_are_refused_or_read_and_never_more() {
        let base =
            "def cell(x):\n  a = conv3x3(x)\n  b = maxpool3x3(x + a)\n  return concat(a, b)\n";
        let bits = ["", "(", ")", "=", "+", ",", "#", "é", "\u{0}", "def cell(x):", "return", "a"];
        for index in 0..20_000 {
            let rng = &mut Seed(2).stream("hostile", index);
            let mut text: Vec<char> = base.chars().collect();
            for _ in 0..rng.random_range(1..4) {
                let (at, length) = (rng.random_range(0..text.len()), rng.random_range(0..3));
                let end = (at + length).min(text.len());
                text.splice(at..end, bits[rng.random_range(0..bits.len())].chars());
            }
            let text: String = text.into_iter().collect();
            if let Ok(graph) = Graph::parse(&text) {
                assert_eq!(Graph::parse(&graph.to_string()), Ok(graph), "{text}");
            }
        }
        let long = format!("def cell(x):\n  {} = conv3x3(x)\n", "é".repeat(1 << 16));
        assert!(Graph::parse(&long).expect_err("no name").message.len() < 200);
    }
}
