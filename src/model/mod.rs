//! Values that modules exchange: plain data, no input or output, nothing serializable.

mod access;
mod diagnostic;
mod labels;
mod map;
mod metric;
mod object_names;
mod quantity;
mod resource;
mod sample;
mod selector;
mod time;
mod usage;

pub use access::{Action, FrontProxy, ResourceAction, User};
pub use diagnostic::{Diagnostic, Place, chain};
pub use labels::{GrowingSets, Labels, TooMuch, pack};
pub use map::{QuickMap, QuickState};
pub use metric::{
    CustomRequest, ExternalRequest, ExternalValue, MetricValue, ObjectChoice, ObjectReference, ObjectValue,
};
pub use object_names::ObjectNames;
pub use quantity::{Binary, ParseQuantityError, Quantity};
pub use resource::{GroupResource, Resource, Resources, Scope};
pub use sample::Sample;
pub use selector::{Operator, ParseSelectorError, Requirement, Selector};
pub use time::{Timestamp, age};
pub use usage::{Amounts, Consumer, FieldCondition, ObjectField, ObjectUsage, Usage, UsageRequest, Used};
