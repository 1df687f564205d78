//! Ops by PyTorch's functions on lists of tensors.
//!
//! Invariant: the numbers are those of the same op on one tensor after the other, in the same
//! order; where the list functions would round otherwise (a number divided by a list), there is
//! none.

use evo_dsl::{Op, Type};

use super::{Helper, Writer};
use crate::listing::{Argument, Line};

impl Writer<'_> {
    /// The expression of a line on whole lists, where all of it is trees and Python floats and
    /// there are functions for it.
    pub(super) fn foreach(&mut self, line: &Line) -> Option<String> {
        let is_number = |argument: Argument| {
            self.listing.ty(argument) == Type::Scalar && self.is_weak_value(argument)
        };
        let is_list = |argument: Argument| self.listing.ty(argument) == Type::Tree;
        // A list of numbers, one for each tensor, is taken in place of a number by these.
        let numbers = |argument: Argument| {
            let takes_lists = matches!(line.op, Op::Mul | Op::Add | Op::Sub | Op::Max | Op::Min);
            is_number(argument)
                || (takes_lists
                    && self.listing.ty(argument) == Type::PerLeaf
                    && self.is_weak_value(argument))
        };
        let fits = line.args.iter().all(|&argument| is_list(argument) || numbers(argument));
        // What the compiler sees as a tensor is taken by few.
        let takes_tensors = matches!(line.op, Op::Mul | Op::Add | Op::Interp | Op::BiasCorrect);
        let is_known = |argument: &Argument| takes_tensors || self.is_setting(*argument);
        let known = line.args.iter().filter(|&&argument| is_number(argument)).all(is_known);
        if !fits || !known || !line.args.iter().any(|&argument| is_list(argument)) {
            return None;
        }
        let names: Vec<String> = line.args.iter().map(|&argument| self.name(argument)).collect();
        let lists: Vec<bool> = line.args.iter().map(|&argument| is_list(argument)).collect();
        match (line.op, names.as_slice()) {
            (Op::Norm, [x]) => Some(format!("torch._foreach_norm({x}, 2, dtype=torch.float64)")),
            (Op::Interp, [x, y, a]) if lists[0] && lists[1] => {
                let (old, new) = (f("mul", &[x, &format!("1 - {a}")]), f("mul", &[y, a]));
                Some(f("add", &[&old, &new]))
            }
            (Op::BiasCorrect, [x, beta]) => {
                self.helpers.insert(Helper::BiasCorrection);
                Some(f("mul", &[x, &format!("_bias_correction({beta}, t)")]))
            }
            (Op::Clamp, [x, low, high]) if lists == [true, false, false] => {
                Some(f("clamp_max", &[&f("clamp_min", &[x, low]), high]))
            }
            (op, [x]) => self.foreach_unary(op, x),
            (Op::Div, [a, b]) if lists == [true, true] => {
                Some(f("div", &[a, &f("add", &[b, self.guard()])]))
            }
            (op, [a, b]) => foreach_binary(op, a, b, (lists[0], lists[1])),
            _ => None,
        }
    }

    fn foreach_unary(&mut self, op: Op, x: &str) -> Option<String> {
        let name = match op {
            Op::Negative => "neg",
            Op::Arcsin => "asin",
            Op::Arccos => "acos",
            Op::Arctan => "atan",
            Op::Abs
            | Op::Cos
            | Op::Sin
            | Op::Tan
            | Op::Sinh
            | Op::Cosh
            | Op::Tanh
            | Op::Exp
            | Op::Expm1
            | Op::Reciprocal => op.info().name,
            Op::Square => return Some(f("mul", &[x, x])),
            Op::Cube => return Some(f("mul", &[&f("mul", &[x, x]), x])),
            Op::Sqrt | Op::Log | Op::Log2 | Op::Log10 => {
                return Some(f(op.info().name, &[&f("abs", &[x])]));
            }
            Op::Sign => {
                self.helpers.insert(Helper::ForeachSign);
                return Some(format!("{}({x})", Helper::ForeachSign.name()));
            }
            _ => return None,
        };
        Some(f(name, &[x]))
    }
}

fn foreach_binary(op: Op, a: &str, b: &str, lists: (bool, bool)) -> Option<String> {
    Some(match (op, lists) {
        (Op::Add, (true, _)) => f("add", &[a, b]),
        (Op::Add, _) => f("add", &[b, a]),
        (Op::Mul, (true, _)) => f("mul", &[a, b]),
        (Op::Mul, _) => f("mul", &[b, a]),
        (Op::Sub, (true, _)) => f("sub", &[a, b]),
        (Op::Sub, _) => f("add", &[&f("neg", &[b]), a]),
        (Op::Max, (true, true)) => f("maximum", &[a, b]),
        (Op::Min, (true, true)) => f("minimum", &[a, b]),
        (Op::Max, (true, _)) => f("clamp_min", &[a, b]),
        (Op::Max, _) => f("clamp_min", &[b, a]),
        (Op::Min, (true, _)) => f("clamp_max", &[a, b]),
        (Op::Min, _) => f("clamp_max", &[b, a]),
        (Op::Power, _) => f("pow", &[a, b]),
        _ => return None,
    })
}

/// A call of a function on lists.
fn f(name: &str, args: &[&str]) -> String {
    format!("torch._foreach_{name}({})", args.join(", "))
}
