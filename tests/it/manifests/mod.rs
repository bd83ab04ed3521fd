//! The manifests: what they render to, what the adapter makes of it, and that they allow no more than is used.

mod alerts;
pub(crate) mod helm;
pub(crate) mod rendered;
mod rights;
mod settings;
