//! The parameters of a request.

use super::duration;
use super::status::Status;
use crate::model::{FieldCondition, ObjectField, Selector};
use std::borrow::Cow;
use std::num::IntErrorKind;
use std::time::Duration;

/// The longest a request may take, also when the caller allows more.
const LONGEST: Duration = Duration::from_secs(60);

/// Parameters in the order they came.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads the part behind the question mark, where `+` is a space.
    pub(super) fn parse(text: &'a str) -> Self {
        Query(form_urlencoded::parse(text.as_bytes()).collect())
    }

    /// The first value of a parameter; later ones are ignored, as Go does.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_ref())
    }

    /// A label selector; one that is absent matches everything.
    pub(super) fn selector(&self, name: &str) -> Result<Selector, Status> {
        let text = self.first(name).unwrap_or_default();
        text.parse()
            .map_err(|error: crate::model::ParseSelectorError| Status::bad_request(error.to_string()))
    }

    /// Refuses numbers that Kubernetes refuses, though nothing depends on them here.
    pub(super) fn check_numbers(&self) -> Result<(), Status> {
        for name in ["limit", "timeoutSeconds"] {
            self.first(name).map_or(Ok(()), check_integer)?;
        }
        Ok(())
    }

    /// The field selector, unless it cannot be read or asks for another object than the path names.
    ///
    /// Source: apiserver, `pkg/endpoints/handlers/get.go`, `ListResource`; apimachinery, `pkg/fields/selector.go`.
    pub(super) fn fields(&self, name: Option<&str>) -> Result<Vec<FieldCondition>, Status> {
        let text = self.first("fieldSelector").unwrap_or_default();
        let terms = text.split(',').filter(|term| !term.is_empty());
        let conditions = terms.map(field_condition).collect::<Result<Vec<_>, _>>()?;
        let exact = |condition: &&FieldCondition| condition.field == ObjectField::Name && condition.equal;
        let fits = |name| {
            conditions
                .iter()
                .find(exact)
                .is_some_and(|condition| condition.value == name)
        };
        match name {
            Some(name) if !conditions.is_empty() && !fits(name) => Err(Status::bad_request(
                "fieldSelector metadata.name doesn't match requested name",
            )),
            _ => Ok(conditions),
        }
    }

    /// Whether a change feed is asked for.
    ///
    /// Source: apimachinery, `pkg/runtime/conversion.go`, `Convert_Slice_string_To_bool`.
    pub(super) fn watch(&self) -> bool {
        let value = self.first("watch");
        value.is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// How long the answer may take; zero asks for the maximum.
    ///
    /// Source: apiserver, `pkg/endpoints/filters/request_deadline.go`.
    pub(super) fn timeout(&self) -> Result<Duration, Status> {
        let Some(text) = self.first("timeout").filter(|text| !text.is_empty()) else {
            return Ok(LONGEST);
        };
        match duration::parse(text) {
            Ok(Duration::ZERO) => Ok(LONGEST),
            Ok(timeout) => Ok(timeout.min(LONGEST)),
            Err(fault) => Err(Status::bad_request(format!(
                "invalid timeout specified in the request URL - {fault}"
            ))),
        }
    }
}

fn field_condition(text: &str) -> Result<FieldCondition, Status> {
    let (left, value) = text.split_once('=').ok_or_else(|| {
        Status::bad_request(format!("invalid selector: '{text}'; can't understand '{text}'"))
    })?;
    let field = left.strip_suffix('!').unwrap_or(left);
    Ok(FieldCondition {
        field: match field {
            "metadata.name" => ObjectField::Name,
            "metadata.namespace" => ObjectField::Namespace,
            _ => {
                return Err(Status::bad_request(format!(
                    "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )));
            }
        },
        equal: field == left,
        value: value.strip_prefix('=').unwrap_or(value).to_owned(),
    })
}

fn check_integer(text: &str) -> Result<(), Status> {
    let Err(error) = text.parse::<i64>() else {
        return Ok(());
    };
    let fault = match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    };
    Err(Status::bad_request(format!(
        "strconv.ParseInt: parsing {text:?}: {fault}"
    )))
}
