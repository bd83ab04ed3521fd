//! Where log lines go and what they look like.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For a person: time, level, message, `key=value`.
    #[default]
    Text,
    /// For a collector: one JSON object a line.
    Json,
}

/// The least severe lines that are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// What the process did with less than it should have, or could not do.
    Warn,
    /// What happened to the process, and requests that were refused or failed.
    #[default]
    Info,
    /// What it did on the way.
    Debug,
    /// Everything, that of the libraries too.
    Trace,
}

impl Level {
    /// The libraries below us speak of every connection at debug, which hides what the adapter has to say.
    ///
    /// kube's watcher warns at every try, `kubernetes` once for each cause.
    fn filter(self) -> EnvFilter {
        EnvFilter::new(match self {
            Self::Warn => "warn,kube_runtime=error",
            Self::Info => "warn,kube_runtime=error,promql_adapter=info",
            Self::Debug => "info,kube_runtime=error,promql_adapter=debug",
            Self::Trace => "trace",
        })
    }
}

/// Sends all log lines of the process to stderr.
///
/// Does nothing if a log was set up before.
pub fn init(format: Format, level: Level) {
    let colour = std::io::stderr().is_terminal();
    // A log that was set up before is that of a program which embeds us; it keeps its own.
    let _ = subscriber(format, level, colour, std::io::stderr).try_init();
}

fn subscriber<W>(
    format: Format,
    level: Level,
    colour: bool,
    writer: W,
) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        // Otherwise a log that cannot be written is told to stderr with a macro that panics if that is closed.
        .log_internal_errors(false)
        .with_env_filter(level.filter())
        .with_ansi(colour)
        .with_target(false)
        .with_writer(writer);
    match format {
        Format::Text => Box::new(builder.finish()),
        Format::Json => Box::new(builder.json().flatten_event(true).finish()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written for one line at info and one at debug.
    fn written(format: Format, level: Level) -> String {
        let lines = Lines::default();
        let sink = lines.clone();
        tracing::subscriber::with_default(subscriber(format, level, false, move || sink.clone()), || {
            tracing::info!(route = "/apis", code = 200, "GET /apis 200");
            tracing::debug!("on the way");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_line_reads_alone_and_has_its_fields() {
        let text = written(Format::Text, Level::Info);
        assert!(
            text.contains("INFO GET /apis 200 route=\"/apis\" code=200\n"),
            "{text}"
        );
    }

    #[test]
    fn json_line_has_message_and_fields_on_top() {
        let text = written(Format::Json, Level::Info);
        assert!(
            text.contains(r#""message":"GET /apis 200","route":"/apis","code":200"#),
            "{text}"
        );
    }

    #[test]
    fn debug_lines_are_written_only_when_asked_for() {
        assert!(!written(Format::Text, Level::Info).contains("on the way"));
        assert!(written(Format::Text, Level::Debug).contains("on the way"));
    }
}
