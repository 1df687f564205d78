//! Rules: what a rewriting rule says, and its form that an e-graph can be searched with.
//!
//! Invariant: a rule is data, its two sides in the language's own text. A rule is applied only
//! where its right side has the very type of its left, which decides what a term means (the `dot`
//! of a filled tree is not that of a scalar) and rules out what does not type-check at all.

use egg::{ENodeOrVar, Id, Pattern, PatternAst, RecExpr, SearchMatches, Searcher, Subst, Var};

use super::term::{Graph, Term};
use crate::text::{Expression, ExpressionKind, expressions};
use crate::{Op, Role, Type, canonical};

/// How far the two sides of a rule agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Agreement {
    /// Every bit, for all inputs, NaN being equal to NaN.
    Bits,
    /// Over the real numbers, so up to rounding, overflow and underflow.
    Rounding,
    /// Within a domain.
    Within,
}

/// A rewriting rule. Variables are single letters, and the letter says what they stand for:
/// `s` and `t` for scalars, `c` and `d` for constants, `p` and `q` for constants above zero, `n`
/// for what is known not to be negative, `o` for what is known to be zero, others for anything.
/// `step` is the step number.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) left: &'static str,
    pub(super) right: &'static str,
    pub(super) agreement: Agreement,
    /// Where the sides differ by more than rounding; empty where they do not.
    pub(super) differs: &'static str,
    /// What else has to hold of the variables.
    pub(super) when: fn(&Bound<'_>) -> bool,
}

impl Rule {
    const fn new(
        [name, left, right]: [&'static str; 3],
        agreement: Agreement,
        differs: &'static str,
    ) -> Rule {
        Rule { name, left, right, agreement, differs, when: |_| true }
    }

    pub(super) const fn bits(name: &'static str, left: &'static str, right: &'static str) -> Rule {
        Rule::new([name, left, right], Agreement::Bits, "")
    }

    pub(super) const fn rounding(
        name: &'static str,
        left: &'static str,
        right: &'static str,
    ) -> Rule {
        Rule::new([name, left, right], Agreement::Rounding, "")
    }

    pub(super) const fn within(
        name: &'static str,
        left: &'static str,
        right: &'static str,
        differs: &'static str,
    ) -> Rule {
        Rule::new([name, left, right], Agreement::Within, differs)
    }

    pub(super) const fn when(self, when: fn(&Bound<'_>) -> bool) -> Rule {
        Rule { when, ..self }
    }
}

/// The classes that the variables of a rule stand for.
pub(super) struct Bound<'a> {
    graph: &'a Graph,
    subst: &'a Subst,
    class: Id,
}

impl Bound<'_> {
    /// The type of what a variable stands for.
    pub(super) fn ty(&self, variable: char) -> Type {
        self.graph[self.subst[Var::from_u32(variable.into())]].data.ty
    }

    /// The number that a constant variable stands for.
    pub(super) fn constant(&self, variable: char) -> f64 {
        let facts = self.graph[self.subst[Var::from_u32(variable.into())]].data;
        facts.constant.expect("the variable stands for constants only")
    }

    /// Whether a variable stands for a constant.
    pub(super) fn is_constant(&self, variable: char) -> bool {
        self.graph[self.subst[Var::from_u32(variable.into())]].data.constant.is_some()
    }

    /// The type of the whole.
    pub(super) fn result(&self) -> Type {
        self.graph[self.class].data.ty
    }

    /// Whether a constant is the same number as another where it meets the type of the whole.
    pub(super) fn same_factor(&self, a: f64, b: f64) -> bool {
        match self.result() {
            Type::Tree => (a as f32).to_bits() == (b as f32).to_bits(),
            _ => a.to_bits() == b.to_bits(),
        }
    }
}

/// A rule in the form that is searched for and applied.
pub(super) struct Compiled {
    pub(super) rule: Rule,
    left: Pattern<Term>,
    right: Vec<ENodeOrVar<Term>>,
    /// Variables that stand for a kind of value only.
    kinds: Vec<(Var, char)>,
}

impl Compiled {
    /// # Panics
    /// If the text of a side does not parse.
    pub(super) fn new(rule: Rule) -> Compiled {
        let text = format!("def train(x):\n  return {}, {}\n", rule.left, rule.right);
        let sides = expressions(&text).expect("a test compiles every rule");
        let [left, right] = [&sides[0], &sides[1]].map(|side| {
            let mut ast = PatternAst::default();
            add(side, &mut ast);
            ast
        });
        let left = Pattern::new(left);
        let letters = left.vars().into_iter();
        let kinds = letters.filter_map(|var| {
            let letter = char::from_u32(var.as_u32()?)?;
            "stcdpqno".contains(letter).then_some((var, letter))
        });
        Compiled { rule, kinds: kinds.collect(), left, right: right.as_ref().to_vec() }
    }

    /// At most `limit` places where the left side is.
    pub(super) fn search(&self, graph: &Graph, limit: usize) -> Vec<SearchMatches<'_, Term>> {
        self.left.search_with_limit(graph, limit)
    }

    /// Makes the right side of a match equal to the left. Gives the right side where that is news.
    pub(super) fn apply(&self, graph: &mut Graph, class: Id, subst: &Subst) -> Option<Id> {
        // What is known to be a constant has its shortest form, and rounding must not blur it.
        if graph[class].data.constant.is_some() || !self.fits(graph, class, subst) {
            return None;
        }
        let mut ids: Vec<Id> = Vec::with_capacity(self.right.len());
        for node in &self.right {
            ids.push(match node {
                ENodeOrVar::Var(var) => subst[*var],
                ENodeOrVar::ENode(term) => {
                    let mut term = *term;
                    egg::Language::update_children(&mut term, |child| ids[usize::from(child)]);
                    graph.add(term)
                }
            });
        }
        let right = *ids.last().expect("a side is not empty");
        graph.union(class, right).then_some(right)
    }

    pub(super) fn fits(&self, graph: &Graph, class: Id, subst: &Subst) -> bool {
        let kind = |(var, letter): &(Var, char)| {
            let facts = graph[subst[*var]].data;
            match letter {
                's' | 't' => facts.ty == Type::Scalar,
                'c' | 'd' => facts.constant.is_some(),
                'p' | 'q' => facts.constant.is_some_and(|constant| constant > 0.0),
                'n' => facts.nonnegative,
                _ => facts.zero,
            }
        };
        self.kinds.iter().all(kind)
            && self.right_type(graph, subst) == Some(graph[class].data.ty)
            && (self.rule.when)(&Bound { graph, subst, class })
    }

    /// The type that the right side would have, `None` where it does not type-check.
    fn right_type(&self, graph: &Graph, subst: &Subst) -> Option<Type> {
        let mut types: [Type; 24] = [Type::Scalar; 24];
        for (index, node) in self.right.iter().enumerate() {
            types[index] = match node {
                ENodeOrVar::Var(var) => graph[subst[*var]].data.ty,
                ENodeOrVar::ENode(Term::Input(rank)) => canonical::role_of(*rank).ty(),
                ENodeOrVar::ENode(Term::Constant(_)) => Type::Scalar,
                ENodeOrVar::ENode(Term::Apply(op, args)) => {
                    let args = args.map(|arg| types[usize::from(arg)]);
                    op.result_type(&args[..op.arity()])?
                }
            };
        }
        Some(types[self.right.len() - 1])
    }
}

/// Adds an expression to a pattern and gives its place there.
fn add(expression: &Expression<'_>, ast: &mut RecExpr<ENodeOrVar<Term>>) -> Id {
    match &expression.kind {
        ExpressionKind::Number(number) => ast.add(ENodeOrVar::ENode(Term::constant(*number))),
        ExpressionKind::Name("step") => {
            ast.add(ENodeOrVar::ENode(Term::Input(canonical::role_rank(Role::Step))))
        }
        ExpressionKind::Name(name) => {
            let letter = name.chars().next().expect("a name has a letter");
            ast.add(ENodeOrVar::Var(Var::from_u32(letter.into())))
        }
        ExpressionKind::Call(op, args) => {
            let args: Vec<Id> = args.iter().map(|arg| add(arg, ast)).collect();
            ast.add(ENodeOrVar::ENode(Term::apply(*op, &args)))
        }
    }
}

/// The rules by which the arguments of commutative ops are exchanged.
pub(super) fn commutations() -> impl Iterator<Item = Rule> {
    const TEXTS: [[&str; 3]; 6] = [
        ["commute", "x + y", "y + x"],
        ["commute", "x * y", "y * x"],
        ["commute", "max(x, y)", "max(y, x)"],
        ["commute", "min(x, y)", "min(y, x)"],
        ["commute", "dot(x, y)", "dot(y, x)"],
        ["commute", "cosine_sim(x, y)", "cosine_sim(y, x)"],
    ];
    debug_assert_eq!(TEXTS.len(), Op::all().filter(|op| op.info().commutative).count());
    TEXTS.into_iter().map(|text| Rule::new(text, Agreement::Bits, ""))
}
