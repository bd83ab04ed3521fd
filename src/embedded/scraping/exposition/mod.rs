//! What a target exposes, read in pieces: the text format of Prometheus, and that of OpenMetrics.
//!
//! Each sample is read as its line says it, as Prometheus 3 does, whatever family it stands in.
//! A page with a line that cannot be read counts for nothing, as there. Some pages are read all the same that
//! Prometheus refuses, where what is wrong changes no sample: blank lines and odd exemplars in OpenMetrics, a type
//! that nobody knows, blanks before a name, a page that does not say what it is.

mod line;
mod number;

pub(super) use line::Exposed;

use line::{Family, Line};

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Times are whole milliseconds.
    Prometheus,
    /// Times are seconds; the page says where it ends.
    OpenMetrics,
}

impl Format {
    /// A page that does not say what it is counts as the text format, as in Prometheus 2.
    pub(super) fn of(content_type: Option<&str>) -> Format {
        let kind = content_type.and_then(|written| written.split(';').next());
        match kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/openmetrics-text")) {
            true => Format::OpenMetrics,
            false => Format::Prometheus,
        }
    }
}

/// Why a page cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the page: {fault}")]
pub(super) struct Malformed {
    line: usize,
    fault: &'static str,
}

/// Reads a page whose bytes come in pieces.
#[derive(Debug)]
pub(super) struct Reader {
    format: Format,
    /// What the last `# TYPE` says of the samples after it.
    family: Family,
    /// A line that has begun.
    begun: Vec<u8>,
    line: usize,
    has_ended: bool,
}

impl Reader {
    pub(super) fn new(format: Format) -> Reader {
        Reader {
            format,
            family: Family::Other,
            begun: Vec::new(),
            line: 0,
            has_ended: false,
        }
    }

    /// Calls `see` with each sample that is complete now.
    pub(super) fn read<E: From<Malformed>>(
        &mut self,
        mut piece: &[u8],
        see: &mut impl FnMut(Exposed<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&piece[..end], &piece[end + 1..]);
            if self.begun.is_empty() {
                self.line(line, see)?;
            } else {
                let mut whole = std::mem::take(&mut self.begun);
                whole.extend_from_slice(line);
                self.line(&whole, see)?;
            }
            piece = rest;
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }

    /// No more comes.
    pub(super) fn finish<E: From<Malformed>>(
        mut self,
        see: &mut impl FnMut(Exposed<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let last = std::mem::take(&mut self.begun);
        if !last.is_empty() {
            self.line(&last, see)?;
        }
        match self.format == Format::OpenMetrics && !self.has_ended {
            true => Err(self.malformed("the page ends without `# EOF`").into()),
            false => Ok(()),
        }
    }

    fn line<E: From<Malformed>>(
        &mut self,
        line: &[u8],
        see: &mut impl FnMut(Exposed<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.line += 1;
        let line = std::str::from_utf8(line).map_err(|_| self.malformed("it is not UTF-8"))?;
        if self.has_ended {
            return Err(self.malformed("the page goes on after `# EOF`").into());
        }
        match line::read(line, self.format).map_err(|fault| self.malformed(fault))? {
            Line::Nothing => {}
            Line::Type(family) => self.family = family,
            Line::End => self.has_ended = true,
            Line::Sample(mut exposed) => {
                exposed.normalize(self.family);
                see(exposed)?;
            }
        }
        Ok(())
    }

    fn malformed(&self, fault: &'static str) -> Malformed {
        Malformed {
            line: self.line,
            fault,
        }
    }
}
