//! States as a few words: what a search of millions of states must keep.

/// Reads or writes one field after the other. A state visits its fields once,
/// for both directions, so that packing and unpacking cannot disagree.
pub(super) trait Codec {
    /// The next `width` bits.
    fn field(&mut self, value: &mut u16, width: u32);
}

/// Puts fields into words.
pub(super) struct Pack<const K: usize> {
    pub(super) words: [u64; K],
    at: u32,
}

/// Takes them out again.
pub(super) struct Unpack<'a, const K: usize> {
    words: &'a [u64; K],
    at: u32,
}

impl<const K: usize> Pack<K> {
    pub(super) fn new() -> Self {
        Self { words: [0; K], at: 0 }
    }
}

impl<'a, const K: usize> Unpack<'a, K> {
    pub(super) fn new(words: &'a [u64; K]) -> Self {
        Self { words, at: 0 }
    }
}

impl<const K: usize> Codec for Pack<K> {
    fn field(&mut self, value: &mut u16, width: u32) {
        let (word, shift) = ((self.at / 64) as usize, self.at % 64);
        let bits = u64::from(*value);
        debug_assert!(bits >> width == 0, "{value} is wider than {width} bits");
        self.words[word] |= bits << shift;
        if shift + width > 64 {
            self.words[word + 1] |= bits >> (64 - shift);
        }
        self.at += width;
    }
}

impl<const K: usize> Codec for Unpack<'_, K> {
    #[allow(clippy::cast_possible_truncation)] // The mask keeps 16 bits.
    fn field(&mut self, value: &mut u16, width: u32) {
        let (word, shift) = ((self.at / 64) as usize, self.at % 64);
        let mut bits = self.words[word] >> shift;
        if shift + width > 64 {
            bits |= self.words[word + 1] << (64 - shift);
        }
        *value = (bits & ((1 << width) - 1)) as u16;
        self.at += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_across_the_borders_of_words() {
        let fields: Vec<(u16, u32)> =
            (0..24u16).map(|n| ((n * 2_741) & 0x1fff, 13)).chain([(1, 1), (65_535, 16)]).collect();
        let mut pack = Pack::<6>::new();
        for (mut value, width) in fields.clone() {
            pack.field(&mut value, width);
        }
        let mut unpack = Unpack::new(&pack.words);
        for (value, width) in fields {
            let mut found = 0;
            unpack.field(&mut found, width);
            assert_eq!(found, value);
        }
    }
}
