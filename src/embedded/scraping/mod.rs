//! Asking targets for their samples, over and over.

mod target;

pub use target::Target;
