//! Compression, with limits that hold before anything is allocated.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::compress_bound;

use crate::record::wire::Parse;

/// Plain bytes per packed byte that are believed.
const RATIO: usize = 1_000;
const LEVEL: i32 = 1;
/// A frame that decoders skip: its mark, then the size of what follows.
const SKIPPED: u32 = 0x184D_2A50;

thread_local! {
    // A context is some hundred KiB, and heads are packed with every commit.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Appends `plain` packed, if that is smaller; says whether it was, and leaves
/// `out` as it was where not.
pub(crate) fn pack(plain: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.resize(start + compress_bound(plain.len()), 0);
    let packed = COMPRESSOR.with_borrow_mut(|context| {
        if context.is_none() {
            *context = Compressor::new(LEVEL).ok();
        }
        context.as_mut()?.compress_to_buffer(plain, &mut out[start..]).ok()
    });
    let Some(packed) = packed else {
        out.truncate(start);
        return false;
    };
    out.truncate(start + packed);
    // Zeros shrink by more than a reader believes: so much that room for
    // padding is always there.
    if let Some(missing) = plain.len().div_ceil(RATIO).checked_sub(packed).filter(|&n| n > 0) {
        out.extend_from_slice(&SKIPPED.to_le_bytes());
        out.extend_from_slice(&u32::try_from(missing).unwrap_or(u32::MAX).to_le_bytes());
        out.resize(out.len() + missing, 0);
    }
    if out.len() - start < plain.len() {
        return true;
    }
    out.truncate(start);
    false
}

/// The plain bytes of `packed`, which must be `plain` bytes long and may be at
/// most `most`.
pub(crate) fn unpack(packed: &[u8], plain: usize, most: usize) -> Parse<Vec<u8>> {
    if plain > most {
        return Err("it says that it is larger than anything of its kind");
    }
    if plain > packed.len().saturating_mul(RATIO) {
        return Err("it says that it is larger than it can be");
    }
    let mut out = Vec::with_capacity(plain);
    let unpacked = DECOMPRESSOR.with_borrow_mut(|context| {
        if context.is_none() {
            *context = Decompressor::new().ok();
        }
        context.as_mut()?.decompress_to_buffer(packed, &mut out).ok()
    });
    match unpacked {
        Some(length) if length == plain && out.len() == plain => Ok(out),
        _ => Err("it does not unpack to what it says"),
    }
}
