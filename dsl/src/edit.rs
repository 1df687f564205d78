//! Edits: a child as the difference from its parent, line by line.
//!
//! Invariant: applying the edit between two programs of one header to the text of the first gives
//! the text of the second. A child has the header of its parent, so the text of a statement
//! does not depend on the program it is in. An edit takes some thirty bytes where the whole text
//! takes five hundred, and says at a glance what a mutation did.

use crate::{Operand, Program, Statement};

/// The edit that turns `parent` into `child`: the statements skipped, the statements removed and,
/// a line each, the statements put in their place.
pub(crate) fn between(parent: &Program, child: &Program) -> String {
    let (old, new) = (parent.statements(), child.statements());
    let equal = |pair: &(&Statement, &Statement)| same(pair.0, pair.1);
    let skipped = old.iter().zip(new).take_while(equal).count();
    let rest = old[skipped..].iter().rev().zip(new[skipped..].iter().rev());
    let kept = rest.take_while(equal).count();
    let mut edit = format!("{skipped} {}", old.len() - skipped - kept);
    for statement in &new[skipped..new.len() - kept] {
        edit.push('\n');
        edit.push_str(&child.statement_text(statement));
    }
    edit
}

/// Equal to the bit: `==` takes 0 for -0.
fn same(a: &Statement, b: &Statement) -> bool {
    let equal = |pair: (&Operand, &Operand)| match pair {
        (Operand::Constant(a), Operand::Constant(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    };
    a.op == b.op && a.target == b.target && a.args().iter().zip(b.args()).all(equal)
}

/// The text of a child, given its parent's; `None` for an edit that does not fit.
pub(crate) fn apply(parent: &str, edit: &str) -> Option<String> {
    let lines: Vec<&str> = parent.lines().collect();
    let [header, statements @ .., output] = &lines[..] else { return None };
    let mut edited = edit.split('\n');
    let (skipped, removed) = edited.next()?.split_once(' ')?;
    let (skipped, removed): (usize, usize) = (skipped.parse().ok()?, removed.parse().ok()?);
    let after = statements.get(skipped.checked_add(removed)?..)?;
    let mut child = format!("{header}\n");
    for line in
        statements.get(..skipped)?.iter().copied().chain(edited).chain(after.iter().copied())
    {
        child += &format!("  {}\n", line.trim());
    }
    Some(child + output + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MutationConfig, Mutator};
    use evo_hashes::Seed;

    #[test]
    fn an_edit_leads_from_parent_to_child() {
        let mutator = Mutator::new(&MutationConfig::default()).expect("the defaults are valid");
        let mut rng = Seed(1).stream("edits", 0);
        let mut parent = crate::zoo::get("adamw").expect("it is in the zoo").program();
        for _ in 0..2_000 {
            let child = mutator.mutate(&parent, &mut rng);
            let edit = between(&parent, &child);
            assert_eq!(apply(&parent.to_string(), &edit), Some(child.to_string()), "{edit}");
            parent = child;
        }
    }

    #[test]
    fn an_edit_that_does_not_fit_is_refused() {
        let parent = "def train(w, g, lr):\n  x = g\n  return x\n";
        for edit in ["", "0", "0 2", "2 0", "a b", "18446744073709551615 1"] {
            assert_eq!(apply(parent, edit), None, "{edit}");
        }
        assert_eq!(apply(parent, "1 0").as_deref(), Some(parent));
        assert_eq!(apply("x", "0 0"), None);
    }
}
