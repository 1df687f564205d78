//! Array libraries: a listing as Python statements on PyTorch, JAX or NumPy arrays.
//!
//! Invariant: a statement computes what the engine computes, in the same order: numbers smaller
//! than a tree are float64, and are rounded to the type of the tensors where they meet a tree. Two
//! forms are written from the same expressions: the *leaf form* handles one tensor at a time, the
//! *list form* all of them, which reductions over the whole tree need. In the list form a name
//! stands for a list, and the name with an underscore after it, which no name of a listing ends in,
//! for one entry of it.
//!
//! A value is *weak* if the library rounds it by itself where it meets a tensor, as it does Python
//! floats; whatever else is smaller than a tree is cast.

mod expressions;
mod foreach;
mod helpers;

use std::collections::BTreeSet;

use evo_dsl::{Op, ShapeRule, Type};

use super::listing::{Argument, Line, Listing};
use expressions::{Atom, Expressions};
pub(super) use helpers::{Helper, texts};

/// A Python library of arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    Torch,
    Jax,
    NumPy,
}

impl Library {
    /// The module that its functions are called in.
    fn module(self) -> &'static str {
        match self {
            Library::Torch => "torch",
            Library::Jax => "jnp",
            Library::NumPy => "np",
        }
    }
}

/// Which tensors a statement handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One at a time.
    Leaf,
    /// All, one after the other.
    List,
    /// All, by functions on lists where there is one.
    Foreach,
}

impl Form {
    /// What follows the name of a value that each tensor has its own of.
    fn suffix(self) -> &'static str {
        if self == Form::Leaf { "" } else { "_" }
    }
}

/// Writes a listing in one library, gathering the helper functions that it comes to need.
pub(super) struct Writer<'a> {
    listing: &'a Listing,
    library: Library,
    weak: Vec<bool>,
    /// The helpers that the statements written so far call.
    pub helpers: BTreeSet<Helper>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(listing: &'a Listing, library: Library) -> Writer<'a> {
        let mut writer = Writer { listing, library, weak: Vec::new(), helpers: BTreeSet::new() };
        for line in &listing.lines {
            let weak = writer.is_weak(line);
            writer.weak.push(weak);
        }
        writer
    }

    /// Whether some op needs all tensors at once, so that only the list forms will do.
    pub(super) fn needs_lists(&self) -> bool {
        self.listing.lines.iter().any(|line| self.reduces_all(line))
    }

    /// Whether some number depends on the shape of a tensor or on all of its elements, so that a
    /// part of it will not do.
    pub(super) fn needs_whole_tensors(&self) -> bool {
        let whole = |line: &Line| match line.op {
            Op::Norm | Op::RowMean | Op::ColumnMean => line.ty != Type::Scalar,
            op => op.newton_schulz().is_some() || matches!(op, Op::Rows | Op::Columns),
        };
        self.needs_lists() || self.listing.lines.iter().any(whole)
    }

    /// The tensor that others are cast to the type of.
    pub(super) fn like(&self) -> &'a str {
        match self.library {
            Library::Torch => &self.listing.weight,
            // The weights may be missing, and what is returned belongs to the gradients.
            Library::Jax | Library::NumPy => &self.listing.gradient,
        }
    }

    /// The statements whose results are numbers, and those on each tensor.
    pub(super) fn leaf_form(&mut self) -> (Vec<String>, Vec<String>) {
        let (mut numbers, mut each) = (Vec::new(), Vec::new());
        for (index, line) in self.listing.lines.iter().enumerate() {
            let (expression, _) = self.expression(index, Form::Leaf);
            let statement = format!("{} = {expression}", line.name);
            if line.ty == Type::Scalar { &mut numbers } else { &mut each }.push(statement);
        }
        (numbers, each)
    }

    /// The statements on all tensors; in [`Form::Foreach`] with the removal of what is as large as
    /// the tensors and not needed any more.
    pub(super) fn list_form(&mut self, form: Form) -> Vec<String> {
        let mut statements = Vec::new();
        for (index, line) in self.listing.lines.iter().enumerate() {
            let value = self.list_expression(index, line, form);
            statements.push(format!("{} = {value}", line.name));
            let done = self.last_read_at(index);
            if !done.is_empty() {
                statements.push(format!("del {}", done.join(", ")));
            }
        }
        statements
    }

    /// A returned value as a tree: its name, or what broadcasts it.
    pub(super) fn output(&mut self, argument: Argument, form: Form) -> String {
        if self.listing.ty(argument) == Type::Tree {
            return self.name(argument);
        }
        let atom = self.atom(argument, form);
        let like = format!("{}{}", self.like(), form.suffix());
        self.helpers.insert(Helper::Broadcast);
        let value = format!("_broadcast({}, {like})", atom.text);
        if form == Form::Leaf {
            return value;
        }
        let own = (self.listing.ty(argument) != Type::Scalar).then(|| self.name(argument));
        comprehension(&value, &own.into_iter().chain([self.like().to_owned()]).collect::<Vec<_>>())
    }

    /// The name of what is read, or the number.
    pub(super) fn name(&self, argument: Argument) -> String {
        let listing = self.listing;
        match argument {
            Argument::Weight => listing.weight.clone(),
            Argument::Gradient => listing.gradient.clone(),
            Argument::State(state) => listing.states[state].name.clone(),
            Argument::LearningRate => "lr".to_owned(),
            Argument::NormalizedRate => "relative_lr".to_owned(),
            Argument::Step => "t".to_owned(),
            Argument::Line(line) => listing.lines[line].name.clone(),
            Argument::Hyperparameter(setting) => listing.hyperparameters[setting].name.clone(),
            // A sign would bind less than what may be written around the number.
            Argument::Constant(value) if value.is_sign_negative() => format!("({value:?})"),
            Argument::Constant(value) => format!("{value:?}"),
        }
    }

    fn list_expression(&mut self, index: usize, line: &Line, form: Form) -> String {
        if line.ty == Type::Scalar && !self.reduces_all(line) {
            return self.expression(index, form).0;
        }
        if form == Form::Foreach
            && let Some(value) = self.foreach(line)
        {
            return value;
        }
        if self.reduces_all(line) {
            return self.reduction(line, form);
        }
        let (value, lists) = self.expression(index, form);
        comprehension(&value, &lists)
    }

    /// The expression of a line, and the lists whose entries it reads.
    fn expression(&mut self, index: usize, form: Form) -> (String, Vec<String>) {
        let line = &self.listing.lines[index];
        let args: Vec<Atom> = line.args.iter().map(|&argument| self.atom(argument, form)).collect();
        let own = line.args.iter().filter(|&&argument| self.listing.ty(argument) != Type::Scalar);
        let mut lists: Vec<String> = own.map(|&argument| self.name(argument)).collect();
        let like = format!("{}{}", self.like(), form.suffix());
        let role = format!("role{}", form.suffix());
        let host = self.weak[index] && self.library != Library::Jax;
        let mut expressions = Expressions {
            library: self.library,
            host,
            ty: line.ty,
            like: &like,
            role: &role,
            guard: self.guard(),
            helpers: &mut self.helpers,
            used_like: false,
            used_role: false,
        };
        let text = expressions.of(line.op, &args);
        if expressions.used_role {
            lists.push("role".to_owned());
        } else if expressions.used_like || lists.is_empty() {
            lists.push(self.like().to_owned());
        }
        (text, lists)
    }

    /// A value that a line reads, as an expression of one tensor.
    fn atom(&self, argument: Argument, form: Form) -> Atom {
        let ty = self.listing.ty(argument);
        let suffix = if ty == Type::Scalar { "" } else { form.suffix() };
        let constant = match argument {
            Argument::Constant(value) => Some(value),
            Argument::Hyperparameter(setting) => Some(self.listing.hyperparameters[setting].value),
            _ => None,
        };
        Atom {
            text: self.name(argument) + suffix,
            ty,
            weak: self.is_weak_value(argument),
            // Below the largest float32 with some room.
            plain: constant.is_some_and(|value| value.abs() < 1e38),
        }
    }

    /// The name of what divisors get added; nothing where there are none.
    fn guard(&self) -> &'a str {
        self.listing.guard.as_deref().unwrap_or_default()
    }

    /// Whether it is a number before any step is taken.
    fn is_setting(&self, argument: Argument) -> bool {
        matches!(argument, Argument::Constant(_) | Argument::Hyperparameter(_))
    }

    fn is_weak_value(&self, argument: Argument) -> bool {
        match argument {
            _ if self.is_setting(argument) => true,
            Argument::LearningRate | Argument::NormalizedRate | Argument::Step => {
                self.library != Library::Jax
            }
            Argument::Line(line) => self.weak[line],
            _ => false,
        }
    }

    /// Whether a line gives a Python float, or what JAX treats as one, given the lines before it.
    fn is_weak(&self, line: &Line) -> bool {
        let small = matches!(line.ty, Type::Scalar | Type::PerLeaf);
        if self.library == Library::NumPy {
            return small;
        }
        // Of its functions of a number, these alone forget that it was a Python float.
        let forgetful = matches!(line.op, Op::BiasCorrect | Op::Log2 | Op::Log10 | Op::Clip)
            || line.op.info().rule == ShapeRule::ReduceAll && line.op != Op::Dot;
        let traced = self.library == Library::Jax && forgetful;
        let of_weak = line.args.iter().all(|&argument| self.is_weak_value(argument));
        small && of_weak && !traced && !self.reduces_all(line)
    }

    /// Whether a line reduces something that tensors have their own of to one number.
    fn reduces_all(&self, line: &Line) -> bool {
        let over_all = line.op.info().rule == ShapeRule::ReduceAll;
        let reduced = if line.op == Op::Clip { &line.args[..1] } else { &line.args[..] };
        (over_all || line.op == Op::Clip)
            && reduced.iter().any(|&argument| self.listing.ty(argument) != Type::Scalar)
    }

    /// A reduction over all tensors, its arguments broadcast to their join.
    fn reduction(&mut self, line: &Line, form: Form) -> String {
        let count = if line.op == Op::Clip { 1 } else { line.args.len() };
        let types = line.args[..count].iter().map(|&argument| self.listing.ty(argument));
        let join = types.reduce(Type::join).expect("a reduction has an argument");
        let args: Vec<String> = line.args[..count]
            .iter()
            .map(|&arg| self.broadcast_list(arg, join, line, form))
            .collect();
        match line.op {
            Op::Dot => self.call(Helper::Dot, &args),
            Op::CosineSim => self.call(Helper::CosineSim, &args),
            Op::GlobalNorm => self.call(Helper::GlobalNorm, &args),
            _ => {
                let limit = self.name(line.args[1]);
                self.call(Helper::Clip, &[args[0].clone(), limit])
            }
        }
    }

    /// A list of an argument's values, each of the type `join`.
    fn broadcast_list(
        &mut self,
        argument: Argument,
        join: Type,
        line: &Line,
        form: Form,
    ) -> String {
        let (ty, name) = (self.listing.ty(argument), self.name(argument));
        let atom = self.atom(argument, form);
        let lone = ty == Type::PerLeaf && atom.weak && self.library == Library::Torch;
        if ty == join && !lone {
            return name;
        }
        // Trees broadcast to the tensors, everything else to the other argument.
        let like = if join == Type::Tree {
            self.like().to_owned()
        } else {
            let other = line.args.iter().find(|&&other| self.listing.ty(other) == join);
            self.name(*other.expect("smaller types have a join that is one of them"))
        };
        let value = match (join, self.library) {
            // One number for each tensor, which may be a Python float, and that has no shape.
            (Type::PerLeaf, Library::Torch) if atom.weak => {
                format!("torch.as_tensor({}, dtype=torch.float64)", atom.text)
            }
            (Type::PerLeaf, _) => atom.text,
            _ => {
                self.helpers.insert(Helper::Broadcast);
                format!("_broadcast({}, {like}_)", atom.text)
            }
        };
        let own = (ty != Type::Scalar).then_some(name);
        comprehension(&value, &own.into_iter().chain([like]).collect::<Vec<_>>())
    }

    fn call(&mut self, helper: Helper, args: &[String]) -> String {
        self.helpers.insert(helper);
        format!("{}({})", helper.name(), args.join(", "))
    }

    /// Names of lines as large as the tensors that are read for the last time at a line.
    fn last_read_at(&self, index: usize) -> Vec<String> {
        let listing = self.listing;
        let returned = |line| {
            let line = Argument::Line(line);
            listing.update == line || listing.states.iter().any(|state| state.next == line)
        };
        let mut done = Vec::new();
        for &argument in &listing.lines[index].args {
            let Argument::Line(read) = argument else { continue };
            let later = listing.lines[index + 1..].iter().any(|line| line.args.contains(&argument));
            let name = &listing.lines[read].name;
            let large = listing.lines[read].ty == Type::Tree;
            if large && !later && !returned(read) && !done.contains(name) {
                done.push(name.clone());
            }
        }
        done
    }
}

/// `[value for a_, b_ in zip(a, b)]`, each list once.
pub(super) fn comprehension(value: &str, lists: &[String]) -> String {
    let mut once: Vec<&String> = Vec::new();
    for list in lists {
        if !once.contains(&list) {
            once.push(list);
        }
    }
    let entries: Vec<String> = once.iter().map(|list| format!("{list}_")).collect();
    let names: Vec<&str> = once.iter().map(|list| list.as_str()).collect();
    match names.as_slice() {
        [only] => format!("[{value} for {only}_ in {only}]"),
        _ => format!("[{value} for {} in zip({})]", entries.join(", "), names.join(", ")),
    }
}

/// Lines of code, each indented by a number of levels.
pub(super) fn indented(lines: &[String], levels: usize) -> String {
    let indent = "    ".repeat(levels);
    let line = |line: &String| {
        if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") }
    };
    lines.iter().map(line).collect()
}
