//! Heads that cannot be read: of a newer format, cut, flipped, foreign, empty.

use bytes::Bytes;

use super::forge::Forged;
use super::refusal::{goes_on, refused, will_not_open};
use crate::bench::{Bench, quick, quick_create};

/// The damaged head instead of the right one, for open handles and new ones.
async fn every_call_refuses(bench: &Bench, damaged: Bytes, kind: &str, what: &str) {
    let journal = bench.open(quick()).await.unwrap();
    let right = bench.body("head").await;
    bench.write("head", damaged).await;
    for options in [quick(), quick_create(), quick().seen(journal.seen())] {
        will_not_open(bench, options, kind, what).await;
    }
    let open = refused(bench, &journal, kind, what).await;
    bench.write("head", right).await;
    goes_on(bench, &journal, &open, what).await;
}

pub(crate) async fn a_head_of_a_newer_format_is_unsupported() {
    let bench = Bench::new(1);
    bench.create(5).await;
    for format in [0, 1, 3, 255] {
        let newer = Forged::of(&bench.body("head").await).format(format).seal();
        every_call_refuses(&bench, newer, "unsupported", &format!("format {format}")).await;
    }
}

pub(crate) async fn a_cut_head_is_corrupt() {
    let bench = Bench::new(2);
    bench.create(5).await;
    let length = bench.body("head").await.len();
    for keep in [0, 1, 7, 8, 11, 12, 43, 44, 45, length / 2, length - 33, length - 1] {
        let head = bench.body("head").await;
        every_call_refuses(&bench, head.slice(..keep), "corrupt", &format!("cut to {keep}")).await;
    }
}

pub(crate) async fn a_head_with_one_flipped_bit_is_corrupt() {
    let bench = Bench::new(3);
    bench.create(5).await;
    for step in 0..40 {
        let mut head = bench.body("head").await.to_vec();
        let bit = (head.len() * 8 - 1) * step / 39;
        head[bit / 8] ^= 1 << (bit % 8);
        every_call_refuses(&bench, head.into(), "corrupt", &format!("bit {bit}")).await;
    }
}

pub(crate) async fn a_head_with_something_behind_it_is_corrupt() {
    let bench = Bench::new(4);
    bench.create(5).await;
    for more in [1, 32, 100_000] {
        let mut head = bench.body("head").await.to_vec();
        head.resize(head.len() + more, 0);
        every_call_refuses(&bench, head.into(), "corrupt", &format!("{more} bytes more")).await;
    }
}

pub(crate) async fn foreign_bytes_in_place_of_the_head_are_corrupt() {
    let bench = Bench::new(5);
    bench.create(5).await;
    let marker = bench.body("ifmatch").await;
    let huge = vec![0; 9 << 20];
    let foreign: [(&str, Bytes); 5] = [
        ("empty", Bytes::new()),
        ("text", "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>".into()),
        ("the marker", marker),
        ("zeros", vec![0; 500].into()),
        ("nine mebibytes", huge.into()),
    ];
    for (what, bytes) in foreign {
        every_call_refuses(&bench, bytes, "corrupt", what).await;
    }
}
