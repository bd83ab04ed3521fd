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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The samples of a page that comes in these pieces, and how it ended.
    fn samples<'p>(format: Format, pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<String>, String) {
        let (mut samples, mut reader) = (Vec::new(), Reader::new(format));
        let mut see = |exposed: Exposed<'_>| -> Result<(), Malformed> {
            samples.push(format!("{exposed:?}"));
            Ok(())
        };
        let read = pieces
            .into_iter()
            .try_for_each(|piece| reader.read(piece, &mut see));
        let ended = read.and_then(|()| reader.finish(&mut see));
        (
            samples,
            ended.map_or_else(|fault| fault.to_string(), |()| "whole".to_owned()),
        )
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        let page = b"a 1\n\n# TYPE b gauge\nb{x=\"1\" 2\n";
        assert_eq!(
            samples(Format::Prometheus, [page.as_slice()]).1,
            "line 4 of the page: expected the name of a label or `}`"
        );
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_a_page_is_cut(cuts in prop::collection::vec(0..200_usize, 0..8)) {
            let page = "# TYPE h histogram\nh_bucket{le=\"1\",of=\"\u{2603}\\n\"} 1 5 # {} 1\nh_sum 2\n\n{\"a.b\"} NaN\n# EOF\n";
            let page = page.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % page.len()).collect();
            cuts.extend([0, page.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &page[cut[0]..cut[1]]);
            prop_assert_eq!(samples(Format::OpenMetrics, pieces), samples(Format::OpenMetrics, [page]));
        }

        #[test]
        fn no_page_makes_it_panic(page in "[a{}\"=,\\\\ #0-9.eN\u{2603}\n]{0,60}") {
            samples(Format::Prometheus, [page.as_bytes()]);
            samples(Format::OpenMetrics, [page.as_bytes()]);
        }
    }
}
