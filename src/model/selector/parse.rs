//! From text to requirements.
//!
//! The order of the checks decides which error is told, so it follows apimachinery, `pkg/labels/selector.go`.
//! A difference on purpose: there, a NUL byte ends the text and hides what follows; here it is an invalid character.

use super::label::{key_fault, value_fault};
use super::{Operator, Requirement};

/// Requirements in the order they were written.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let mut parser = Parser::new(text);
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            Token::Word(_) | Token::Not => {
                let requirement = parser.requirement();
                requirements
                    .push(requirement.map_err(|fault| format!("unable to parse requirement: {fault}"))?);
            }
            Token::End => return Ok(requirements),
            other => return Err(other.instead_of(", expected: !, identifier, or 'end of string'")),
        }
        match (parser.next(), parser.peek()) {
            (Token::End, _) => return Ok(requirements),
            (Token::Comma, Token::Word(_) | Token::Not) => {}
            (Token::Comma, other) => return Err(other.instead_of(", expected: identifier after ','")),
            (other, _) => return Err(other.instead_of(", expected: ',' or 'end of string'")),
        }
    }
}

struct Parser<'a> {
    first: Token<'a>,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        let (first, rest) = Token::split(text);
        Parser { first, rest }
    }

    fn peek(&self) -> Token<'a> {
        self.first
    }

    fn next(&mut self) -> Token<'a> {
        let first = self.first;
        *self = Parser::new(self.rest);
        first
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = self.peek() == Token::Not;
        if negated {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(other.instead_of(", expected: identifier")),
        };
        key_fault(key)?;
        if negated {
            return Ok(requirement(key, Operator::DoesNotExist, Vec::new()));
        }
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok(requirement(key, Operator::Exists, Vec::new()));
        }
        let operator = self.operator()?;
        let mut values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.value()?],
        };
        values.sort_unstable();
        values.dedup();
        check_values(key, operator, &values)?;
        Ok(requirement(key, operator, values))
    }

    fn operator(&mut self) -> Result<Operator, String> {
        match self.next() {
            Token::Word("in") => Ok(Operator::In),
            Token::Word("notin") => Ok(Operator::NotIn),
            Token::Equals => Ok(Operator::Equals),
            Token::DoubleEquals => Ok(Operator::DoubleEquals),
            Token::NotEquals => Ok(Operator::NotEquals),
            Token::Greater => Ok(Operator::GreaterThan),
            Token::Less => Ok(Operator::LessThan),
            other => Err(other.instead_of(", expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    /// The value behind a comparison; nothing there is the empty value.
    fn value(&mut self) -> Result<&'a str, String> {
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok("");
        }
        match self.next() {
            Token::Word(value) => Ok(value),
            other => Err(other.instead_of(", expected: identifier")),
        }
    }

    /// A list in parentheses; nothing before, between or behind commas is the empty value.
    fn values(&mut self) -> Result<Vec<&'a str>, String> {
        match self.next() {
            Token::Open => {}
            other => return Err(other.instead_of(" expected: '('")),
        }
        match self.peek() {
            Token::Word(_) | Token::Comma | Token::Close => {}
            other => return Err(other.instead_of(", expected: ',', ')' or identifier")),
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Token::Word(value) => {
                    self.next();
                    values.push(value);
                }
                Token::Comma | Token::Close => values.push(""),
                other => return Err(other.instead_of(", expected: ',', or identifier")),
            }
            match self.next() {
                Token::Comma => {}
                Token::Close => return Ok(values),
                other => return Err(other.instead_of(", expected: ',' or ')'")),
            }
        }
    }
}

fn requirement(key: &str, operator: Operator, values: Vec<&str>) -> Requirement {
    Requirement {
        key: key.to_owned(),
        operator,
        values: values.into_iter().map(str::to_owned).collect(),
    }
}

/// All faults of the values, as Kubernetes puts several into one text.
fn check_values(key: &str, operator: Operator, values: &[&str]) -> Result<(), String> {
    let mut faults = Vec::new();
    if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
        let not_integer = values.iter().filter(|value| value.parse::<i64>().is_err());
        faults.extend(not_integer.map(|value| {
            format!(
                "values[0]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer"
            )
        }));
    }
    let invalid = values.iter().enumerate();
    faults.extend(invalid.filter_map(|(position, value)| {
        let fault = value_fault(value)?;
        Some(format!(
            "values[{position}][{key}]: Invalid value: {value:?}: {fault}"
        ))
    }));
    match faults.as_slice() {
        [] => Ok(()),
        [fault] => Err(fault.clone()),
        several => Err(format!("[{}]", several.join(", "))),
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    End,
    Comma,
    Open,
    Close,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
    /// A key, a value, `in` or `notin`.
    Word(&'a str),
}

impl<'a> Token<'a> {
    /// The first token and what follows it.
    fn split(text: &'a str) -> (Token<'a>, &'a str) {
        let text = text.trim_start_matches(is_space);
        let (token, bytes) = match text.as_bytes() {
            [] => (Token::End, 0),
            [b'=', b'=', ..] => (Token::DoubleEquals, 2),
            [b'!', b'=', ..] => (Token::NotEquals, 2),
            [b'=', ..] => (Token::Equals, 1),
            [b'!', ..] => (Token::Not, 1),
            [b'>', ..] => (Token::Greater, 1),
            [b'<', ..] => (Token::Less, 1),
            [b'(', ..] => (Token::Open, 1),
            [b')', ..] => (Token::Close, 1),
            [b',', ..] => (Token::Comma, 1),
            _ => {
                let end = text.find(|c| is_space(c) || "=!><(),".contains(c));
                let end = end.unwrap_or(text.len());
                (Token::Word(&text[..end]), end)
            }
        };
        (token, &text[bytes..])
    }

    /// `found '=', expected: identifier`.
    fn instead_of(self, expected: &str) -> String {
        let found = match self {
            Token::End => "",
            Token::Comma => ",",
            Token::Open => "(",
            Token::Close => ")",
            Token::Not => "!",
            Token::Equals => "=",
            Token::DoubleEquals => "==",
            Token::NotEquals => "!=",
            Token::Greater => ">",
            Token::Less => "<",
            Token::Word(word) => word,
        };
        format!("found '{found}'{expected}")
    }
}
