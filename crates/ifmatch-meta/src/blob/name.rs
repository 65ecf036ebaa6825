//! What a partition is called where it is part of a blob's key.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

use crate::key::Partition;

/// Longest encoded name, in bytes; a longer one is cut and hashed.
const LONGEST: usize = 160;
/// Of a longer one so much stays, in bytes.
const KEPT: usize = 100;

/// The name as part of a key: `%`, `/`, `\`, `~`, controls and a leading `.` as
/// percent, the rest as it is. Longer than 160 bytes afterwards: its first 100,
/// cut at a character, `~`, and 32 hex digits of the BLAKE3 of the true name.
pub(super) fn encode(partition: &Partition) -> String {
    let name = partition.as_str();
    let mut encoded = String::with_capacity(name.len());
    for (at, char) in name.char_indices() {
        if matches!(char, '%' | '/' | '\\' | '~') || char.is_control() || at == 0 && char == '.' {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(char);
        }
    }
    if encoded.len() > LONGEST {
        let kept = (0..=KEPT).rev().find(|at| encoded.is_char_boundary(*at)).unwrap_or_default();
        encoded.truncate(kept);
        let hash = blake3::hash(name.as_bytes()).to_hex();
        let _ = write!(encoded, "~{}", &hash[..32]);
    }
    encoded
}

/// The partition that is called so; `None` where the name was cut, or is none of
/// ours.
pub(super) fn decode(encoded: &str) -> Option<Partition> {
    let name = percent_decode_str(encoded).decode_utf8().ok()?;
    let partition = Partition::internal(name).ok()?;
    (encode(&partition) == encoded).then_some(partition)
}

#[cfg(test)]
mod tests {
    use ifmatch_core::BlobKey;

    use super::*;

    #[test]
    fn a_name_becomes_one_segment_of_a_key_and_comes_back() {
        for (name, encoded) in [
            ("teams", "teams"),
            ("teams/a", "teams%2Fa"),
            ("a%2Fb", "a%252Fb"),
            ("..", "%2E."),
            (".x.", "%2Ex."),
            ("a\\b~c", "a%5Cb%7Ec"),
            ("a\nb\u{85}", "a%0Ab%C2%85"),
            ("ä ö:?*", "ä ö:?*"),
        ] {
            let partition = Partition::new(name).unwrap();
            assert_eq!(encode(&partition), encoded);
            assert_eq!(decode(encoded), Some(partition));
            BlobKey::new(format!("heads/{encoded}")).unwrap();
        }
    }

    #[test]
    fn a_long_name_is_cut_at_a_character_and_hashed() {
        let (exact, long) = ("x".repeat(160), "x".repeat(161));
        assert_eq!(encode(&Partition::new(&exact).unwrap()), exact);
        let encoded = encode(&Partition::new(&long).unwrap());
        assert_eq!(
            (encoded.len(), &encoded[..101]),
            (133, format!("{}~", "x".repeat(100)).as_str())
        );
        assert_eq!(decode(&encoded), None);
        let odd = Partition::new(format!("x{}", "€".repeat(170))).unwrap();
        let encoded = encode(&odd);
        assert_eq!(encoded.find('~'), Some(100));
        let other = Partition::new(format!("x{}a", "€".repeat(169))).unwrap();
        assert_ne!(encode(&other), encoded);
        BlobKey::new(format!("heads/{encoded}")).unwrap();
        for name in ["", "~", "a~b", "%zz", "%2f", "a%"] {
            assert_eq!(decode(name), None, "{name}");
        }
    }
}
