//! Canonical printing: two spaces of indent, one infix operator or one call a line.

use std::fmt;

use crate::{Operand, Program, Statement};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.header_text())?;
        for statement in self.statements() {
            writeln!(f, "  {}", self.statement_text(statement))?;
        }
        writeln!(f, "  {}", self.return_text())
    }
}

impl Program {
    /// The first line, `def train(w, g, m, v, lr):` or `def f(x, y):`.
    pub fn header_text(&self) -> String {
        let count =
            u16::try_from(self.signature().parameters().len()).expect("at most 10 parameters");
        let names: Vec<_> = (0..count).map(|index| self.name(crate::Variable(index))).collect();
        format!("def {}({}):", self.signature().function_name(), names.join(", "))
    }

    /// A statement as it is printed, without indent.
    pub fn statement_text(&self, statement: &Statement) -> String {
        let args: Vec<String> =
            statement.args().iter().map(|arg| self.operand_text(*arg)).collect();
        let target = self.name(statement.target);
        match statement.op.infix() {
            Some(symbol) => format!("{target} = {} {symbol} {}", args[0], args[1]),
            None => format!("{target} = {}({})", statement.op.info().name, args.join(", ")),
        }
    }

    /// The last line, without indent.
    pub fn return_text(&self) -> String {
        let mut names: Vec<_> = self.outputs().iter().map(|&output| self.name(output)).collect();
        if let Some(readout) = self.readout().and_then(|_| names.pop()) {
            names[0] = format!("({}, {readout})", names[0]).into();
        }
        format!("return {}", names.join(", "))
    }

    fn operand_text(&self, operand: Operand) -> String {
        match operand {
            Operand::Variable(variable) => self.name(variable).into_owned(),
            // The shortest text that reads back as the same float64.
            Operand::Constant(value) => format!("{value:?}"),
        }
    }
}
