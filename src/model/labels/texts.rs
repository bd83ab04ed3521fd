//! Several texts in one.

use std::hash::{Hash, Hasher};
use std::mem;
use std::sync::Arc;

/// Texts one behind the other, each after its length.
///
/// Answers hold hundred thousands of them: those of many sets are in one allocation, with mostly one byte for a length.
#[derive(Clone, Default)]
pub(super) struct Texts {
    /// These and those of other sets. Behind a thin pointer, since there is one for each set.
    all: Arc<Box<str>>,
    begin: u32,
    end: u32,
}

/// What a digit of a length can hold. Digits are ASCII, the lowest comes first, and all but the highest are raised by
/// this.
const BASE: usize = 64;

impl Texts {
    pub(super) fn iter(&self) -> Iter<'_> {
        Iter(self.as_str())
    }

    /// Bytes of them with their lengths.
    pub(super) fn len(&self) -> usize {
        self.as_str().len()
    }

    fn as_str(&self) -> &str {
        &self.all[self.begin as usize..self.end as usize]
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Texts) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Texts {}

impl Hash for Texts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// More than 4 GiB of texts.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the labels of its series take more than 4 GiB")]
pub struct TooMuch;

/// Texts that become more, set by set.
#[derive(Default)]
pub(super) struct Growing {
    all: String,
    /// Where each set ends that is whole.
    ends: Vec<u32>,
}

impl Growing {
    /// One more text of the set.
    pub(super) fn push(&mut self, text: &str) {
        let mut length = text.len();
        while length >= BASE {
            self.all.push(digit(length % BASE + BASE));
            length /= BASE;
        }
        self.all.push(digit(length));
        self.all.push_str(text);
    }

    /// All texts of another set but the one at a place.
    pub(super) fn push_set(&mut self, texts: &Texts, without: Option<usize>) {
        let all = texts.as_str();
        let Some(place) = without else {
            return self.all.push_str(all);
        };
        let mut rest = texts.iter();
        rest.by_ref().take(place).for_each(drop);
        self.all.push_str(&all[..all.len() - rest.0.len()]);
        rest.next();
        self.all.push_str(rest.0);
    }

    /// The set is whole; what comes then is of the next.
    pub(super) fn end_set(&mut self) -> Result<(), TooMuch> {
        let end = u32::try_from(self.all.len()).map_err(|_| TooMuch)?;
        self.ends.push(end);
        Ok(())
    }

    /// The texts of the set that is not whole yet, which starts anew.
    pub(super) fn take_unfinished(&mut self) -> Vec<Box<str>> {
        let begin = self.ends.last().map_or(0, |end| *end as usize);
        let texts = Iter(&self.all[begin..]).map(Box::from).collect();
        self.all.truncate(begin);
        texts
    }

    /// The texts of each set.
    pub(super) fn finish(self) -> impl Iterator<Item = Texts> {
        let all = Arc::new(self.all.into_boxed_str());
        let mut begin = 0;
        self.ends.into_iter().map(move |end| Texts {
            all: Arc::clone(&all),
            begin: mem::replace(&mut begin, end),
            end,
        })
    }
}

fn digit(number: usize) -> char {
    char::from(number as u8)
}

/// Each text in turn.
pub(super) struct Iter<'a>(&'a str);

impl<'a> Iterator for Iter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (mut length, mut factor, mut digits) = (0, 1, 0);
        for digit in self.0.bytes().map(usize::from) {
            digits += 1;
            length += digit % BASE * factor;
            factor *= BASE;
            if digit < BASE {
                break;
            }
        }
        let (text, rest) = self.0.get(digits..)?.split_at_checked(length)?;
        self.0 = rest;
        (digits > 0).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_of<T: AsRef<str>>(texts: &[T]) -> Texts {
        let mut growing = Growing::default();
        texts.iter().for_each(|text| growing.push(text.as_ref()));
        growing.end_set().unwrap();
        growing.finish().next().unwrap()
    }

    #[test]
    fn texts_of_any_length_and_of_any_characters_come_back() {
        let lengths = [0, 1, 63, 64, 65, 4095, 4096, 300_000];
        let mut texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
        texts.extend(["ä\u{0}😀", "", "@"].map(str::to_owned));
        let all = set_of(&texts);
        assert_eq!(Vec::from_iter(all.iter()), texts);
        let mut growing = Growing::default();
        for place in 0..texts.len() {
            growing.push_set(&all, Some(place));
            growing.end_set().unwrap();
        }
        growing.push_set(&all, None);
        growing.end_set().unwrap();
        let mut sets = growing.finish();
        for place in 0..texts.len() {
            let rest = texts.iter().enumerate().filter(|(other, _)| *other != place);
            let rest: Vec<_> = rest.map(|(_, text)| text).collect();
            assert_eq!(Vec::from_iter(sets.next().unwrap().iter()), rest);
        }
        assert!(sets.next() == Some(all) && sets.next().is_none());
        assert_eq!(Texts::default().iter().next(), None);
    }

    #[test]
    fn set_that_is_not_whole_starts_anew() {
        let mut growing = Growing::default();
        growing.push("a");
        growing.end_set().unwrap();
        growing.push("b");
        growing.push("");
        assert_eq!(growing.take_unfinished(), ["b".into(), "".into()]);
        growing.push("c");
        growing.end_set().unwrap();
        let sets: Vec<Vec<String>> = growing
            .finish()
            .map(|set| set.iter().map(str::to_owned).collect())
            .collect();
        assert_eq!(sets, [["a"], ["c"]]);
    }

    #[test]
    fn short_text_takes_one_byte_more_than_it_has() {
        assert_eq!(set_of(&["web-00000-5c9f7d8b64-00000"]).len(), 27);
    }
}
