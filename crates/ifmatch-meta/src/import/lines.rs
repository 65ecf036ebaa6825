//! Lines of a reader, none of them longer in memory than it may be.

use std::io::BufRead;

use ifmatch_core::{Error as CoreError, Operation};

use crate::error::{Error, Result};

/// A line that is not empty.
pub(super) enum Line {
    /// Its bytes, without the line break; at most one more than the limit.
    Text(Vec<u8>),
    /// It has so many bytes and was passed over.
    TooLong(usize),
}

/// Reads lines and counts them, from 1.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
    limit: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(reader: R, limit: usize) -> Self {
        Self { reader, number: 0, limit }
    }

    /// The next line that is not empty, with its number.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Line)>> {
        loop {
            self.number += 1;
            let Some(line) = self.read().map_err(|error| self.failed(error))? else {
                return Ok(None);
            };
            match line {
                Line::Text(text) if text.trim_ascii().is_empty() => {}
                line => return Ok(Some((self.number, line))),
            }
        }
    }

    fn read(&mut self) -> std::io::Result<Option<Line>> {
        let mut text = Vec::new();
        let mut size = 0;
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            size += part.len();
            // One byte more than the limit, for a carriage return.
            if size <= self.limit + 1 {
                text.extend_from_slice(part);
            } else {
                text = Vec::new();
            }
            let (used, ended) = (part.len() + usize::from(end.is_some()), chunk.is_empty());
            self.reader.consume(used);
            if end.is_none() && !ended {
                continue;
            }
            if ended && size == 0 {
                return Ok(None);
            }
            if size > self.limit + 1 {
                return Ok(Some(Line::TooLong(size)));
            }
            if text.last() == Some(&b'\r') {
                text.pop();
            }
            return Ok(Some(Line::Text(text)));
        }
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::Core(CoreError::Other {
            operation: Operation::Get,
            subject: format!("line {} of the input", self.number).into(),
            source: std::sync::Arc::new(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, limit: usize) -> Vec<(u64, Result<String, usize>)> {
        // A buffer of 3 bytes, so that lines lie across its ends.
        let mut lines = Lines::new(std::io::BufReader::with_capacity(3, text.as_bytes()), limit);
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            found.push((
                number,
                match line {
                    Line::Text(text) => Ok(String::from_utf8(text).unwrap()),
                    Line::TooLong(size) => Err(size),
                },
            ));
        }
        found
    }

    #[test]
    fn lines_are_numbered_and_long_ones_are_passed_over() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(read("", 9), []);
        assert_eq!(read("\n\n", 9), []);
        assert_eq!(
            read("one\n\ntwo\r\n \nthree", 9),
            [(1, ok("one")), (3, ok("two")), (5, ok("three"))]
        );
        assert_eq!(
            read("12345\n123456\n1234567\n1", 5),
            [(1, ok("12345")), (2, ok("123456")), (3, Err(7)), (4, ok("1"))]
        );
        assert_eq!(read("12345\r\n123456\r\n", 5), [(1, ok("12345")), (2, Err(7))]);
    }
}
