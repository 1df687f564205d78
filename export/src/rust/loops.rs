//! The loops of an exported function: what is done to each element.
//!
//! Invariant: the outputs of a step are taken in the last loop, and what is another state's or the
//! weights' old value is read before anything of the element is written.

use evo_dsl::Op;

use super::body::Body;
use super::expression::{Term, Width};
use super::stages::{is_computed_in_loop, sums_trees};
use crate::listing::{Argument, Line};

impl Body<'_> {
    /// What a stage's loop adds to or fills.
    pub(super) fn declare(&mut self, index: usize, line: &Line, stage: usize) {
        let zeros = |name: String, number: &str, count: String| {
            format!("let mut {name} = vec![0.0_{number}; {count}];")
        };
        let (name, elements) = (line.name.clone(), format!("{}.len()", self.listing.weight));
        if self.stages.kept[index] && self.stages.at[index] == stage {
            self.push(zeros(self.kept(line), "f32", elements.clone()));
        }
        if self.stages.read[index] != Some(stage) {
            return;
        }
        let [a, b] = self.squares(line);
        match line.op {
            op if op.newton_schulz().is_some() => {
                self.push(zeros(self.kept(line), "f32", elements));
            }
            Op::Norm => self.push(zeros(name, "f64", format!("{}.len()", self.words.shapes))),
            Op::RowMean | Op::ColumnMean => {
                let (_, leaf_of) = self.index(line.ty);
                self.push(zeros(name, "f64", format!("{leaf_of}.len()")));
            }
            Op::Clip => self.push(format!("let mut {a} = 0.0_f64;")),
            Op::CosineSim => {
                self.push(format!(
                    "let (mut {name}, mut {a}, mut {b}) = (0.0_f64, 0.0_f64, 0.0_f64);"
                ));
            }
            _ => self.push(format!("let mut {name} = 0.0_f64;")),
        }
    }

    /// The statements for one element in the loop of a stage.
    fn element_statements(&mut self, stage: usize) -> Vec<String> {
        let mut out = Vec::new();
        let listing = self.listing;
        for (index, line) in listing.lines.iter().enumerate() {
            let name = &line.name;
            if is_computed_in_loop(line) && self.stages.at[index] == stage {
                let value = self.value(line, line.op, Some(stage));
                out.push(format!("let {name}: f32 = {value};"));
                if self.stages.kept[index] {
                    out.push(format!("{}[{}] = {name};", self.kept(line), self.words.element));
                }
            }
            if sums_trees(listing, line) && self.stages.read[index] == Some(stage) {
                self.sum_up(line, stage, &mut out);
            }
        }
        if stage == self.stages.last {
            self.outputs(stage, &mut out);
        }
        out
    }

    fn sum_up(&self, line: &Line, stage: usize, out: &mut Vec<String>) {
        let terms: Vec<Term> = line.args.iter().map(|arg| self.element(*arg, stage)).collect();
        let wide: Vec<String> = terms.iter().map(|term| term.widened(Width::Narrow)).collect();
        let (name, x) = (&line.name, &wide[0]);
        let [a, b] = self.squares(line);
        match line.op {
            op if op.newton_schulz().is_some() => {
                let (kept, element) = (self.kept(line), &self.words.element);
                out.push(format!("{kept}[{element}] = {};", terms[0].plain(Width::Narrow)));
            }
            Op::Norm => out.push(format!("{name}[leaf] += {x} * {x};")),
            Op::RowMean => out.push(format!("{name}[row] += {x};")),
            Op::ColumnMean => out.push(format!("{name}[column] += {x};")),
            Op::GlobalNorm => out.push(format!("{name} += {x} * {x};")),
            Op::Clip => out.push(format!("{a} += {x} * {x};")),
            Op::Dot => out.push(format!("{name} += {x} * {};", wide[1])),
            _ => {
                let y = &wide[1];
                out.push(format!("{name} += {x} * {y};"));
                out.push(format!("{a} += {x} * {x};"));
                out.push(format!("{b} += {y} * {y};"));
            }
        }
    }

    /// The update and the new states, once everything is read.
    fn outputs(&self, stage: usize, out: &mut Vec<String>) {
        let (listing, element) = (self.listing, &self.words.element);
        let mut moved = Vec::new();
        for (index, state) in listing.states.iter().enumerate() {
            let next = self.element(state.next, stage).plain(Width::Narrow);
            let value = match state.next {
                Argument::State(same) if same == index => continue,
                Argument::State(_) | Argument::Weight => {
                    let name = self.words.own(&format!("{}_next", state.name));
                    out.push(format!("let {name} = {next};"));
                    name
                }
                _ => next,
            };
            moved.push(format!("{}[{element}] = {value};", state.name));
        }
        let update = self.element(listing.update, stage).plain(Width::Narrow);
        out.push(format!("{}[{element}] -= {update};", listing.weight));
        out.append(&mut moved);
    }

    /// The loop of a stage, with the indices that its statements read.
    pub(super) fn a_loop(&mut self, stage: usize) {
        let statements = self.element_statements(stage);
        if statements.is_empty() {
            return;
        }
        let reads = |index: &str| {
            let index = format!("[{index}]");
            statements.iter().any(|statement| statement.contains(&index))
        };
        let (element, shapes) = (&self.words.element, &self.words.shapes);
        let (by_leaf, by_row, by_column) = (reads("leaf"), reads("row"), reads("column"));
        let by_element = reads(element);
        let mut lines = Vec::new();
        if !by_leaf && !by_row && !by_column {
            let index = if by_element { element.as_str() } else { "_" };
            lines.push(format!("for {index} in 0..{}.len() {{", self.listing.weight));
            lines.extend(statements.iter().map(|statement| format!("    {statement}")));
            lines.push("}".to_owned());
            self.out.append(&mut lines);
            return;
        }
        let counters = [
            (by_element, element.clone()),
            (by_row, self.first("row")),
            (by_column, self.first("column")),
        ];
        for (_, counter) in counters.iter().filter(|(read, _)| *read) {
            lines.push(format!("let mut {counter} = 0;"));
        }
        lines.push(if by_leaf {
            format!("for (leaf, &(rows, columns)) in {shapes}.iter().enumerate() {{")
        } else {
            format!("for &(rows, columns) in {shapes} {{")
        });
        lines.push(self.range("row", by_row));
        lines.push(format!("    {}", self.range("column", by_column)));
        lines.extend(statements.iter().map(|statement| format!("            {statement}")));
        if by_element {
            lines.push(format!("            {element} += 1;"));
        }
        lines.push("        }".to_owned());
        lines.push("    }".to_owned());
        for (read, index) in [(by_row, "row"), (by_column, "column")] {
            if read {
                lines.push(format!("    {} += {index}s;", self.first(index)));
            }
        }
        lines.push("}".to_owned());
        self.out.append(&mut lines);
    }

    /// The name of the index of a tensor's first row or column.
    fn first(&self, index: &str) -> String {
        self.words.own(&format!("first_{index}"))
    }

    fn range(&self, index: &str, is_read: bool) -> String {
        let first = self.first(index);
        if is_read {
            format!("    for {index} in {first}..{first} + {index}s {{")
        } else {
            format!("    for _ in 0..{index}s {{")
        }
    }
}
