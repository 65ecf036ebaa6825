//! Real documents, as many as wanted.

use std::io::Cursor;

use anyhow::{Context as _, Result};
use ifmatch_meta::{DocKey, Json};
use serde_json::Value;

/// Facts about 10,000 Debian packages, one JSON object per line.
const PACKAGES: &[u8] = include_bytes!("../../../tests/data/debian-packages-10k.jsonl.zst");

/// A document to be stored.
pub(crate) struct Sample {
    pub(crate) key: DocKey,
    pub(crate) body: Json,
}

/// `count` documents: the packages, then variants of them with other names,
/// versions and sizes. The section is the partition, unless one is given.
pub(crate) fn samples(count: usize, partition: Option<&str>) -> Result<Vec<Sample>> {
    let text = String::from_utf8(zstd::decode_all(Cursor::new(PACKAGES))?)?;
    let packages: Vec<Value> =
        text.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("the packages")?;
    let sample = |number: usize| {
        let mut package = packages[number % packages.len()].clone();
        let variant = number / packages.len();
        if variant > 0 {
            let name = format!("{}-{variant}", package["package"].as_str().unwrap_or_default());
            package["package"] = name.into();
            package["version"] = format!("{variant}:1.{number}").into();
            let size = package["size"].as_u64().unwrap_or_default();
            package["size"] = (size + 7 * number as u64).into();
        }
        let section = partition.or(package["section"].as_str()).unwrap_or("none");
        let id = package["package"].as_str().unwrap_or_default();
        let key = DocKey::new(section, id)?;
        Ok(Sample { key, body: Json::new(package.to_string())? })
    };
    (0..count).map(sample).collect()
}

/// The documents as JSON lines.
pub(crate) fn lines(samples: &[Sample]) -> Vec<u8> {
    let mut lines = Vec::new();
    for sample in samples {
        lines.extend_from_slice(sample.body.as_str().as_bytes());
        lines.push(b'\n');
    }
    lines
}
