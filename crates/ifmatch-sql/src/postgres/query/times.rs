//! Times as queries see them: texts, which sort as the times do.

use std::cmp::Ordering;

use ifmatch_core::Timestamp;

/// 0000-01-01T00:00:00.000000Z, in microseconds since 1970 ...
pub(in super::super) const FIRST: i64 = -62_167_219_200_000_000;
/// ... and 9999-12-30T22:00:00Z, which is as far as our library counts. Within
/// these, which the table insists on, texts have one length and sort as times.
pub(in super::super) const LAST: i64 = 253_402_207_200_000_000;

/// Where a text stands among the texts of times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bound {
    /// The first time whose text is not less; one more than the last where all
    /// are.
    pub(super) micros: i64,
    /// Whether it is the text of that time.
    pub(super) exact: bool,
}

/// Finds it by halves.
pub(super) fn bound(text: &str) -> Bound {
    let order = |micros: i64| Timestamp::from_micros(micros).to_string().as_str().cmp(text);
    let (mut low, mut high) = (FIRST, LAST + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if order(middle) == Ordering::Less {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Bound { micros: low, exact: low <= LAST && order(low) == Ordering::Equal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_its_place_among_times() {
        for (text, micros, exact) in [
            ("", FIRST, false),
            ("0000-01-01T00:00:00.000000Z", FIRST, true),
            ("1970-01-01T00:00:00.000000Z", 0, true),
            ("1970-01-01T00:00:00.000000", 0, false),
            ("1970-01-01T00:00:00.000000Za", 1, false),
            ("1970", 0, false),
            ("1970-01-01T00:00:01Z", 2_000_000, false),
            ("9999-12-30T22:00:00.000000Z", LAST, true),
            ("a", LAST + 1, false),
        ] {
            assert_eq!(bound(text), Bound { micros, exact }, "{text}");
        }
    }

    #[test]
    fn texts_sort_as_times() {
        let step = (LAST - FIRST) / 9_999;
        let texts: Vec<_> =
            (0..10_000).map(|n| Timestamp::from_micros(FIRST + n * step).to_string()).collect();
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == 27));
    }
}
