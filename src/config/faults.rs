//! Everything wrong in what the user wrote, collected before anything is refused.

use crate::model::{Diagnostic, Place};

/// Faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Diagnostic>);

impl Faults {
    /// A fault whose message is cure enough.
    pub(crate) fn report(&mut self, place: Place, message: impl Into<String>) {
        self.push(Diagnostic {
            place,
            message: message.into(),
            hint: None,
        });
    }

    /// A fault with its cure.
    pub(crate) fn hinted(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Diagnostic {
            place,
            message: message.into(),
            hint: Some(hint.into()),
        });
    }

    /// A fault made elsewhere.
    pub(crate) fn push(&mut self, fault: Diagnostic) {
        self.0.push(fault);
    }

    /// The value if nothing was wrong, else every fault in the order of the file.
    pub(crate) fn or<T>(mut self, value: Option<T>) -> Result<T, Vec<Diagnostic>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                self.0.sort();
                self.0.dedup();
                Err(self.0)
            }
        }
    }
}

/// The word among `known` that was probably meant.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |word: &str| strsim::damerau_levenshtein(&written.to_lowercase(), &word.to_lowercase());
    known
        .into_iter()
        .map(|word| (distance(word), word))
        .filter(|(distance, word)| *distance <= word.len().max(3) / 3)
        .min()
        .map(|(_, word)| word)
}

/// Words in backticks, separated by commas.
pub(crate) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
