//! The body of an exported function: small values, then loops over the elements, in turn.
//!
//! Invariant: as [`Stages`] has it. What is smaller than a tree is float64: a number, or a vector
//! with one for each tensor, row or column of all tensors. `leaf`, `row` and `column` index those
//! wherever they are in scope.

use evo_dsl::{LeafRole, Op, Type};

use super::expression::{Expressions, Term, Width};
use super::stages::{Stages, is_computed_in_loop, joined};
use super::support::Support;
use super::words::Words;
use crate::listing::{Argument, Line, Listing};

/// Writes the statements of a function.
pub(super) struct Body<'a> {
    pub listing: &'a Listing,
    pub words: &'a Words,
    pub stages: Stages,
    pub expressions: Expressions,
    /// Statements, without the function's indent.
    pub out: Vec<String>,
}

impl<'a> Body<'a> {
    pub(super) fn of(listing: &'a Listing, words: &'a Words) -> Body<'a> {
        let (stages, expressions) = (Stages::of(listing), Expressions::default());
        let mut body = Body { listing, words, stages, expressions, out: Vec::new() };
        for stage in 0..=body.stages.last {
            for (index, line) in listing.lines.iter().enumerate() {
                if body.stages.at[index] == stage {
                    body.before_loop(index, line);
                }
            }
            for (index, line) in listing.lines.iter().enumerate() {
                body.declare(index, line, stage);
            }
            body.a_loop(stage);
        }
        body
    }

    pub(super) fn push(&mut self, statement: impl Into<String>) {
        self.out.push(statement.into());
    }

    /// The name of what keeps a tree for later loops.
    pub(super) fn kept(&self, line: &Line) -> String {
        self.words.own(&format!("{}_all", line.name))
    }

    fn factor(&self, line: &Line) -> String {
        self.words.own(&format!("{}_factor", line.name))
    }

    /// The sums of squares of a line's arguments.
    pub(super) fn squares(&self, line: &Line) -> [String; 2] {
        ["a", "b"].map(|which| self.words.own(&format!("{}_square_{which}", line.name)))
    }

    /// What is smaller than a tree, as written where its indices are in scope.
    fn small(&self, argument: Argument) -> Term {
        Term::Place(match argument {
            Argument::LearningRate => "lr".to_owned(),
            Argument::NormalizedRate => self.words.rate.clone(),
            Argument::Step => "t".to_owned(),
            Argument::Hyperparameter(index) => {
                let name = &self.listing.hyperparameters[index].name;
                format!("{}.{name}", self.words.settings)
            }
            Argument::Constant(value) => return Term::Literal(value),
            Argument::Line(index) => {
                let name = &self.listing.lines[index].name;
                match self.listing.lines[index].ty {
                    Type::PerLeaf => format!("{name}[leaf]"),
                    Type::PerRow => format!("{name}[row]"),
                    Type::PerColumn => format!("{name}[column]"),
                    _ => name.clone(),
                }
            }
            _ => unreachable!("trees are written as elements"),
        })
    }

    /// An element of a value in the loop of a stage.
    pub(super) fn element(&self, argument: Argument, stage: usize) -> Term {
        let array = match argument {
            Argument::Weight => self.listing.weight.clone(),
            Argument::Gradient => self.listing.gradient.clone(),
            Argument::State(index) => self.listing.states[index].name.clone(),
            Argument::Line(index) if self.listing.lines[index].ty == Type::Tree => {
                let line = &self.listing.lines[index];
                if is_computed_in_loop(line) && self.stages.at[index] == stage {
                    return Term::Place(line.name.clone());
                }
                self.kept(line)
            }
            _ => {
                return match self.small(argument) {
                    Term::Place(place) => Term::Rounded(place),
                    other => other,
                };
            }
        };
        Term::Place(format!("{array}[{}]", self.words.element))
    }

    /// What a line needs before the loop of its stage, which for all but trees is its value.
    fn before_loop(&mut self, index: usize, line: &Line) {
        match line.op {
            Op::Clip => {
                let [square, _] = self.squares(line);
                if line.ty != Type::Tree {
                    let sum = self.sum(line.args[0], line.args[0], line.ty);
                    self.push(format!("let {square} = {};", alone(&sum, line.ty)));
                }
                let (min, limit) =
                    (self.expressions.call(Support::MinF64), self.small(line.args[1]));
                let (factor, limit) = (self.factor(line), limit.plain(Width::Wide));
                let clipped = format!("{min}(1.0, {limit} / {square}.sqrt())");
                self.push(format!(
                    "let {factor} = if {square} == 0.0 {{ 1.0 }} else {{ {clipped} }};"
                ));
            }
            Op::BiasCorrect => {
                let (factor, beta) = (self.factor(line), self.small(line.args[1]));
                let beta = beta.typed(Width::Wide);
                self.push(format!("let {factor} = 1.0 / (1.0 - {beta}.powf(t));"));
            }
            _ => {}
        }
        if let Some((_, margin)) = line.op.newton_schulz() {
            let function = self.expressions.call(Support::Orthogonalize);
            let steps = self.expressions.call(match line.op {
                Op::Orthogonalize => Support::Muon,
                Op::PolarExpress => Support::PolarExpress,
                _ => Support::PolarFactor,
            });
            let (kept, shapes) = (self.kept(line), &self.words.shapes);
            self.push(format!("{function}(&mut {kept}, {shapes}, &{steps}, {margin:?});"));
        } else if self.stages.read[index].is_some() {
            self.finish_sums(line);
        } else if line.ty != Type::Tree {
            self.small_line(line);
        }
    }

    /// A value smaller than a tree from such values.
    fn small_line(&mut self, line: &Line) {
        let name = &line.name;
        let ty = joined(self.listing, &line.args);
        match line.op {
            Op::Rows | Op::Columns => {
                let pattern = if line.op == Op::Rows { "(count, _)" } else { "(_, count)" };
                let shapes = &self.words.shapes;
                self.push(format!(
                    "let {name}: Vec<f64> = {shapes}.iter().map(|&{pattern}| count as f64).collect();"
                ));
            }
            op if let Some(asked) = LeafRole::asked_by(op) => {
                let (role, roles) = (self.expressions.call(Support::Role), &self.words.roles);
                self.push(format!(
                    "let {name}: Vec<f64> = {roles}.iter()\
                     .map(|&role| f64::from(u8::from(role == {role}::{asked:?}))).collect();"
                ));
            }
            Op::Dot => {
                let sum = self.sum(line.args[0], line.args[1], ty);
                self.push(format!("let {name} = {};", alone(&sum, ty)));
            }
            Op::GlobalNorm => {
                let sum = self.sum(line.args[0], line.args[0], ty);
                self.push(format!("let {name} = {sum}.sqrt();"));
            }
            Op::CosineSim => {
                let [a, b] = [line.args[0], line.args[1]];
                let [ab, aa, bb] = [(a, b), (a, a), (b, b)].map(|(a, b)| self.sum(a, b, ty));
                let [norms, _] = self.squares(line);
                self.push(format!("let {norms} = {aa}.sqrt() * {bb}.sqrt();"));
                self.cosine(name, &norms, &ab);
            }
            Op::Norm | Op::RowMean | Op::ColumnMean if line.ty != ty => {
                self.by_leaf(line, ty);
            }
            Op::RowMean | Op::ColumnMean if ty == Type::Scalar => {
                let value = self.small(line.args[0]).plain(Width::Wide);
                self.push(format!("let {name}: f64 = {value};"));
            }
            Op::RowMean | Op::ColumnMean => {
                let Argument::Line(of) = line.args[0] else {
                    unreachable!("only lines are vectors of small values")
                };
                let of = &self.listing.lines[of].name;
                self.push(format!("let {name} = {of}.clone();"));
            }
            Op::Norm => self.elementwise(line, Op::Abs, ty),
            op => self.elementwise(line, op, line.ty),
        }
    }

    /// One number for each tensor from the rows or columns of each: a norm or a mean.
    fn by_leaf(&mut self, line: &Line, ty: Type) {
        let (name, shapes) = (&line.name, self.words.shapes.clone());
        let x = self.small(line.args[0]).plain(Width::Wide);
        let term = if line.op == Op::Norm { format!("{x} * {x}") } else { x };
        let (index, leaf_of) = self.index(ty);
        self.push(format!("let mut {name} = vec![0.0_f64; {shapes}.len()];"));
        self.push(format!("for ({index}, &leaf) in {leaf_of}.iter().enumerate() {{"));
        self.push(format!("    {name}[leaf] += {term};"));
        self.push("}");
        self.push(match (line.op, ty) {
            (Op::Norm, _) => format!("{name}.iter_mut().for_each(|x| *x = x.sqrt());"),
            (_, Type::PerRow) => {
                format!(
                    "{name}.iter_mut().zip({shapes}).for_each(|(x, shape)| *x /= shape.0 as f64);"
                )
            }
            _ => format!(
                "{name}.iter_mut().zip({shapes}).for_each(|(x, shape)| *x /= shape.1 as f64);"
            ),
        });
    }

    fn elementwise(&mut self, line: &Line, op: Op, ty: Type) {
        let name = &line.name;
        let text = self.value(line, op, None);
        let all = line.args.iter().all(|arg| matches!(arg, Argument::Constant(_)));
        let collected = self.each(ty, &text);
        self.push(match (ty, op.constant()) {
            (Type::Scalar, None) if all => format!("let {name}: f64 = {text};"),
            (Type::Scalar, _) => format!("let {name} = {text};"),
            _ => format!("let {name}: Vec<f64> = {collected}.collect();"),
        });
    }

    /// The expression of an elementwise line; in the loop of a stage, or smaller than a tree.
    pub(super) fn value(&mut self, line: &Line, op: Op, stage: Option<usize>) -> String {
        match op {
            Op::Pi => return "std::f64::consts::PI".to_owned(),
            Op::E => return "std::f64::consts::E".to_owned(),
            Op::Eps => return "1e-8_f64".to_owned(),
            _ => {}
        }
        let mut terms: Vec<Term> = line
            .args
            .iter()
            .map(|arg| stage.map_or_else(|| self.small(*arg), |stage| self.element(*arg, stage)))
            .collect();
        if matches!(op, Op::Clip | Op::BiasCorrect) {
            let factor = self.factor(line);
            terms[1] = if stage.is_some() { Term::Rounded(factor) } else { Term::Place(factor) };
        }
        let width = if stage.is_some() { Width::Narrow } else { Width::Wide };
        self.expressions.of(op, &terms, width)
    }

    /// The index of the values of a small type, and what lists the tensor of each.
    pub(super) fn index(&self, ty: Type) -> (&'static str, String) {
        let index = if ty == Type::PerRow { "row" } else { "column" };
        (index, self.words.own(&format!("leaf_of_{index}")))
    }

    /// An iterator over an expression for each value of a small type.
    fn each(&self, ty: Type, text: &str) -> String {
        let (index, leaf_of) = self.index(ty);
        let (index, count) = match ty {
            Type::PerLeaf => ("leaf", format!("{}.len()", self.words.shapes)),
            _ if text.contains("[leaf]") => {
                let index = if text.contains(&format!("[{index}]")) { index } else { "_" };
                return format!("{leaf_of}.iter().enumerate().map(|({index}, &leaf)| {text})");
            }
            _ => (index, format!("{leaf_of}.len()")),
        };
        let index = if text.contains(&format!("[{index}]")) { index } else { "_" };
        format!("(0..{count}).map(|{index}| {text})")
    }

    /// The sum of products of two values smaller than a tree, broadcast to a type.
    fn sum(&self, a: Argument, b: Argument, ty: Type) -> String {
        let [a, b] = [a, b].map(|argument| self.small(argument).typed(Width::Wide));
        match ty {
            Type::Scalar => format!("({a} * {b})"),
            ty => format!("{}.sum::<f64>()", self.each(ty, &format!("{a} * {b}"))),
        }
    }

    /// A cosine from the product of two norms and the sum of products.
    fn cosine(&mut self, name: &str, norms: &str, dot: &str) {
        self.push(format!("let {name} = if {norms} == 0.0 {{ 0.0 }} else {{ {dot} / {norms} }};"));
    }

    /// What becomes of the sums over trees after their loop.
    fn finish_sums(&mut self, line: &Line) {
        let name = &line.name;
        let [a, b] = self.squares(line);
        match line.op {
            Op::GlobalNorm => self.push(format!("let {name} = {name}.sqrt();")),
            Op::CosineSim => {
                self.push(format!("let {a} = {a}.sqrt() * {b}.sqrt();"));
                self.cosine(name, &a, name);
            }
            Op::Norm => self.push(format!("{name}.iter_mut().for_each(|x| *x = x.sqrt());")),
            Op::RowMean | Op::ColumnMean => {
                let (index, leaf_of) = self.index(line.ty);
                let (shapes, count) = (&self.words.shapes, if index == "row" { 1 } else { 0 });
                let divided = format!("{name}[{index}] /= {shapes}[leaf].{count} as f64;");
                self.push(format!("for ({index}, &leaf) in {leaf_of}.iter().enumerate() {{"));
                self.push(format!("    {divided}"));
                self.push("}");
            }
            _ => {}
        }
    }
}

/// A sum of products as it is written alone, where a product needs no parentheses.
fn alone(sum: &str, ty: Type) -> &str {
    let product = sum.strip_prefix('(').and_then(|sum| sum.strip_suffix(')'));
    product.filter(|_| ty == Type::Scalar).unwrap_or(sum)
}
