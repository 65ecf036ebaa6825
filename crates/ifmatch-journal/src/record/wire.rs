//! Plain fields: what every format of the journal is written and read with.
//!
//! Reading never panics, and allocates nothing: what is handed out borrows the
//! bytes or is a slice of the same buffer.

use bytes::Bytes;
use ifmatch_core::Timestamp;

use crate::id::Nonce;

/// Something read, or what is wrong with the bytes.
pub(crate) type Parse<T> = Result<T, &'static str>;

/// Bytes that are read from the front.
pub(crate) struct Reader<'a> {
    all: &'a Bytes,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a Bytes) -> Self {
        Self { all, rest: all }
    }

    /// How many bytes are left.
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// These many bytes, borrowed.
    pub(crate) fn take(&mut self, bytes: usize) -> Parse<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or("it ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// These many bytes, as a slice that shares the buffer.
    pub(crate) fn share(&mut self, bytes: usize) -> Parse<Bytes> {
        self.take(bytes).map(|taken| self.all.slice_ref(taken))
    }

    /// These many bytes, to be read on their own.
    pub(crate) fn part(&mut self, bytes: usize) -> Parse<Self> {
        Ok(Self { all: self.all, rest: self.take(bytes)? })
    }

    fn array<const N: usize>(&mut self) -> Parse<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or("it ends early")?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Parse<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Parse<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Parse<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The bits of a writer's id, or half of a nonce's.
    pub(crate) fn id64(&mut self) -> Parse<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn id128(&mut self) -> Parse<u128> {
        self.array().map(u128::from_be_bytes)
    }

    pub(crate) fn nonce(&mut self) -> Parse<Nonce> {
        self.id128().map(Nonce)
    }

    pub(crate) fn hash(&mut self) -> Parse<[u8; 32]> {
        self.array()
    }

    /// A time that may be unknown.
    pub(crate) fn time(&mut self) -> Parse<Option<Timestamp>> {
        let micros = self.array().map(i64::from_le_bytes)?;
        Ok((micros != i64::MIN).then(|| Timestamp::from_micros(micros)))
    }

    /// A number in groups of seven bits, lowest first. Only the shortest form
    /// is accepted, so that equal values have equal bytes.
    pub(crate) fn varint(&mut self) -> Parse<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let group = u64::from(byte & 0x7f);
            if shift == 63 && group > 1 {
                break;
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                let shortest = byte != 0 || shift == 0;
                return if shortest { Ok(value) } else { Err("a number is too long") };
            }
        }
        Err("a number is too large")
    }

    /// A varint that counts bytes or things in memory.
    pub(crate) fn count(&mut self) -> Parse<usize> {
        usize::try_from(self.varint()?).map_err(|_| "a number is too large")
    }

    /// Everything that is left, one `read` after the other; `most` of them.
    pub(crate) fn all<T>(
        mut self,
        most: usize,
        mut read: impl FnMut(&mut Self) -> Parse<T>,
    ) -> Parse<Vec<T>> {
        let mut all = Vec::new();
        while !self.rest.is_empty() {
            if all.len() == most {
                return Err("a list is too long");
            }
            all.push(read(&mut self)?);
        }
        Ok(all)
    }

    /// One value that takes all the bytes.
    pub(crate) fn whole<T>(mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        let value = read(&mut self)?;
        if self.rest.is_empty() { Ok(value) } else { Err("a field is too long") }
    }
}

/// Writes a number in groups of seven bits, lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

fn low_bits(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

/// Writes a time; the least number there is stands for "unknown".
pub(crate) fn put_time(out: &mut Vec<u8>, time: Option<Timestamp>) {
    out.extend_from_slice(&time.map_or(i64::MIN, Timestamp::as_micros).to_le_bytes());
}
