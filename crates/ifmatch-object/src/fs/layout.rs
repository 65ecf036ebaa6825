//! The names of files: which file a key is, and which key a file is.
//!
//! Bytes outside `[a-z0-9._-]` are written `%xx` with lower-case digits, upper
//! case letters too. A name is then lower-case ASCII, so that a disk that folds
//! case or normalises Unicode cannot merge two keys. A key's folders end in
//! `.d`, its file in `.o`, and what is cut from a segment of more than 200
//! encoded bytes in `.c`: no two of them meet, and none is `.ifmatch-store`.

use ifmatch_core::BlobKey;

/// The folder of locks and staging; never a name of a key.
pub(super) const PRIVATE: &str = ".ifmatch-store";
/// Longest part of an encoded segment in one file name.
const CUT: usize = 200;

/// Where a key's object lies below the root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The folders from the root down.
    pub(super) folders: Vec<String>,
    /// The file in the last of them.
    pub(super) name: String,
}

impl Place {
    pub(super) fn of(key: &BlobKey) -> Self {
        let mut folders = Vec::new();
        let mut segments = key.segments();
        let last = segments.next_back().unwrap_or_default();
        for segment in segments {
            push(&mut folders, segment, "d");
        }
        push(&mut folders, last, "o");
        let name = folders.pop().unwrap_or_default();
        Self { folders, name }
    }
}

/// The folders of a folder of keys, from the root down.
pub(super) fn folders_of(folder: &BlobKey) -> Vec<String> {
    let mut folders = Vec::new();
    for segment in folder.segments() {
        push(&mut folders, segment, "d");
    }
    folders
}

fn push(names: &mut Vec<String>, segment: &str, suffix: &str) {
    let encoded = encode(segment);
    let mut rest = encoded.as_str();
    while rest.len() > CUT {
        let (part, more) = rest.split_at(CUT);
        names.push(format!("{part}.c"));
        rest = more;
    }
    names.push(format!("{rest}.{suffix}"));
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')
}

fn encode(segment: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// The segment that is encoded so, and only so.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = encoded.bytes();
    let mut decoded = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        let value = match byte {
            b'%' => match digit(bytes.next()?)? << 4 | digit(bytes.next()?)? {
                value if is_plain(value) => return None,
                value => value,
            },
            byte if is_plain(byte) => byte,
            _ => return None,
        };
        decoded.push(value);
    }
    String::from_utf8(decoded).ok()
}

/// What the name of a file says it is; the text is still encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Name<'a> {
    /// The end of a segment that is a folder.
    Folder(&'a str),
    /// The end of a segment that is an object.
    Object(&'a str),
    /// The beginning of a longer segment.
    Cut(&'a str),
}

impl<'a> Name<'a> {
    /// `None` for a name that is not ours.
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let (stem, suffix) = name.len().checked_sub(2).and_then(|at| name.split_at_checked(at))?;
        match suffix {
            ".c" if stem.len() == CUT => Some(Self::Cut(stem)),
            ".d" if (1..=CUT).contains(&stem.len()) => Some(Self::Folder(stem)),
            ".o" if (1..=CUT).contains(&stem.len()) => Some(Self::Object(stem)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
