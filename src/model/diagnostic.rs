//! What is wrong in a user's file, and where.

use std::collections::BTreeMap;
use std::fmt;

/// A place in a file the user wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// Line, counted from 1; `None` where the key does not stand in the file.
    pub line: Option<u64>,
    /// Path of keys: `rules[2].metricsQuery`. Empty for the file as a whole.
    pub key: String,
}

impl Place {
    /// The place of a key below this one; its own line if `lines`, by key, do not have it.
    pub fn below(&self, key: &str, lines: &BTreeMap<String, u64>) -> Place {
        Place {
            file: self.file.clone(),
            line: lines.get(key).copied().or(self.line),
            key: format!("{}.{key}", self.key),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        Ok(())
    }
}

/// An error with all its causes in one line, outermost first.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// One fault: place, what is wrong, and the cure if there is one to name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where it stands.
    pub place: Place,
    /// What is wrong: lower case, no full stop, backticks around what was typed.
    pub message: String,
    /// The cure, printed on a line of its own.
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}
