//! Who may ask the adapter in a real cluster, and how it is refused.

mod certificates;
mod permissions;
mod scene;
mod tokens;
