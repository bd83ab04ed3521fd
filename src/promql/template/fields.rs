//! What a template asks for, found without running it.
//!
//! Running shows only the branches that are taken, and a missing field would print as `<no value>` into the query.

use std::collections::BTreeSet;

use gotmpl::parse::{BranchNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr};

use super::{BODY, REFUSED_FUNCTIONS, TemplateError};

/// The functions that Go predefines.
/// Source: Go, `text/template/funcs.go`, `builtins`.
const FUNCTIONS: [&str; 19] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print",
    "printf", "println", "slice", "urlquery",
];

/// A field of the data.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Whether further names may follow: `.LabelValuesByName.pod`.
    pub(super) has_keys: bool,
}

/// The first function that Go does not know either.
pub(super) fn unknown_function(template: &gotmpl::Template) -> Option<TemplateError> {
    let names = names_called(template);
    let unknown = names
        .into_iter()
        .find(|(name, _)| !FUNCTIONS.contains(&name.as_str()));
    unknown.map(|(name, at)| {
        TemplateError::new(format!("function `{name}` not defined"))
            .at(at.line)
            .with_hint(format!("the functions are {}", quoted(supported_functions())))
    })
}

/// Everything the template asks for that is not there.
pub(super) fn unsupported(template: &gotmpl::Template, fields: &[Field]) -> Vec<TemplateError> {
    let refused = names_called(template).into_iter();
    let refused = refused.filter(|(name, _)| REFUSED_FUNCTIONS.contains(&name.as_str()));
    let mut faults: Vec<TemplateError> = refused
        .map(|(name, at)| TemplateError::new(format!("function `{name}` is not supported")).at(at.line))
        .collect();
    let mut search = Search {
        template,
        fields,
        seen: BTreeSet::new(),
        faults: Vec::new(),
    };
    search.template(BODY, Dot::Data);
    faults.append(&mut search.faults);
    faults
}

/// Every text in quotes and every second name, among them the keys that the template looks up.
pub(super) fn keys(template: &gotmpl::Template) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    each_operand_of_all(template, &mut |operand| match operand {
        Expr::String(_, text) => {
            keys.insert(text.to_string());
        }
        Expr::Field(_, path) | Expr::Variable(_, _, path) if path.len() > 1 => {
            keys.insert(path[1].to_string());
        }
        _ => {}
    });
    keys
}

fn supported_functions() -> impl Iterator<Item = String> {
    let supported = FUNCTIONS.iter().filter(|name| !REFUSED_FUNCTIONS.contains(name));
    supported.map(|name| (*name).to_owned())
}

fn quoted(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn names_called(template: &gotmpl::Template) -> Vec<(SmolStr, Pos)> {
    let mut names = Vec::new();
    each_operand_of_all(template, &mut |operand| {
        if let Expr::Identifier(at, name) = operand {
            names.push((name.clone(), *at));
        }
    });
    names
}

/// Calls `see` for every operand in the body and in what `define` adds.
fn each_operand_of_all(template: &gotmpl::Template, see: &mut impl FnMut(&Expr)) {
    for name in template.templates() {
        for node in template.lookup(name).iter().flat_map(|list| &list.nodes) {
            each_pipe(node, &mut |pipe| each_operand(pipe, see));
        }
    }
}

/// Calls `see` for every pipeline in the node and in its branches.
fn each_pipe<'n>(node: &'n Node, see: &mut impl FnMut(&'n PipeNode)) {
    match node {
        Node::Action(action) => see(&action.pipe),
        Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
            see(&branch.pipe);
            let bodies = [Some(&branch.body), branch.else_body.as_ref()];
            let nodes = bodies.into_iter().flatten().flat_map(|list| &list.nodes);
            nodes.for_each(|node| each_pipe(node, see));
        }
        Node::List(list) => list.nodes.iter().for_each(|node| each_pipe(node, see)),
        Node::Template(call) => call.pipe.iter().for_each(see),
        Node::Text(_) | Node::Define(_) | Node::Break(_) | Node::Continue(_) => {}
    }
}

/// Calls `see` for every operand of the pipeline, also within parentheses.
fn each_operand<'n>(pipe: &'n PipeNode, see: &mut impl FnMut(&'n Expr)) {
    for operand in pipe.commands.iter().flat_map(|command| &command.args) {
        see(operand);
        each_inner_operand(operand, see);
    }
}

fn each_inner_operand<'n>(operand: &'n Expr, see: &mut impl FnMut(&'n Expr)) {
    match operand {
        Expr::Pipe(_, pipe) => each_operand(pipe, see),
        Expr::Chain(_, inner, _) => {
            see(inner);
            each_inner_operand(inner, see);
        }
        _ => {}
    }
}

/// What `.` stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dot {
    /// The data as a whole.
    Data,
    /// Something in it, or anything else.
    Other,
}

/// A walk through the template and the templates it calls, with what `.` and `$` are at each place.
struct Search<'t> {
    template: &'t gotmpl::Template,
    fields: &'t [Field],
    seen: BTreeSet<(String, Dot)>,
    faults: Vec<TemplateError>,
}

/// `.` and `$` at a place.
#[derive(Clone, Copy)]
struct Context {
    dot: Dot,
    root: Dot,
}

impl Search<'_> {
    fn template(&mut self, name: &str, dot: Dot) {
        if self.seen.insert((name.to_owned(), dot)) {
            let context = Context { dot, root: dot };
            self.list(self.template.lookup(name), context);
        }
    }

    fn list(&mut self, list: Option<&ListNode>, context: Context) {
        for node in list.iter().flat_map(|list| &list.nodes) {
            self.node(node, context);
        }
    }

    fn node(&mut self, node: &Node, context: Context) {
        match node {
            Node::Action(action) => self.pipe(&action.pipe, context),
            Node::If(branch) => self.branch(branch, context, context.dot),
            Node::With(branch) => self.branch(branch, context, dot_of(&branch.pipe, context)),
            Node::Range(branch) => self.branch(branch, context, Dot::Other),
            Node::List(list) => self.list(Some(list), context),
            Node::Template(call) => {
                let dot = call
                    .pipe
                    .as_ref()
                    .map_or(Dot::Other, |pipe| dot_of(pipe, context));
                call.pipe.iter().for_each(|pipe| self.passed_on(pipe, context));
                self.template(&call.name, dot);
            }
            Node::Text(_) | Node::Define(_) | Node::Break(_) | Node::Continue(_) => {}
        }
    }

    fn branch(&mut self, branch: &BranchNode, context: Context, dot: Dot) {
        self.passed_on(&branch.pipe, context);
        self.list(Some(&branch.body), Context { dot, ..context });
        self.list(branch.else_body.as_ref(), context);
    }

    /// A pipeline that may hand on the data as a whole.
    fn passed_on(&mut self, pipe: &PipeNode, context: Context) {
        if dot_of(pipe, context) != Dot::Data {
            self.pipe(pipe, context);
        }
    }

    fn pipe(&mut self, pipe: &PipeNode, context: Context) {
        each_operand(pipe, &mut |operand| self.operand(operand, context));
    }

    fn operand(&mut self, operand: &Expr, context: Context) {
        let (at, path) = match operand {
            Expr::Dot(at) if context.dot == Dot::Data => (at, &[][..]),
            Expr::Field(at, path) if context.dot == Dot::Data => (at, &path[..]),
            Expr::Variable(at, name, path) if name == "$" && context.root == Dot::Data => (at, &path[..]),
            _ => return,
        };
        let fault = match path {
            [] => "the data as a whole cannot be used as a value".to_owned(),
            path if self.has(path) => return,
            path => format!("unknown field `.{}` in the template", path.join(".")),
        };
        let fields = self.fields.iter().map(|field| format!(".{}", field.name));
        let hint = format!("the fields are {}", quoted(fields));
        self.faults
            .push(TemplateError::new(fault).at(at.line).with_hint(hint));
    }

    fn has(&self, path: &[SmolStr]) -> bool {
        let field = self.fields.iter().find(|field| path[0] == field.name);
        field.is_some_and(|field| path.len() == 1 || field.has_keys && path.len() == 2)
    }
}

/// What a pipeline hands on: the data if it is `.` or `$` alone.
fn dot_of(pipe: &PipeNode, context: Context) -> Dot {
    let [command] = pipe.commands.as_slice() else {
        return Dot::Other;
    };
    match command.args.as_slice() {
        [Expr::Dot(_)] => context.dot,
        [Expr::Variable(_, name, path)] if name == "$" && path.is_empty() => context.root,
        _ => Dot::Other,
    }
}
