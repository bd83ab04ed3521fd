//! The adapter in a real cluster; `tests/run` builds its control plane.

mod access;
mod aggregation;
mod certificates;
mod closed_loop;
mod control_plane;
mod helm;
mod manifests;
mod objects;
