//! Random parts of tags, drawn many at a time: asking for them costs as much as
//! the rest of a write.

use std::fmt;

use ifmatch_core::Env;

use crate::etag::{ETag, Nonce};

const BYTES: usize = size_of::<Nonce>();
const MANY: usize = 64 * BYTES;

/// Bits that were drawn and not used yet.
pub(super) struct Nonces {
    bits: [u8; MANY],
    used: usize,
    /// How many tags there were.
    minted: u64,
}

impl Default for Nonces {
    fn default() -> Self {
        Self { bits: [0; MANY], used: MANY, minted: 0 }
    }
}

impl Nonces {
    /// A tag never used before.
    pub(super) fn mint(&mut self, env: &Env) -> ETag {
        if self.used >= MANY {
            env.fill_random(&mut self.bits);
            self.used = 0;
        }
        let mut nonce = [0; BYTES];
        nonce.copy_from_slice(&self.bits[self.used..self.used + BYTES]);
        self.used += BYTES;
        self.minted += 1;
        ETag::new(self.minted, Nonce::of(nonce))
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces")
    }
}
