//! Writing items that have most in common: that is written once.

use super::reply::SERIALIZES;
use crate::model::ObjectValue;

/// What stands for a name or a number in the text of an item.
pub(super) const BLANK: &str = "\0";

/// Writes name and number of each value by the template of the value before, if the two differ in nothing else.
pub(super) fn by_template<'a, Template>(
    values: &'a [ObjectValue],
    template: impl Fn(&'a ObjectValue) -> Template,
    mut write: impl FnMut(&Template, &str, &str),
) {
    let mut number = String::new();
    let mut last: Option<(&ObjectValue, Template)> = None;
    for value in values {
        let known = last.take().filter(|(of, _)| differ_in_name_and_number(of, value));
        let (_, template) = last.insert(known.unwrap_or_else(|| (value, template(value))));
        number.clear();
        value.value.quantity.push_to(&mut number);
        write(template, &value.object.name, &number);
    }
}

fn differ_in_name_and_number(one: &ObjectValue, other: &ObjectValue) -> bool {
    one.object.namespace == other.object.namespace
        && one.object.resource == other.object.resource
        && (one.value.at, one.value.window) == (other.value.at, other.value.window)
}

/// The JSON of an item around the name of its object and its number.
pub(super) struct JsonTemplate {
    before_name: String,
    before_number: String,
    end: String,
}

impl JsonTemplate {
    /// Cuts an item whose name and number are blank.
    ///
    /// Within texts quotes are escaped, what else comes before the name has other keys, and no label has a blank value.
    pub(super) fn of(item: &str) -> JsonTemplate {
        let parts = item.split_once(r#""name":"\u0000""#).and_then(|(begin, rest)| {
            let (middle, end) = rest.split_once(r#""value":"\u0000""#)?;
            Some((begin, middle, end))
        });
        let (begin, middle, end) = parts.expect("an item has a name and a number");
        JsonTemplate {
            before_name: format!(r#"{begin}"name":"#),
            before_number: format!(r#"{middle}"value":""#),
            end: format!("\"{end}"),
        }
    }

    pub(super) fn write(&self, name: &str, number: &str, json: &mut Vec<u8>) {
        json.extend_from_slice(self.before_name.as_bytes());
        serde_json::to_writer(&mut *json, name).expect(SERIALIZES);
        json.extend_from_slice(self.before_number.as_bytes());
        json.extend_from_slice(number.as_bytes());
        json.extend_from_slice(self.end.as_bytes());
    }
}
