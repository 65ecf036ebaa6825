use bytes::Bytes;
use ifmatch_core::{Simulation, Timestamp};
use proptest::prelude::*;

use super::samples::records;
use super::*;

fn entries() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..6)
}

prop_compose! {
    fn record()(nonce: u128, writer: u64, time: Option<i64>, entries in entries()) -> CommitRecord {
        let base_time = time.filter(|&time| time != i64::MIN).map(Timestamp::from_micros);
        let (nonce, writer) = (Nonce(nonce), WriterId(writer));
        CommitRecord { seq: 0, nonce, writer, base_time, entries: entries.into_iter().collect() }
    }
}

proptest! {
    #[test]
    fn records_survive_their_bytes(
        first in 1..u64::MAX - 8,
        mut records in proptest::collection::vec(record(), 0..8),
    ) {
        for (seq, record) in (first..).zip(&mut records) {
            record.seq = seq;
        }
        let bytes = Bytes::from(encode_records(&records));
        prop_assert_eq!(decode_records(&bytes).unwrap(), records);
    }

    #[test]
    fn entries_are_what_they_were_made_of(made in entries()) {
        let entries: Entries = made.iter().collect();
        prop_assert_eq!(entries.len(), made.len());
        prop_assert_eq!(entries.is_empty(), made.is_empty());
        prop_assert_eq!(entries.iter().collect::<Vec<_>>(), made);
    }

    #[test]
    fn no_bytes_panic_and_what_is_read_has_one_form(bytes in proptest::collection::vec(0_u8.., 0..200)) {
        let bytes = Bytes::from(bytes);
        if let Ok(records) = decode_records(&bytes) {
            prop_assert_eq!(encode_records(&records), bytes);
        }
    }

    #[test]
    fn changed_records_never_panic_and_have_one_form(at in 0_usize..400, byte: u8) {
        let mut bytes = encode_records(&records(&Simulation::seeded(1).env(), 3, 6));
        let at = at % bytes.len();
        bytes[at] = byte;
        let bytes = Bytes::from(bytes);
        if let Ok(records) = decode_records(&bytes) {
            prop_assert_eq!(encode_records(&records), bytes);
        }
    }

    #[test]
    fn numbers_survive_in_their_shortest_form(value: u64, shift in 0_u32..64) {
        let value = value >> shift;
        let mut bytes = Vec::new();
        put_varint(&mut bytes, value);
        prop_assert_eq!(bytes.len(), (64 - value.leading_zeros() as usize).div_ceil(7).max(1));
        let bytes = Bytes::from(bytes);
        prop_assert_eq!(Reader::new(&bytes).whole(Reader::varint), Ok(value));
    }
}

#[test]
fn longer_forms_and_larger_numbers_are_refused() {
    let read = |bytes: &'static [u8]| Reader::new(&Bytes::from_static(bytes)).varint();
    assert_eq!(read(&[0x80, 0x00]), Err("a number is too long"));
    assert_eq!(read(&[0xff; 10]), Err("a number is too large"));
    assert_eq!(read(&[0x80, 0x80]), Err("it ends early"));
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(Reader::new(&Bytes::copy_from_slice(&most)).varint(), Ok(u64::MAX));
}

#[test]
fn entries_are_slices_of_one_buffer() {
    let entries: Entries = ["one", "", "three"].into_iter().collect();
    let buffer = entries.packed().as_ptr_range();
    assert!(entries.iter().all(|entry| entry.is_empty() || buffer.contains(&entry.as_ptr())));
    assert_eq!(entries.clone().packed().as_ptr(), buffer.start, "a clone shares it");
    assert_eq!((entries.len(), entries.size()), (3, 11));
}

/// One record with these counts in front of these packed bytes.
fn crafted(first: u64, count: u64, size: u64, packed: &[u8]) -> Bytes {
    let mut bytes = first.to_le_bytes().to_vec();
    bytes.extend_from_slice(&[7; 32]);
    put_varint(&mut bytes, count);
    put_varint(&mut bytes, size);
    bytes.extend_from_slice(packed);
    bytes.into()
}

#[test]
fn records_that_contradict_themselves_are_refused() {
    let read = |bytes: Bytes| decode_records(&bytes).map(|records| records.len());
    assert_eq!(read(Bytes::new()), Ok(0));
    assert_eq!(read(crafted(1, 2, 3, &[1, 9, 0])), Ok(1));
    assert_eq!(read(crafted(1, 1, 3, &[1, 9, 0])), Err("a commit has more entries than it says"));
    assert_eq!(read(crafted(1, 3, 3, &[1, 9, 0])), Err("a commit has fewer entries than it says"));
    assert_eq!(read(crafted(1, 2, 3, &[1, 9, 1])), Err("it ends early"), "an entry ends outside");
    assert_eq!(read(crafted(1, u64::MAX, u64::MAX, &[1])), Err("it ends early"));
    assert_eq!(read(crafted(0, 0, 0, &[])), Err("its records have no number"));
    assert_eq!(
        read(Bytes::from_static(&[1, 0, 0, 0, 0, 0, 0, 0])),
        Err("its records have no number")
    );
    assert_eq!(read(crafted(u64::MAX, 0, 0, &[])), Err("a commit has the last number"));
    assert_eq!(read(crafted(u64::MAX - 1, 0, 0, &[])), Ok(1));
}
