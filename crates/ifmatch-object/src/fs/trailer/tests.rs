use proptest::prelude::*;

use super::*;

fn key() -> BlobKey {
    BlobKey::new("teams/a/head").unwrap()
}

fn sample(body: &[u8]) -> Trailer {
    Trailer {
        size: body.len() as u64,
        version: [0x11; 16],
        write: WriteId::from_bytes([0x22; 16]),
        replaced: Replaced::Version { version: [0x33; 16], write: WriteId::from_bytes([0x44; 16]) },
        modified: Timestamp::from_micros(1_767_225_600_000_001),
        body_sum: sum(body),
    }
}

/// What a whole read makes of a file's bytes.
fn read(file: &[u8]) -> Option<Vec<u8>> {
    let (body, end) = file.split_last_chunk::<LENGTH>()?;
    let trailer = Trailer::decode(end, &key(), file.len() as u64).ok()?;
    (sum(body) == trailer.body_sum).then(|| body.to_vec())
}

fn file(body: &[u8]) -> Vec<u8> {
    [body, &sample(body).encode(&key())].concat()
}

#[test]
fn a_trailer_has_the_bytes_that_the_format_says() {
    let golden = concat!(
        "69666d626c6f6201", // ifmblob, 1
        "0500000000000000", // length of the body
        "11111111111111111111111111111111",
        "22222222222222222222222222222222",
        "0200000000000000", // it replaced a version
        "33333333333333333333333333333333",
        "44444444444444444444444444444444",
        "0140204648470600",                 // microseconds
        "1838525eaacf79c77f3e1b07adc1e9b5", // XXH3-128 of the body
        "405c4e8e27c7cb4702f748317abbd428",
    );
    let bytes = sample(b"hello").encode(&key());
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex.concat(), golden);
    assert_eq!(bytes.len(), LENGTH);
}

#[test]
fn a_trailer_survives_its_form() {
    for replaced in [Replaced::Corrupt, Replaced::Nothing, sample(b"").replaced] {
        let trailer = Trailer { replaced, ..sample(b"hello") };
        let bytes = trailer.encode(&key());
        assert_eq!(Trailer::decode(&bytes, &key(), 5 + LENGTH as u64), Ok(trailer));
    }
}

#[test]
fn every_flipped_bit_is_detected() {
    let whole = file(b"a body of some bytes");
    assert!(read(&whole).is_some());
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read(&flipped), None, "bit {bit}");
    }
}

#[test]
fn every_truncation_is_detected_even_of_an_object_within_an_object() {
    let other = BlobKey::new("teams/b/head").unwrap();
    let inner = [b"inner".as_slice(), &sample(b"inner").encode(&other)].concat();
    for whole in [file(b""), file(b"a body"), file(&[0; 300]), file(&inner)] {
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length} of {}", whole.len());
        }
        assert_eq!(read(&[whole.as_slice(), b"x"].concat()), None);
    }
}

#[test]
fn the_file_of_another_key_does_not_verify() {
    let bytes = sample(b"hello").encode(&key());
    let other = BlobKey::new("teams/a/head2").unwrap();
    assert!(Trailer::decode(&bytes, &other, 5 + LENGTH as u64).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(read(&bytes), None);
    }
}
