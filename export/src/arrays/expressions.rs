//! One op as one Python expression of one tensor's values.
//!
//! Invariant: the order of operations and the guards are the engine's (see `dsl/src/real.rs`), and
//! NaN goes where it goes there: `torch.sign`, for one, is 0 at NaN, so it is not used as it is.

use std::collections::BTreeSet;

use evo_dsl::{LeafRole, Op, Type};

use super::{Helper, Library};

/// A name or a number in an expression.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub text: String,
    pub ty: Type,
    /// Rounded by the library where it meets a tensor.
    pub weak: bool,
    /// A number that float32 can hold, so that PyTorch takes it in place of a tensor.
    pub plain: bool,
}

/// What writes the expression of one line.
pub(super) struct Expressions<'a> {
    pub library: Library,
    /// Whether the result is a Python float.
    pub host: bool,
    /// The type of the result.
    pub ty: Type,
    /// A tensor of the tree.
    pub like: &'a str,
    /// The name of what a divisor gets added.
    pub guard: &'a str,
    pub helpers: &'a mut BTreeSet<Helper>,
    /// What the tensor is in its network.
    pub role: &'a str,
    /// Whether the expression reads `like`, and whether `role`.
    pub used_like: bool,
    pub used_role: bool,
}

impl Expressions<'_> {
    /// The expression of `op` on these arguments.
    pub(super) fn of(&mut self, op: Op, args: &[Atom]) -> String {
        match (op, args) {
            (Op::Rows | Op::Columns, _) => {
                self.used_like = true;
                let helper = if op == Op::Rows { Helper::Rows } else { Helper::Columns };
                self.helper(helper, &[self.like.to_owned()])
            }
            (op, []) if let Some(asked) = LeafRole::asked_by(op) => {
                self.used_role = true;
                format!("float({} == {:?})", self.role, asked.name())
            }
            (_, []) => {
                format!("{:?}", op.constant().expect("the other ops without arguments"))
            }
            (Op::GlobalNorm, [x]) => self.apply("sqrt", &[format!("{x} * {x}", x = x.text)]),
            (Op::Dot, [a, b]) => format!("{} * {}", a.text, b.text),
            (Op::CosineSim, [a, b]) => {
                self.of_one(Helper::CosineSim, "a, b", "[a], [b]", "", [a, b])
            }
            (Op::Clip, [x, limit]) => {
                self.of_one(Helper::Clip, "x, c", "[x], c", "[0]", [x, limit])
            }
            (Op::Norm, [x]) => self.norm(x),
            (Op::RowMean, [x]) => self.mean(x, Type::PerColumn, Helper::RowMean),
            (Op::ColumnMean, [x]) => self.mean(x, Type::PerRow, Helper::ColumnMean),
            (Op::Orthogonalize, [x]) => {
                let x = self.tree(x);
                self.helper(Helper::Orthogonalize, &[x])
            }
            (Op::PolarExpress | Op::PolarFactor, [x]) => {
                let steps =
                    if op == Op::PolarExpress { Helper::PolarExpress } else { Helper::PolarFactor };
                self.helpers.insert(steps);
                let (_, margin) = op.newton_schulz().expect("it has steps");
                let args = [self.tree(x), steps.name().to_owned(), format!("{margin:?}")];
                self.helper(Helper::Orthogonalize, &args)
            }
            (Op::Outer, [r, c]) if (r.ty, c.ty) == (Type::PerRow, Type::PerColumn) => {
                format!("{} * {}", self.cast(r), self.cast(c))
            }
            (Op::Outer, [r, c]) => format!("{} * {}", self.tree(r), self.cast(c)),
            (Op::BiasCorrect, [x, beta]) => self.bias_correct(x, beta),
            (Op::Interp, [x, y, a]) => self.interp(x, y, a),
            (Op::Where, [c, a, b]) => self.choose(c, a, b),
            (Op::Clamp, [x, low, high]) => self.clamp(x, low, high),
            (op, [x]) => self.unary(op, x),
            (op, [a, b]) => self.binary(op, a, b),
            _ => unreachable!("{} on as many arguments", op.info().name),
        }
    }

    /// A function of the library, on Python floats if the result is one.
    fn apply(&mut self, function: &str, args: &[String]) -> String {
        self.apply_path(&format!("{}.{function}", self.library.module()), args)
    }

    fn apply_path(&mut self, path: &str, args: &[String]) -> String {
        let args = args.join(", ");
        match (self.host, self.library) {
            (true, Library::Torch) => {
                self.helpers.insert(Helper::Scalar);
                format!("_scalar({path}, {args})")
            }
            (true, _) => format!("float({path}({args}))"),
            (false, _) => format!("{path}({args})"),
        }
    }

    /// A helper function on tensors, on Python floats if the result is one.
    fn apply_helper(&mut self, helper: Helper, args: &[String]) -> String {
        self.helpers.insert(helper);
        self.apply_path(helper.name(), args)
    }

    fn helper(&mut self, helper: Helper, args: &[String]) -> String {
        self.helpers.insert(helper);
        format!("{}({})", helper.name(), args.join(", "))
    }

    /// A helper that reduces lists, on lists of one number.
    fn of_one(
        &mut self,
        helper: Helper,
        names: &str,
        lists: &str,
        then: &str,
        args: [&Atom; 2],
    ) -> String {
        self.helpers.insert(helper);
        let [a, b] = args.map(|arg| match self.library {
            Library::Torch if !self.host && arg.weak => {
                format!("torch.as_tensor({}, dtype=torch.float64)", arg.text)
            }
            _ => arg.text.clone(),
        });
        if self.host && self.library == Library::Torch {
            let function = format!("lambda {names}: {}({lists}){then}", helper.name());
            return self.apply_path(&function, &[a, b]);
        }
        let lists =
            if helper == Helper::Clip { format!("[{a}], {b}") } else { format!("[{a}], [{b}]") };
        let value = format!("{}({lists}){then}", helper.name());
        if self.host { format!("float({value})") } else { value }
    }

    /// An argument as it meets the others: what is no tree and not weak is cast to a tree's type.
    fn cast(&mut self, x: &Atom) -> String {
        if self.ty != Type::Tree || x.ty == Type::Tree || x.weak {
            return x.text.clone();
        }
        self.used_like = true;
        match self.library {
            Library::Torch => format!("{}.to({})", x.text, self.like),
            Library::Jax | Library::NumPy => format!("{}.astype({}.dtype)", x.text, self.like),
        }
    }

    /// An argument as a whole tree.
    fn tree(&mut self, x: &Atom) -> String {
        if x.ty == Type::Tree {
            return x.text.clone();
        }
        self.used_like = true;
        self.helper(Helper::Broadcast, &[x.text.clone(), self.like.to_owned()])
    }

    /// An argument as a tensor, where the library wants one: like another argument that is one.
    fn tensor(&mut self, x: &Atom, other: &Atom) -> String {
        if !x.weak || self.library != Library::Torch {
            return self.cast(x);
        }
        let like = self.cast(other);
        self.helper(Helper::Broadcast, &[x.text.clone(), like])
    }

    fn unary(&mut self, op: Op, x: &Atom) -> String {
        let x = x.text.clone();
        let torch = self.library == Library::Torch;
        match op {
            Op::Abs if self.host => format!("abs({x})"),
            Op::Negative => format!("-{x}"),
            Op::Square if self.host => format!("{x} * {x}"),
            Op::Cube => format!("{x} * {x} * {x}"),
            Op::Sqrt | Op::Log | Op::Log2 | Op::Log10 => {
                let magnitude = if self.host {
                    format!("abs({x})")
                } else {
                    format!("{}.abs({x})", self.library.module())
                };
                self.apply(op.info().name, &[magnitude])
            }
            Op::Exp10 => self.apply(self.power(), &["10.0".to_owned(), x]),
            Op::Log1p => self.apply_helper(Helper::Log1p, &[x]),
            Op::Sign if torch => self.apply_helper(Helper::Sign, &[x]),
            Op::Cbrt if torch => self.apply_helper(Helper::Cbrt, &[x]),
            Op::Heaviside if torch => self.apply_helper(Helper::Heaviside, &[x]),
            Op::Heaviside => self.apply("heaviside", &[x, "0.0".to_owned()]),
            op => self.apply(op.info().name, &[x]),
        }
    }

    fn power(&self) -> &'static str {
        if self.library == Library::Torch { "pow" } else { "power" }
    }

    fn binary(&mut self, op: Op, a: &Atom, b: &Atom) -> String {
        let both_weak = a.weak && b.weak;
        match op {
            Op::Add | Op::Sub | Op::Mul => {
                format!("{} {} {}", self.cast(a), op.info().name, self.cast(b))
            }
            // Python refuses to divide by zero.
            Op::Div if both_weak => {
                self.apply("divide", &[a.text.clone(), format!("{} + {}", b.text, self.guard)])
            }
            Op::Div => format!("{} / ({} + {})", self.cast(a), self.cast(b), self.guard),
            Op::Power => {
                let args = [self.cast(a), self.cast(b)];
                self.apply(self.power(), &args)
            }
            Op::Max | Op::Min => self.extreme(op, a, b),
            op => unreachable!("{} has no two arguments", op.info().name),
        }
    }

    fn extreme(&mut self, op: Op, a: &Atom, b: &Atom) -> String {
        let name = if op == Op::Max { "maximum" } else { "minimum" };
        if self.host || self.library != Library::Torch {
            let args = [self.cast(a), self.cast(b)];
            return self.apply(name, &args);
        }
        let bound = if op == Op::Max { "min" } else { "max" };
        match (a.weak && a.plain, b.weak && b.plain) {
            (false, true) => format!("torch.clamp({}, {bound}={})", self.cast(a), b.text),
            (true, false) => format!("torch.clamp({}, {bound}={})", self.cast(b), a.text),
            _ => {
                let args = [self.tensor(a, b), self.tensor(b, a)];
                self.apply(name, &args)
            }
        }
    }

    fn clamp(&mut self, x: &Atom, low: &Atom, high: &Atom) -> String {
        let bounds_are_plain = low.weak && low.plain && high.weak && high.plain;
        if self.library == Library::Torch && bounds_are_plain && !x.weak {
            return format!("torch.clamp({}, {}, {})", self.cast(x), low.text, high.text);
        }
        // The inner result is of the smaller join, so it is written as an expression of that type.
        let (ty, host) = (self.ty, self.host);
        self.ty = x.ty.join(low.ty);
        self.host = self.library != Library::Jax && x.weak && low.weak;
        let inner = self.extreme(Op::Max, x, low);
        let weak = x.weak && low.weak;
        let raised = Atom { text: inner, ty: self.ty, weak, plain: false };
        (self.ty, self.host) = (ty, host);
        self.extreme(Op::Min, &raised, high)
    }

    fn norm(&mut self, x: &Atom) -> String {
        match (x.ty, self.library) {
            (Type::Scalar | Type::PerLeaf, _) => self.unary(Op::Abs, x),
            (_, Library::Torch) => {
                format!("torch.linalg.vector_norm({}, dtype=torch.float64)", x.text)
            }
            _ => self.helper(Helper::Norm, std::slice::from_ref(&x.text)),
        }
    }

    /// The mean along one direction: a helper for trees, the plain mean for what varies only along
    /// it, and everything else as it is.
    fn mean(&mut self, x: &Atom, lost: Type, of_tree: Helper) -> String {
        match x.ty {
            Type::Tree => self.helper(of_tree, std::slice::from_ref(&x.text)),
            ty if ty == lost && self.library == Library::NumPy => {
                format!("float({}.mean())", x.text)
            }
            ty if ty == lost => format!("{}.mean()", x.text),
            _ => x.text.clone(),
        }
    }

    fn bias_correct(&mut self, x: &Atom, beta: &Atom) -> String {
        let text = if beta.weak || self.library != Library::Torch {
            self.helper(Helper::BiasCorrection, &[beta.text.clone(), "t".to_owned()])
        } else {
            format!("torch.reciprocal(1 - torch.pow({}, t))", beta.text)
        };
        let weak = self.library != Library::Jax && beta.weak;
        let factor = Atom { text, ty: Type::Scalar, weak, plain: false };
        format!("{} * {}", self.cast(x), self.cast(&factor))
    }

    fn interp(&mut self, x: &Atom, y: &Atom, a: &Atom) -> String {
        let rest = Atom { text: format!("(1 - {})", a.text), ..a.clone() };
        let [x, y, rest, a] = [x, y, &rest, a].map(|atom| self.cast(atom));
        format!("{rest} * {x} + {a} * {y}")
    }

    fn choose(&mut self, c: &Atom, a: &Atom, b: &Atom) -> String {
        if self.host && self.library == Library::Torch {
            return self.apply_helper(Helper::Where, &[c, a, b].map(|value| value.text.clone()));
        }
        if self.host {
            return format!("{} if {} > 0 else {}", a.text, c.text, b.text);
        }
        let tree = self.ty == Type::Tree;
        // What broadcasts is rounded first, which can make a condition zero.
        let condition = if tree && c.ty != Type::Tree {
            self.tree(c)
        } else if self.library == Library::Torch && c.weak {
            let other = if a.weak { b } else { a };
            self.tensor(c, other)
        } else {
            c.text.clone()
        };
        if self.library != Library::Torch {
            let [a_text, b_text] = [self.cast(a), self.cast(b)];
            let value =
                format!("{}.where({condition} > 0, {a_text}, {b_text})", self.library.module());
            if tree && a.weak && b.weak {
                self.used_like = true;
                return format!("{value}.astype({}.dtype)", self.like);
            }
            return value;
        }
        let [first, second] = [(a, b), (b, a)].map(|(value, other)| match value.weak {
            true if value.plain && !other.weak => value.text.clone(),
            true if tree => self.tree(value),
            true => self.tensor(value, if other.weak { c } else { other }),
            false => self.cast(value),
        });
        format!("torch.where({condition} > 0, {first}, {second})")
    }
}
