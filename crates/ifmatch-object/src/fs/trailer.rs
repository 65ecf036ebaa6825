//! The end of an object file: what makes its body a blob.
//!
//! 128 bytes, integers little-endian:
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | `ifmblob` and the format, 1 |
//! | 8 | 8 | length of the body |
//! | 16 | 16 | version: random bits drawn for this write, never reused |
//! | 32 | 16 | id of the write |
//! | 48 | 1 | what it replaced: 0 something that did not verify, 1 nothing, 2 a version |
//! | 49 | 7 | zero |
//! | 56 | 16 | the version replaced, or zero |
//! | 72 | 16 | the id of the write that made the version replaced, or zero |
//! | 88 | 8 | when: microseconds since 1970 by the writer's clock, signed |
//! | 96 | 16 | XXH3-128 of the body |
//! | 112 | 16 | XXH3-128 of the bytes 0 to 112 of this trailer, then the key |
//!
//! The key is part of the last checksum, so that a file that came under a name
//! not its own (a stray copy, a misdirected write, or an object in an object,
//! cut exactly at its end) does not verify.

use ifmatch_core::{Base, BlobKey, Timestamp, Version, WriteId, WriteRecord};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Bytes of a trailer.
pub(super) const LENGTH: usize = 128;
const MAGIC: &[u8; 8] = b"ifmblob\x01";
/// Where the checksum of the trailer begins.
const SEAL: usize = 112;

/// 128 bits that name one version of one object.
pub(super) type Token = [u8; 16];

/// What a write replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Replaced {
    /// An object that did not verify.
    Corrupt,
    Nothing,
    Version {
        version: Token,
        write: WriteId,
    },
}

/// What an object file says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trailer {
    pub(super) size: u64,
    pub(super) version: Token,
    pub(super) write: WriteId,
    pub(super) replaced: Replaced,
    pub(super) modified: Timestamp,
    pub(super) body_sum: u128,
}

/// The checksum of a body.
pub(super) fn sum(body: &[u8]) -> u128 {
    xxh3_128(body)
}

fn seal(trailer: &[u8; LENGTH], key: &BlobKey) -> [u8; 16] {
    let mut hash = Xxh3::new();
    hash.update(&trailer[..SEAL]);
    hash.update(key.as_str().as_bytes());
    hash.digest128().to_le_bytes()
}

fn version_of(token: Token, write: WriteId) -> Version {
    // A write id prints 16 bytes as 32 hex digits; so does a version.
    Version::from_etag(&WriteId::from_bytes(token).to_string()).with_write(Some(write))
}

impl Trailer {
    /// The version that this file is.
    pub(super) fn as_version(&self) -> Version {
        version_of(self.version, self.write)
    }

    /// Who wrote it, and over what.
    pub(super) fn record(&self) -> WriteRecord {
        let base = match self.replaced {
            Replaced::Corrupt => Base::Any,
            Replaced::Nothing => Base::Absent,
            Replaced::Version { version, write } => Base::Version(version_of(version, write)),
        };
        WriteRecord { id: self.write, base: Some(base) }
    }

    pub(super) fn encode(&self, key: &BlobKey) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, MAGIC);
        put(8, &self.size.to_le_bytes());
        put(16, &self.version);
        put(32, self.write.as_bytes());
        match &self.replaced {
            Replaced::Corrupt => put(48, &[0]),
            Replaced::Nothing => put(48, &[1]),
            Replaced::Version { version, write } => {
                put(48, &[2]);
                put(56, version);
                put(72, write.as_bytes());
            }
        }
        put(88, &self.modified.as_micros().to_le_bytes());
        put(96, &self.body_sum.to_le_bytes());
        let seal = seal(&bytes, key);
        bytes[SEAL..].copy_from_slice(&seal);
        bytes
    }

    /// Reads the last bytes of `key`'s file of `file_size` bytes; else what
    /// does not fit.
    pub(super) fn decode(
        bytes: &[u8; LENGTH],
        key: &BlobKey,
        file_size: u64,
    ) -> Result<Self, &'static str> {
        fn field<const N: usize>(bytes: &[u8; LENGTH], at: usize) -> [u8; N] {
            let mut field = [0; N];
            field.copy_from_slice(&bytes[at..at + N]);
            field
        }
        if field(bytes, 0) != *MAGIC {
            return Err("it does not end in a trailer");
        }
        if field(bytes, SEAL) != seal(bytes, key) {
            return Err("its trailer does not verify, or is that of another key");
        }
        let size = u64::from_le_bytes(field(bytes, 8));
        if size.checked_add(LENGTH as u64) != Some(file_size) {
            return Err("its length is not what its trailer says");
        }
        let replaced = match bytes[48] {
            0 => Replaced::Corrupt,
            1 => Replaced::Nothing,
            2 => Replaced::Version {
                version: field(bytes, 56),
                write: WriteId::from_bytes(field(bytes, 72)),
            },
            _ => return Err("its trailer names an unknown base"),
        };
        Ok(Self {
            size,
            version: field(bytes, 16),
            write: WriteId::from_bytes(field(bytes, 32)),
            replaced,
            modified: Timestamp::from_micros(i64::from_le_bytes(field(bytes, 88))),
            body_sum: u128::from_le_bytes(field(bytes, 96)),
        })
    }
}

#[cfg(test)]
mod tests;
