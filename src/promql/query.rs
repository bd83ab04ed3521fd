//! A query: its text and, if we can read it, its tree.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use promql_parser::label;
use promql_parser::parser::{BinModifier, Expr, VectorSelector};
use regex::Regex;

use super::matcher::{MatchOp, Matcher};
use super::widen::{NamespaceLabel, Narrowing};
use super::{METRIC_NAME, is_metric_name, scan, shape, walk, widen};

/// Greatest length of a text that is parsed.
const MAX_LENGTH_BYTES: usize = 64 * 1024;

/// Greatest number of words, signs and strings in a text that is parsed.
///
/// The tree is never deeper than that, and everything that walks it must fit the stack of a thread.
/// The parser's time grows with the square of the number, too.
const MAX_TOKENS: usize = 2000;

/// A PromQL query. What is sent is the text as it was written, unless [`Query::with_matchers`] changed it.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    tree: Tree,
}

#[derive(Clone, Debug)]
enum Tree {
    /// A tree that prints as PromQL of the same meaning.
    Parsed(Box<Expr>),
    /// Not known to our parser: newer functions, MetricsQL. Asked as it stands, never rewritten.
    Opaque,
}

/// Why a text is not a query we can work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Longer than any sensible query.
    #[error("the query is {bytes} bytes long, the limit is {MAX_LENGTH_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Made of more parts than any sensible query.
    #[error("the query is made of {tokens} words, signs and strings, the limit is {MAX_TOKENS}")]
    TooComplex {
        /// How many parts it has.
        tokens: usize,
    },
    /// Not PromQL, or newer than our parser.
    #[error("not a PromQL query: {0}")]
    Syntax(String),
    /// Read, but our printer would change its meaning.
    #[error("the query cannot be rewritten safely: it would be sent as `{printed}`")]
    Unprintable {
        /// What our printer makes of it.
        printed: String,
    },
}

impl Query {
    /// Reads a query that must be PromQL as we know it.
    pub fn parse(text: &str) -> Result<Query, ParseError> {
        let tree = parse_tree(text)?;
        let printed = tree.to_string();
        match parse_tree(&printed) {
            Ok(again) if in_order(&again) == in_order(&tree) => Ok(Query {
                text: text.to_owned(),
                tree: Tree::Parsed(Box::new(tree)),
            }),
            _ => Err(ParseError::Unprintable { printed }),
        }
    }

    /// Reads an operator's query: what our parser does not know is left to the backend.
    pub fn read(text: &str) -> Query {
        Query::parse(text).unwrap_or_else(|_| Query {
            text: text.to_owned(),
            tree: Tree::Opaque,
        })
    }

    /// What is sent to the backend.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether we only know its text.
    pub fn is_opaque(&self) -> bool {
        self.tree().is_none()
    }

    /// The longest range of a selector or subquery in it.
    pub fn window(&self) -> Option<Duration> {
        let mut longest = None;
        walk::each(self.tree()?, &mut |expr| match expr {
            Expr::MatrixSelector(matrix) => longest = longest.max(Some(matrix.range)),
            Expr::Subquery(subquery) => longest = longest.max(Some(subquery.range)),
            _ => {}
        });
        longest
    }

    /// Every selector that it reads samples of, once, as a query of its own without the range.
    pub fn selectors(&self) -> Vec<String> {
        let mut selectors = Vec::new();
        let Some(tree) = self.tree() else {
            return selectors;
        };
        walk::each_selector(tree, &mut |selector| {
            let text = selector.to_string();
            if !selectors.contains(&text) {
                selectors.push(text);
            }
        });
        selectors
    }

    /// The same query about fewer series: every selector in it gets these matchers too.
    ///
    /// An opaque query has no selectors that we know of and stays as it is.
    pub fn with_matchers(&self, matchers: &[Matcher]) -> Query {
        let Some(tree) = self.tree().filter(|_| !matchers.is_empty()) else {
            return self.clone();
        };
        let mut tree = tree.clone();
        walk::each_selector_mut(&mut tree, &mut |selector| add_matchers(selector, matchers));
        Query {
            text: tree.to_string(),
            tree: Tree::Parsed(Box::new(tree)),
        }
    }

    /// The same query about more series: matchers that name this, or something with this in it, are left out.
    pub fn without_matchers_of(&self, name: &str) -> Query {
        let Some(tree) = self.tree() else {
            return self.clone();
        };
        let mut tree = tree.clone();
        walk::each_selector_mut(&mut tree, &mut |selector| leave_out(selector, name));
        Query {
            text: tree.to_string(),
            tree: Tree::Parsed(Box::new(tree)),
        }
    }

    /// The same question about more namespaces and objects at once, whose samples name their namespace.
    ///
    /// `None` where the answer might hold other values than the narrow questions have, and for an opaque query.
    pub fn widened(&self, narrowing: Narrowing<'_>) -> Option<(Query, NamespaceLabel)> {
        let (tree, label) = widen::widened(self.tree()?, narrowing)?;
        let query = Query {
            text: tree.to_string(),
            tree: Tree::Parsed(Box::new(tree)),
        };
        Some((query, label))
    }

    /// Whether this is `blank` with each placeholder replaced by its text inside strings, and in no other way different.
    ///
    /// A name such as `x",tenant="other"}#` can take the place of a matcher that stood behind it, and keep the
    /// shape; here the values that were not pasted are compared too.
    pub fn fills(&self, blank: &Query, fillings: &[(&str, &str)]) -> bool {
        match (self.tree(), blank.tree()) {
            (Some(filled), Some(blank)) => shape::fills(filled, blank, fillings),
            _ => false,
        }
    }

    fn tree(&self) -> Option<&Expr> {
        match &self.tree {
            Tree::Parsed(tree) => Some(tree),
            Tree::Opaque => None,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Parses into a tree that the parser's own printer can print.
pub(super) fn parse_tree(text: &str) -> Result<Expr, ParseError> {
    if text.len() > MAX_LENGTH_BYTES {
        return Err(ParseError::TooLong { bytes: text.len() });
    }
    let tokens = scan::count_tokens(text);
    if tokens > MAX_TOKENS {
        return Err(ParseError::TooComplex { tokens });
    }
    let mut tree = promql_parser::parser::parse(&scan::in_double_quotes(text)).map_err(ParseError::Syntax)?;
    walk::each_mut(&mut tree, &mut |expr| {
        drop_empty_lists(expr);
        if let Some(selector) = walk::selector_mut(expr) {
            quote_name(selector);
        }
    });
    Ok(tree)
}

/// The tree with the matchers of each selector in one order, to compare it.
fn in_order(tree: &Expr) -> Expr {
    let mut tree = tree.clone();
    walk::each_mut(&mut tree, &mut |expr| {
        if let Some(selector) = walk::selector_mut(expr) {
            for group in matcher_groups(selector) {
                group.sort_by_cached_key(label::Matcher::to_string);
            }
        }
    });
    tree
}

/// Writes `by ()` and `ignoring ()` as what they mean, nothing; the printer leaves them out.
fn drop_empty_lists(expr: &mut Expr) {
    match expr {
        Expr::Aggregate(aggregate) => {
            aggregate
                .modifier
                .take_if(|list| list.is_include() && list.labels().is_empty());
        }
        Expr::Binary(binary) => {
            if let Some(modifier) = &mut binary.modifier
                && modifier.card.labels().is_none()
            {
                let matching = &mut modifier.matching;
                matching.take_if(|list| !list.is_include() && list.labels().is_empty());
            }
            binary
                .modifier
                .take_if(|modifier| *modifier == BinModifier::default());
        }
        _ => {}
    }
}

/// Moves a name that only stands in quotes into a matcher; the printer would print it without quotes.
fn quote_name(selector: &mut VectorSelector) {
    if let Some(name) = selector.name.take_if(|name| !is_metric_name(name)) {
        let matcher = label::Matcher::new(label::MatchOp::Equal, METRIC_NAME, &name);
        for group in matcher_groups(selector) {
            group.push(matcher.clone());
        }
    }
}

fn add_matchers(selector: &mut VectorSelector, matchers: &[Matcher]) {
    for group in matcher_groups(selector) {
        group.extend(matchers.iter().map(to_parser));
    }
}

fn leave_out(selector: &mut VectorSelector, name: &str) {
    let has_name = selector.name.is_some();
    for group in matcher_groups(selector) {
        group.retain(|matcher| !matcher.value.contains(name));
        // A selector of everything must say so.
        if group.is_empty() && !has_name {
            group.push(label::Matcher::new(label::MatchOp::NotEqual, METRIC_NAME, ""));
        }
    }
}

/// The lists of matchers of a selector: one, or several that `or` joins.
pub(super) fn matcher_groups(selector: &mut VectorSelector) -> Vec<&mut Vec<label::Matcher>> {
    let matchers = &mut selector.matchers;
    match matchers.or_matchers.is_empty() {
        true => vec![&mut matchers.matchers],
        false => matchers.or_matchers.iter_mut().collect(),
    }
}

/// Our matcher as the parser has it, without compiling its pattern: it is only printed, and a pattern of some
/// thousand names takes longer to compile than the whole request.
pub(super) fn to_parser(matcher: &Matcher) -> label::Matcher {
    static UNUSED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("").expect("the empty pattern is a regular expression"));
    let op = match matcher.op() {
        MatchOp::Equal => label::MatchOp::Equal,
        MatchOp::NotEqual => label::MatchOp::NotEqual,
        MatchOp::Regex => label::MatchOp::Re(UNUSED.clone()),
        MatchOp::NotRegex => label::MatchOp::NotRe(UNUSED.clone()),
    };
    label::Matcher::new(op, matcher.label(), matcher.value())
}
