//! Maps that every request looks something up in.

use std::collections::HashMap;

/// How keys are hashed: in a fraction of the time that the standard library's hasher takes, and seeded anew in each map.
///
/// That is less of a shield against keys that are made to collide, so it is for maps that are bounded or hold what the
/// cluster says.
pub type QuickState = foldhash::quality::RandomState;

/// A map with that state.
pub type QuickMap<K, V> = HashMap<K, V, QuickState>;
