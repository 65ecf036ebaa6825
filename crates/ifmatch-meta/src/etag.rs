//! Entity tags of documents.

use std::fmt;
use std::str::FromStr;

use ifmatch_core::Env;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The random part of an [`ETag`]: 96 bits, drawn where the document is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 12]);

impl Nonce {
    /// Draws one.
    pub fn draw(env: &Env) -> Self {
        let mut bytes = [0; 12];
        env.fill_random(&mut bytes);
        Self(bytes)
    }

    /// Draws as many as wanted at once, which is cheaper than one by one.
    pub fn draw_many(env: &Env, count: usize) -> Vec<Self> {
        let mut bits = vec![0; 12 * count];
        env.fill_random(&mut bits);
        let (nonces, _) = bits.as_chunks();
        nonces.iter().map(|bytes| Self(*bytes)).collect()
    }

    /// One of bits that were just drawn.
    pub(crate) const fn of(bits: [u8; 12]) -> Self {
        Self(bits)
    }

    /// Its bytes, as compact formats keep them.
    pub(crate) const fn bytes(self) -> [u8; 12] {
        self.0
    }

    /// The nonce of these [`bytes`](Self::bytes).
    pub(crate) const fn of_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text(&hex(*self)))
    }
}

impl FromStr for Nonce {
    type Err = Error;

    /// Reads what it prints: 24 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self> {
        nonce(text).ok_or_else(|| Error::invalid(format!("{text:?} is no nonce")))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The entity tag of one state of a document (RFC 9110 8.8.3, always strong).
///
/// Printed in quotes, `"<counter>-<nonce>"`: the counter in base 36 is for
/// reading only, the nonce's 96 random bits make the tag unique. A tag is never
/// used again: not after delete and recreate, not for equal bytes, not after a
/// restart. Compare tags for equality only: order comes from positions.
///
/// ```
/// use ifmatch_meta::ETag;
/// let tag: ETag = "\"k-00112233445566778899aabb\"".parse()?;
/// assert_eq!(tag, "k-00112233445566778899aabb".parse()?);
/// assert!("W/\"k-00112233445566778899aabb\"".parse::<ETag>().is_err());
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ETag {
    counter: u64,
    nonce: Nonce,
}

impl ETag {
    /// A tag never used before.
    pub fn mint(counter: u64, env: &Env) -> Self {
        Self::new(counter, Nonce::draw(env))
    }

    /// The tag of a nonce that was just drawn for it.
    pub const fn new(counter: u64, nonce: Nonce) -> Self {
        Self { counter, nonce }
    }

    /// Counter and nonce, as compact formats keep them.
    pub(crate) const fn parts(self) -> (u64, [u8; 12]) {
        (self.counter, self.nonce.0)
    }

    /// The tag of these [`parts`](Self::parts).
    pub(crate) const fn of_parts(counter: u64, nonce: [u8; 12]) -> Self {
        Self::new(counter, Nonce(nonce))
    }

    /// The tag without its quotes, as stores keep it.
    pub fn bare(&self) -> String {
        let mut digits = [0; 13];
        let counter = base36(self.counter, &mut digits);
        let nonce = hex(self.nonce);
        let mut bare = String::with_capacity(counter.len() + 1 + nonce.len());
        bare.push_str(counter);
        bare.push('-');
        bare.push_str(text(&nonce));
        bare
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bare())
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ETag {
    type Err = Error;

    /// Reads a tag with or without its quotes.
    fn from_str(text: &str) -> Result<Self> {
        if text.starts_with("W/") {
            return Err(Error::invalid(format!("etag {text:?} is weak: it never matches")));
        }
        let bare = match text.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"'),
            None => Some(text),
        };
        bare.and_then(parse).ok_or_else(|| Error::invalid(format!("{text:?} is no etag")))
    }
}

fn parse(bare: &str) -> Option<ETag> {
    let (counter, nonce_text) = bare.split_once('-')?;
    let digits = counter.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    // One text for one tag: stores compare the text.
    if !digits || (counter.starts_with('0') && counter != "0") {
        return None;
    }
    Some(ETag { counter: u64::from_str_radix(counter, 36).ok()?, nonce: nonce(nonce_text)? })
}

fn nonce(text: &str) -> Option<Nonce> {
    let hex = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    if text.len() != 24 {
        return None;
    }
    let mut bytes = [0; 12];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = hex(pair[0])? << 4 | hex(pair[1])?;
    }
    Some(Nonce(bytes))
}

impl TryFrom<String> for ETag {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ETag> for String {
    fn from(tag: ETag) -> Self {
        tag.to_string()
    }
}

/// A number in base 36.
fn base36(number: u64, digits: &mut [u8; 13]) -> &str {
    let mut at = digits.len(); // 36^13 > 2^64
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    text(&digits[at..])
}

/// The digits of a nonce. By hand: tags are written with every document, and
/// formatting each byte costs as much as finding the document.
fn hex(nonce: Nonce) -> [u8; 24] {
    let mut digits = [0; 24];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(nonce.0) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    digits
}

/// Digits, which are ASCII.
fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ifmatch_core::Simulation;

    use super::*;

    #[test]
    fn a_tag_prints_quoted_and_parses_with_and_without_quotes() {
        let env = Simulation::seeded(1).env();
        for counter in [0, 1, 35, 36, 12_345_678, u64::MAX] {
            let tag = ETag::mint(counter, &env);
            assert_eq!(tag.to_string(), format!("\"{}\"", tag.bare()));
            assert_eq!(tag.to_string().parse::<ETag>().unwrap(), tag);
            assert_eq!(tag.bare().parse::<ETag>().unwrap(), tag);
            let json = serde_json::to_string(&tag).unwrap();
            assert_eq!(serde_json::from_str::<ETag>(&json).unwrap(), tag);
            assert_eq!(tag.nonce.to_string().parse::<Nonce>().unwrap(), tag.nonce);
        }
        assert_eq!(base36(36 * 36 + 35, &mut [0; 13]), "10z");
    }

    #[test]
    fn weak_and_malformed_tags_are_invalid() {
        let nonce = "00112233445566778899aabb";
        for text in [
            "",
            "\"",
            "\"\"",
            "*",
            "1-",
            &format!("W/\"1-{nonce}\""),
            &format!("\"1-{nonce}"),
            &format!("1-{nonce}\""),
            &format!("01-{nonce}"),
            &format!("+1-{nonce}"),
            &format!("-{nonce}"),
            &format!("A-{nonce}"),
            &format!("1-{}", nonce.to_uppercase()),
            &format!("1-{nonce}0"),
            &format!("1 -{nonce}"),
            &format!("zzzzzzzzzzzzzz-{nonce}"),
        ] {
            assert_eq!(text.parse::<ETag>().unwrap_err().kind(), "invalid", "{text}");
        }
    }
}
