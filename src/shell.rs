//! Words as a shell has to be given them, so that every printed command can be run as it stands.

use std::path::Path;

/// A word of a command.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=:,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A path as an argument of a command, which must not be taken for an option.
pub fn shell_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    shell_word(&if text.starts_with('-') { format!("./{text}").into() } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        let words = ["runs/a-1", "", "a b", "it's", "tasks[0].data=x", "$HOME", "~"];
        let quoted =
            ["runs/a-1", "''", "'a b'", "'it'\\''s'", "'tasks[0].data=x'", "'$HOME'", "'~'"];
        assert_eq!(words.map(shell_word), quoted);
        assert_eq!(shell_path("-run".as_ref()), "./-run");
        assert_eq!(shell_path("my run".as_ref()), "'my run'");
    }
}
