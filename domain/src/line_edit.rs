//! Edits of texts, line by line: what a domain has that has no better one.
//!
//! Invariant: applying the edit between two texts to the first gives the second.

/// The edit that turns one text into another: the lines skipped, the lines removed and the lines
/// put in their place, each of those on a line of its own.
pub(crate) fn between(parent: &str, child: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (parent.split('\n').collect(), child.split('\n').collect());
    let skipped = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old[skipped..].iter().rev().zip(new[skipped..].iter().rev());
    let kept = rest.take_while(|(old, new)| old == new).count();
    let mut edit = format!("{skipped} {}", old.len() - skipped - kept);
    for line in &new[skipped..new.len() - kept] {
        edit.push('\n');
        edit.push_str(line);
    }
    edit
}

/// The text that an edit leads to; `None` for an edit that does not fit.
pub(crate) fn apply(parent: &str, edit: &str) -> Option<String> {
    let mut lines = edit.split('\n');
    let (skipped, removed) = lines.next()?.split_once(' ')?;
    let (skipped, removed): (usize, usize) = (skipped.parse().ok()?, removed.parse().ok()?);
    let parent: Vec<&str> = parent.split('\n').collect();
    let after = parent.get(skipped.checked_add(removed)?..)?;
    let mut child = parent.get(..skipped)?.to_vec();
    child.extend(lines);
    child.extend_from_slice(after);
    Some(child.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_leads_from_one_text_to_the_other() {
        let texts = ["", "a", "a\n", "a\nb", "b\na", "a\na\na", "a\na", "a\nb\na\n", "\n\n", "0 1"];
        for parent in texts {
            for child in texts {
                let edit = between(parent, child);
                assert_eq!(apply(parent, &edit).as_deref(), Some(child), "{parent:?} {edit:?}");
            }
        }
    }

    #[test]
    fn an_edit_that_does_not_fit_is_refused() {
        for edit in ["", "0", "0 3", "3 0", "a b", "18446744073709551615 1"] {
            assert_eq!(apply("x\ny", edit), None, "{edit}");
        }
        assert_eq!(apply("x\ny", "2 0").as_deref(), Some("x\ny"));
    }
}
