//! A value made of files, made again when one of them changes.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::credentials::Source;
use super::error::Error;
use crate::model::chain;

/// A value made of credentials that may stand in files.
///
/// Asking for it costs one `stat` a file. When a file has changed, the value is made again; if that fails, the
/// last good value stays in force and the log says so once. A projected service account token changes every
/// hour or so, and the kubelet swaps the whole directory, so a watch on the file itself would miss it.
pub(crate) struct Reloading<T> {
    /// What it is, for the log: `bearer token`.
    what: &'static str,
    sources: Vec<Source>,
    make: Make<T>,
    state: Mutex<State<T>>,
}

/// Makes the value from the texts of all sources, in their order.
type Make<T> = Box<dyn Fn(&[String]) -> Result<T, Error> + Send + Sync>;

struct State<T> {
    value: T,
    stamps: Vec<Option<Stamp>>,
    /// Whether the log already says that the files as they are now cannot be used.
    warned: bool,
}

/// What of a file changes when its content does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size_bytes: u64,
}

impl<T: Clone> Reloading<T> {
    /// Makes the value for the first time; here a fault is an error.
    pub(crate) fn new(
        what: &'static str,
        sources: Vec<Source>,
        make: impl Fn(&[String]) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let stamps = stamps(&sources);
        let value = made(&sources, &make)?;
        let state = Mutex::new(State {
            value,
            stamps,
            warned: false,
        });
        Ok(Reloading {
            what,
            sources,
            make: Box::new(make),
            state,
        })
    }

    /// The value as the files say now, or the last good one.
    pub(crate) fn current(&self) -> T {
        // Taken before reading: a file written in between is then seen as changed the next time.
        let stamps = stamps(&self.sources);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps != state.stamps {
            match made(&self.sources, &self.make) {
                Ok(value) => {
                    *state = State {
                        value,
                        stamps,
                        warned: false,
                    };
                    tracing::info!(what = self.what, "{} read again", self.what);
                }
                Err(error) => self.keep(&mut state, &error),
            }
        }
        state.value.clone()
    }

    fn keep(&self, state: &mut State<T>, error: &Error) {
        if !state.warned {
            let cause = chain(error);
            tracing::warn!(what = self.what, "{cause}; the last good one stays in force");
            state.warned = true;
        }
    }
}

/// Reads the sources and makes the value; an error names the files.
fn made<T>(sources: &[Source], make: impl Fn(&[String]) -> Result<T, Error>) -> Result<T, Error> {
    let texts = sources.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    make(&texts).map_err(|error| match error {
        Error::Credentials { what, source } => Error::Credentials {
            what: what + &origin(sources),
            source,
        },
        other => other,
    })
}

fn read(source: &Source) -> Result<String, Error> {
    let what = || format!("file{}", origin(std::slice::from_ref(source)));
    source.read().map_err(|error| Error::credentials(what(), error))
}

/// The files among the sources: `` `tls.crt`, `tls.key` ``, with a space before it.
fn origin(sources: &[Source]) -> String {
    let quoted = |path: &Path| format!(" `{}`", path.display());
    let files: Vec<_> = sources.iter().filter_map(Source::file).map(quoted).collect();
    files.join(",")
}

fn stamps(sources: &[Source]) -> Vec<Option<Stamp>> {
    sources
        .iter()
        .map(|source| source.file().and_then(stamp))
        .collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    let modified = metadata.modified().ok();
    Some(Stamp {
        modified,
        size_bytes: metadata.len(),
    })
}

/// Shows where the value comes from, never the value.
impl<T> fmt::Debug for Reloading<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloading")
            .field("what", &self.what)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(texts: &[String]) -> Result<String, Error> {
        match texts[0].trim() {
            "" => Err(Error::credentials("name", "it is empty")),
            text => Ok(text.to_uppercase()),
        }
    }

    #[test]
    fn changed_file_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("name");
        std::fs::write(&path, "one").unwrap();
        let value = Reloading::new("name", vec![Source::File(path.clone())], upper).unwrap();
        assert_eq!(value.current(), "ONE");
        std::fs::write(&path, "three").unwrap();
        assert_eq!(value.current(), "THREE");
    }

    #[test]
    fn last_good_value_stays_while_the_file_is_gone_or_bad() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("name");
        std::fs::write(&path, "one").unwrap();
        let value = Reloading::new("name", vec![Source::File(path.clone())], upper).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(value.current(), "ONE");
        std::fs::write(&path, "").unwrap();
        assert_eq!(value.current(), "ONE");
        std::fs::write(&path, "three").unwrap();
        assert_eq!(value.current(), "THREE");
    }

    #[test]
    fn unreadable_file_is_an_error_at_first_and_is_named() {
        let error = Reloading::new("name", vec![Source::File("/does/not/exist".into())], upper).unwrap_err();
        assert_eq!(error.to_string(), "file `/does/not/exist` cannot be used");
    }
}
