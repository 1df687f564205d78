//! Terms: the operations of a program as an e-graph holds them, and what is known of their values.
//!
//! Invariant: all terms of a class have one type, and what is known of a class holds for each of
//! its terms. Facts only ever grow, so the order in which classes merge does not matter; the one
//! exception, two constants found equal up to rounding, keeps the one with fewer digits.

use egg::{Analysis, DidMerge, EGraph, Id, Language};

use super::fact::{Facts, Slots, facts_of};
use crate::canonical::role_of;
use crate::{Op, Type};

/// An operation on classes, or a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Term {
    /// A parameter, by the rank of its role.
    Input(u16),
    /// A constant, by its bits: zeros of different sign are different.
    Constant(u64),
    /// An op; arguments beyond its arity are class 0.
    Apply(Op, [Id; 3]),
}

/// A term without its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Head {
    Input(u16),
    Constant(u64),
    Apply(Op),
}

impl Term {
    pub(super) fn constant(value: f64) -> Term {
        Term::Constant(value.to_bits())
    }

    /// # Panics
    /// If there are not as many arguments as the op takes.
    pub(super) fn apply(op: Op, args: &[Id]) -> Term {
        let mut all = [Id::from(0); 3];
        all[..op.arity()].copy_from_slice(args);
        Term::Apply(op, all)
    }
}

impl Language for Term {
    type Discriminant = Head;

    fn discriminant(&self) -> Head {
        match *self {
            Term::Input(rank) => Head::Input(rank),
            Term::Constant(bits) => Head::Constant(bits),
            Term::Apply(op, _) => Head::Apply(op),
        }
    }

    fn matches(&self, other: &Term) -> bool {
        self.discriminant() == other.discriminant()
    }

    fn children(&self) -> &[Id] {
        match self {
            Term::Apply(op, args) => &args[..op.arity()],
            _ => &[],
        }
    }

    fn children_mut(&mut self) -> &mut [Id] {
        match self {
            Term::Apply(op, args) => &mut args[..op.arity()],
            _ => &mut [],
        }
    }
}

/// The e-graph of a program.
pub(super) type Graph = EGraph<Term, Slots>;

impl Analysis<Term> for Slots {
    type Data = Facts;

    fn make(graph: &mut Graph, term: &Term, _id: Id) -> Facts {
        match *term {
            Term::Input(rank) => Facts::of_input(role_of(rank), &graph.analysis),
            Term::Constant(bits) => Facts::of_constant(f64::from_bits(bits)),
            Term::Apply(op, args) => {
                // Places beyond the arity hold no class.
                let mut known = [(Id::from(0), Facts::of_constant(0.0)); 3];
                for (known, arg) in known.iter_mut().zip(&args[..op.arity()]) {
                    *known = (graph.find(*arg), graph[*arg].data);
                }
                facts_of(op, &known[..op.arity()])
            }
        }
    }

    fn merge(&mut self, to: &mut Facts, from: Facts) -> DidMerge {
        debug_assert_eq!(to.ty, from.ty, "rules keep types");
        let constant = match (to.constant, from.constant) {
            (Some(a), Some(b)) if digits(b) < digits(a) => Some(b),
            (a, b) => a.or(b),
        };
        let merged = Facts {
            ty: to.ty,
            constant,
            nonnegative: to.nonnegative || from.nonnegative,
            zero: to.zero || from.zero,
        };
        let did = DidMerge(!merged.same(to), !merged.same(&from));
        *to = merged;
        did
    }

    fn modify(graph: &mut Graph, id: Id) {
        let Facts { ty, constant, .. } = graph[id].data;
        if let Some(constant) = constant
            && ty == Type::Scalar
        {
            let leaf = graph.add(Term::constant(constant));
            graph.union(id, leaf);
        }
    }
}

/// How long a constant is in print, and its bits.
pub(super) fn digits(constant: f64) -> (usize, u64) {
    (format!("{constant:?}").len(), constant.to_bits())
}
