//! The adapter in a real cluster; `tests/run` builds its control plane.

mod aggregation;
mod control_plane;
mod helm;
mod manifests;
