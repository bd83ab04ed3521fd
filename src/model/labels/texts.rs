//! Several texts in one.

/// Texts one behind the other, each after its length.
///
/// Answers hold hundred thousands of them: there is one allocation for all texts, and mostly one byte for a length.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Texts(Box<str>);

/// What a digit of a length can hold. Digits are ASCII, the lowest comes first, and all but the highest are raised by
/// this.
const BASE: usize = 64;

impl Texts {
    pub(super) fn iter(&self) -> Iter<'_> {
        Iter(&self.0)
    }

    /// Those but the one at a place.
    pub(super) fn without(&self, position: usize) -> Texts {
        let mut rest = self.iter();
        rest.by_ref().take(position).for_each(drop);
        let front = &self.0[..self.0.len() - rest.0.len()];
        rest.next();
        Texts([front, rest.0].concat().into_boxed_str())
    }

    /// Bytes of them with their lengths.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Texts that become more.
#[derive(Default)]
pub(super) struct Growing(String);

impl Growing {
    pub(super) fn with_capacity(bytes: usize) -> Growing {
        Growing(String::with_capacity(bytes))
    }

    pub(super) fn push(&mut self, text: &str) {
        let mut length = text.len();
        while length >= BASE {
            self.0.push(digit(length % BASE + BASE));
            length /= BASE;
        }
        self.0.push(digit(length));
        self.0.push_str(text);
    }

    pub(super) fn finish(self) -> Texts {
        Texts(self.0.into_boxed_str())
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

    #[test]
    fn texts_of_any_length_and_of_any_characters_come_back() {
        let lengths = [0, 1, 63, 64, 65, 4095, 4096, 300_000];
        let mut texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
        texts.extend(["ä\u{0}😀", "", "@"].map(str::to_owned));
        let mut growing = Growing::default();
        texts.iter().for_each(|text| growing.push(text));
        let all = growing.finish();
        assert_eq!(Vec::from_iter(all.iter()), texts);
        for position in 0..texts.len() {
            let rest = texts.iter().enumerate().filter(|(other, _)| *other != position);
            let rest: Vec<_> = rest.map(|(_, text)| text).collect();
            assert_eq!(Vec::from_iter(all.without(position).iter()), rest);
        }
        assert_eq!(Texts::default().iter().next(), None);
    }

    #[test]
    fn short_text_takes_one_byte_more_than_it_has() {
        let mut growing = Growing::with_capacity(0);
        growing.push("web-00000-5c9f7d8b64-00000");
        assert_eq!(growing.finish().len(), 27);
    }
}
