//! The arms of an ablation: what each sets besides the configuration they share.
//!
//! Invariant: an arm is its name and a list of overrides, and nothing else tells it from another,
//! so whatever a configuration can say can be an arm. The default ones are rows of a table.

use anyhow::{Context, bail};

/// A way to run the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arm {
    pub(super) name: String,
    /// As `--set` takes them, in order.
    pub(super) sets: Vec<String>,
    /// Whether nobody asked for it by name: then it is left out where the evaluator forbids it.
    pub(super) default: bool,
}

/// The arms of every ablation, the one that others are compared with first.
const DEFAULT: [(&str, &[&str]); 3] = [
    ("off", &["deduplication.level=Off"]),
    ("structural", &["deduplication.level=Structural"]),
    ("functional", &["deduplication.level=Functional"]),
];

impl Arm {
    /// All arms: the default ones unless `only`, those given, and one for each number of bits.
    ///
    /// # Errors
    /// A text without a name, or a name twice.
    pub(super) fn all(given: &[String], mantissa: &[u32], only: bool) -> anyhow::Result<Vec<Arm>> {
        let default = DEFAULT.iter().filter(|_| !only).map(|(name, sets)| Arm {
            name: (*name).to_owned(),
            sets: sets.iter().map(|set| (*set).to_owned()).collect(),
            default: true,
        });
        let mut arms: Vec<Arm> = default.collect();
        for text in given {
            arms.push(Arm::read(text).with_context(|| format!("--arm {text:?}"))?);
        }
        arms.extend(mantissa.iter().map(|bits| Arm {
            name: format!("mantissa {bits}"),
            sets: vec![
                "deduplication.level=Functional".to_owned(),
                format!("hashing.mantissa_bits={bits}"),
            ],
            default: false,
        }));
        for (index, arm) in arms.iter().enumerate() {
            if arms[..index].iter().any(|other| other.name == arm.name) {
                bail!("there are two arms named `{}`", arm.name);
            }
        }
        if arms.is_empty() {
            bail!("--only: there is no arm; name some with --arm or --mantissa");
        }
        Ok(arms)
    }

    fn read(text: &str) -> anyhow::Result<Arm> {
        let (name, sets) = text.split_once(':').unwrap_or((text, ""));
        let name = name.trim();
        if name.is_empty() || name.contains('=') {
            bail!("expected 'NAME: KEY=VALUE; KEY=VALUE'");
        }
        Ok(Arm { name: name.to_owned(), sets: parts(sets), default: false })
    }
}

/// What stands between the semicolons outside of brackets and strings.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0_i32, false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if letter == ';' && depth == 0 && !quoted {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("there is one from the start").push(letter);
        }
    }
    let parts = parts.iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_is_a_name_and_what_stands_between_semicolons() {
        let text = "a b: strategy=OnePlusLambda(lambda: 8); start=\"x;y\" ;; hurdles=()";
        let arms = Arm::all(&[text.to_owned()], &[4], false).expect("they are sound");
        let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
        assert_eq!(names, ["off", "structural", "functional", "a b", "mantissa 4"]);
        let sets = ["strategy=OnePlusLambda(lambda: 8)", "start=\"x;y\"", "hurdles=()"];
        assert_eq!(arms[3].sets, sets);
        assert_eq!(arms[4].sets[1], "hashing.mantissa_bits=4");
        let plain = Arm::all(&["as it is".to_owned()], &[], true).expect("it is sound");
        assert_eq!((plain.len(), plain[0].sets.len()), (1, 0));
    }

    #[test]
    fn an_arm_without_a_name_or_with_that_of_another_is_refused() {
        let error = |given: &str| {
            let error = Arm::all(&[given.to_owned()], &[], false).expect_err("it is refused");
            format!("{error:#}")
        };
        assert!(error(": window=3").contains("NAME: KEY=VALUE"), "{}", error(": window=3"));
        assert!(error("window=3").contains("window=3"));
        assert!(error("off: window=3").contains("two arms named `off`"));
        assert!(Arm::all(&[], &[], true).is_err());
    }
}
