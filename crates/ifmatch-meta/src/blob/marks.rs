//! Marks: which state of its documents a partition was in.
//!
//! `b1.<store>.<digest>`, both in 32 hex digits. The digest depends on all
//! changes that led to the state, so that no other state has it, on another
//! branch of the journal either.

use crate::error::{Error, Result};
use crate::mark::Mark;

/// The mark of a state.
pub(super) fn mark(store: u128, digest: [u8; 16]) -> Mark {
    Mark::new(format!("b1.{store:032x}.{:032x}", u128::from_be_bytes(digest)))
}

/// Whether a mark names the state of this digest.
///
/// # Errors
/// `Invalid` for what is no mark of a store on blobs.
pub(super) fn names(mark: &Mark, digest: [u8; 16]) -> Result<bool> {
    Ok(parse(mark)?.1 == u128::from_be_bytes(digest))
}

/// Whether a mark is one of this store's.
///
/// # Errors
/// `Invalid` where not.
pub(super) fn check(mark: &Mark, store: u128) -> Result<()> {
    if parse(mark)?.0 == store {
        return Ok(());
    }
    Err(Error::invalid("a mark of another store"))
}

fn parse(mark: &Mark) -> Result<(u128, u128)> {
    let words = mark.as_str().strip_prefix("b1.").and_then(|words| words.split_once('.'));
    let number = |word: &str| {
        let hex = word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(word, 16).ok().filter(|_| hex)
    };
    let numbers = words.and_then(|(store, digest)| number(store).zip(number(digest)));
    numbers.ok_or_else(|| Error::invalid("a mark of no store on blobs"))
}
