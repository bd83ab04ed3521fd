//! Settings of a backend of our own, which scrapes for itself.

use std::time::Duration;

/// How an embedded backend scrapes, and how much of it it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedSettings {
    /// From one scrape of a target to the next; not nothing. Default 5 s.
    pub scrape_interval: Duration,
    /// Deadline of one scrape, from asking for the connection to the last byte; never more than the interval.
    /// Default 3 s.
    pub scrape_timeout: Duration,
    /// Scrapes under way at once. Default 200.
    pub max_concurrent_scrapes: usize,
    /// Samples that one scrape may bring, those that no rule reads among them; a target with more counts as down.
    /// Default 50,000.
    pub max_samples_per_scrape: usize,
    /// Largest answer of a target in bytes after decompression; a target with more counts as down. Default 16 MiB.
    pub max_scrape_bytes: usize,
    /// Bytes that the samples of all targets may take in memory. Default 256 MiB.
    pub memory_limit_bytes: usize,
}

impl Default for EmbeddedSettings {
    fn default() -> Self {
        EmbeddedSettings {
            scrape_interval: Duration::from_secs(5),
            scrape_timeout: Duration::from_secs(3),
            max_concurrent_scrapes: 200,
            max_samples_per_scrape: 50_000,
            max_scrape_bytes: 16 << 20,
            memory_limit_bytes: 256 << 20,
        }
    }
}
