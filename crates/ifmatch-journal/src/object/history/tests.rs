use std::collections::BTreeMap;

use bytes::Bytes;
use ifmatch_core::{Env, Simulation, Timestamp};

use super::*;
use crate::object::{Folder, PartRef, Parts};
use crate::record::samples::{counting, damaged};

fn object(env: &Env) -> ObjectRef {
    ObjectRef { id: Nonce::random(env), bytes: 4_711 }
}

fn segment(env: &Env, first: u64, last: u64) -> Item {
    Item::Segment(SegmentRef { object: object(env), first, last })
}

fn checkpoint(env: &Env, seq: u64) -> CheckpointRef {
    let part = |_| PartRef { object: object(env), content: Nonce::random(env).0 };
    let parts = if seq.is_multiple_of(5) {
        Parts::Indexed(object(env))
    } else {
        Parts::Inline((0..4).map(part).collect())
    };
    CheckpointRef { seq, size: seq * 100, parts }
}

fn dropped(env: &Env, seq: u64) -> Item {
    let folder = Folder::ALL[usize::try_from(seq % 3).unwrap()];
    let time = Some(Timestamp::from_micros(77)).filter(|_| seq.is_multiple_of(2));
    Item::Drop(Drop { folder, id: Nonce::random(env), seq, time })
}

/// A tree whose nodes are kept beside it, as a store would.
#[derive(Default)]
struct Tree {
    root: History,
    nodes: BTreeMap<Nonce, Bytes>,
}

impl Tree {
    fn settle(&mut self, env: &Env) {
        for sealed in self.root.settle(&mut || Nonce::random(env)).unwrap() {
            assert_eq!(sealed.folder, Folder::History);
            self.nodes.insert(sealed.object.id, sealed.bytes);
        }
    }

    fn node(&self, object: ObjectRef) -> History {
        History::unseal(&object, &self.nodes[&object.id]).unwrap()
    }

    /// What is found, and how many objects were read for it, the root included.
    fn find<T>(&self, ask: impl Fn(&History) -> Found<T>) -> (Option<T>, usize) {
        let (mut node, mut reads) = (self.root.clone(), 1);
        loop {
            match ask(&node) {
                Found::Here(it) => return (Some(it), reads),
                Found::Absent => return (None, reads),
                Found::Below(object) => node = self.node(object),
            }
            reads += 1;
        }
    }

    /// Every item, oldest first.
    fn walk(&self, node: &History, all: &mut Vec<Item>) {
        for child in node.children() {
            self.walk(&self.node(child.object), all);
        }
        all.extend_from_slice(node.items());
    }
}

#[test]
fn a_million_commits_are_four_reads_away_and_the_root_stays_small() {
    let env = Simulation::seeded(1).env();
    let (mut tree, mut pushed) = (Tree::default(), Vec::new());
    let (mut checkpoints, mut largest) = (Vec::new(), 0);
    for at in 0..62_500_u64 {
        let (first, last) = (at * 16 + 1, at * 16 + 16);
        pushed.push(segment(&env, first, last));
        if at % 8 == 7 {
            let checkpoint = checkpoint(&env, last);
            checkpoints.push(checkpoint.clone());
            pushed.push(Item::Checkpoint(checkpoint));
        }
        let new = pushed.len() - 1 - usize::from(at % 8 == 7);
        pushed[new..].iter().for_each(|item| tree.root.push(item.clone()));
        tree.settle(&env);
        if at % 101 == 0 || at > 62_000 {
            largest = largest.max(tree.root.seal(Nonce(at.into())).unwrap().bytes.len());
        }
    }
    assert_eq!(tree.root.last(), 1_000_000);
    assert!(largest < 16 << 10, "{largest}");
    let sealed = tree.root.seal(Nonce::random(&env)).unwrap();
    assert_eq!(History::unseal(&sealed.object, &sealed.bytes).unwrap(), tree.root);
    for seq in (1..=1_000_000).step_by(257).chain(1..40).chain(999_960..=1_000_000) {
        let (found, reads) = tree.find(|node| node.segment(seq));
        let found = found.unwrap();
        assert!(reads <= 4 && (found.first..=found.last).contains(&seq), "{seq}: {reads}");
        let (found, reads) = tree.find(|node| node.checkpoint(seq));
        let before = checkpoints.partition_point(|checkpoint| checkpoint.seq <= seq);
        assert_eq!(found.as_ref(), before.checked_sub(1).map(|at| &checkpoints[at]), "{seq}");
        assert!(reads <= 4, "{seq}: {reads}");
    }
    for seq in [0, 1_000_001, u64::MAX] {
        assert_eq!(tree.find(|node| node.segment(seq)), (None, 1));
    }
    let mut all = Vec::new();
    tree.walk(&tree.root, &mut all);
    assert!(all == pushed, "a walk meets everything once, in order");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    /// Against a plain list, with gaps, long runs of drops only, several
    /// references moved at once, and the root stored and read in between.
    #[test]
    fn any_history_answers_as_a_list_does(
        steps in proptest::collection::vec((0_u8..9, 1_u64..4, 0_u64..3), 1..2_000),
        seed: u64,
    ) {
        let env = Simulation::seeded(seed).env();
        let (mut tree, mut pushed) = (Tree::default(), Vec::new());
        let mut seq = 0;
        for (kind, length, gap) in steps {
            let item = match kind {
                0..3 => {
                    let first = seq + 1 + gap;
                    seq = first + length - 1;
                    segment(&env, first, seq)
                }
                3 if seq > 0 => Item::Checkpoint(checkpoint(&env, seq)),
                4..8 => dropped(&env, length),
                _ => {
                    tree.settle(&env);
                    let sealed = tree.root.seal(Nonce::random(&env)).unwrap();
                    tree.root = History::unseal(&sealed.object, &sealed.bytes).unwrap();
                    continue;
                }
            };
            tree.root.push(item.clone());
            pushed.push(item);
        }
        tree.settle(&env);
        let newest = pushed.iter().rev().find_map(Item::as_segment).map_or(0, |s| s.last);
        assert_eq!(tree.root.last(), newest);
        let mut all = Vec::new();
        tree.walk(&tree.root, &mut all);
        assert!(all == pushed);
        for asked in (0..=seq + 2).step_by(5) {
            let segment = pushed.iter().filter_map(Item::as_segment);
            let segment = segment.copied().find(|s| (s.first..=s.last).contains(&asked));
            assert_eq!(tree.find(|node| node.segment(asked)).0, segment, "{asked}");
            // Of several at one commit any will do.
            let checkpoints = pushed.iter().filter_map(Item::as_checkpoint);
            let newest = checkpoints.rev().map(|found| found.seq).find(|&seq| seq <= asked);
            let found = tree.find(|node| node.checkpoint(asked)).0.map(|found| found.seq);
            assert_eq!(found, newest, "{asked}");
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(0_u8..40, 0..300)) {
        if let Ok(history) = History::decode(&bytes.into()) {
            let _ = (history.segment(3), history.checkpoint(3), history.last());
        }
    }
}

/// A root of every kind of item, over 70 drops and as many segments.
fn sample(env: &Env, nodes: &mut Vec<Sealed>) -> History {
    let mut history = History::new();
    (0..70).for_each(|seq| history.push(dropped(env, seq)));
    for seq in 1..70 {
        history.push(segment(env, seq * 2 - 1, seq * 2));
    }
    history.push(Item::Checkpoint(checkpoint(env, 135)));
    history.push(Item::Checkpoint(checkpoint(env, 138)));
    history.push(dropped(env, 9));
    nodes.extend(history.settle(&mut || Nonce::random(env)).unwrap());
    history
}

#[test]
fn a_node_without_segments_has_an_empty_range() {
    let history = sample(&Simulation::seeded(2).env(), &mut Vec::new());
    let ranges: Vec<_> = history.children().map(|node| (node.first, node.last)).collect();
    assert_eq!(ranges, [(1, 0), (1, 116)]);
    assert_eq!((history.last(), history.items().len()), (138, 14));
}

#[test]
fn long_runs_of_drops_do_not_hide_the_last_commit() {
    let env = Simulation::seeded(5).env();
    let mut tree = Tree::default();
    // Enough for a level of its own above leaves of drops only.
    for at in 0..64 * 70 {
        tree.root.push(if at == 3 { segment(&env, 1, 50) } else { dropped(&env, 60) });
    }
    tree.settle(&env);
    assert!(tree.root.children().skip(1).all(|node| (node.first, node.last) == (51, 50)));
    assert_eq!((tree.root.last(), tree.root.children().count()), (50, 7));
    assert_eq!(tree.find(|node| node.segment(50)).1, 3);
    assert_eq!(tree.find(|node| node.segment(51)), (None, 1));
}

#[test]
fn a_node_out_of_order_is_not_read_either() {
    let env = Simulation::seeded(6).env();
    let node = |first, last, first_checkpoint| NodeRef {
        object: object(&env),
        first,
        last,
        first_checkpoint,
    };
    let read =
        |history: &History| History::decode(&history.encode().into()).map(|read| &read == history);
    let of = |old, new, items| History { levels: vec![vec![new], vec![old]], items };
    let old = node(1, 5, Some(4));
    assert_eq!(read(&of(old, node(6, 5, None), vec![segment(&env, 6, 7)])), Ok(true));
    let segments = Err("its segments are out of order");
    assert_eq!(read(&of(old, node(5, 9, None), vec![])), segments);
    assert_eq!(read(&of(old, node(6, 9, None), vec![segment(&env, 9, 10)])), segments);
    assert_eq!(
        read(&of(old, node(6, 9, Some(3)), vec![])),
        Err("its checkpoints are out of order")
    );
    for (first, last) in [(8, 6), (5, 4), (0, u64::MAX)] {
        assert!(read(&of(old, node(first, last, None), vec![])).is_err(), "{first}..={last}");
    }
    assert_eq!(History::decode(&[17; 40].to_vec().into()), Err("it has too many levels"));
}

#[test]
fn every_truncation_and_every_flipped_bit_is_detected() {
    let mut nodes = Vec::new();
    let history = sample(&Simulation::seeded(3).env(), &mut nodes);
    nodes.push(history.seal(Nonce(1)).unwrap());
    assert_eq!(nodes.len(), 3);
    for sealed in &nodes[1..] {
        for bytes in damaged(&sealed.bytes) {
            let error = History::unseal(&sealed.object, &bytes).unwrap_err();
            assert_eq!(error.kind(), "corrupt");
            assert!(error.to_string().contains(&sealed.path()), "{error}");
        }
    }
}

#[test]
fn what_is_out_of_order_is_never_written() {
    let env = Simulation::seeded(4).env();
    let wrong: [&[Item]; 6] = [
        &[segment(&env, 5, 6), segment(&env, 6, 7)],
        &[segment(&env, 5, 6), segment(&env, 1, 2)],
        &[segment(&env, 6, 5)],
        &[segment(&env, 0, 5)],
        &[segment(&env, 5, u64::MAX)],
        &[Item::Checkpoint(checkpoint(&env, 9)), Item::Checkpoint(checkpoint(&env, 8))],
    ];
    for items in wrong {
        let mut history = History::new();
        for item in items {
            history.push(item.clone());
        }
        assert_eq!(history.seal(Nonce(1)).unwrap_err().kind(), "invalid", "{items:?}");
        (0..64).for_each(|_| history.push(dropped(&env, 1)));
        let before = history.clone();
        assert_eq!(history.settle(&mut || Nonce(1)).unwrap_err().kind(), "invalid", "{items:?}");
        assert_eq!(history, before, "nothing is lost");
    }
}

/// The bytes of format 1, as they were when it was made. A change here breaks
/// every journal that is out there.
#[test]
fn the_golden_history_reads_as_ever() {
    let env = counting();
    let history = sample(&env, &mut Vec::new());
    let golden = Bytes::from_static(include_bytes!("../../../tests/golden/history-1.bin"));
    let read = History::unseal(&ObjectRef::of(&golden).unwrap(), &golden).unwrap();
    assert_eq!(read, History { levels: read.levels.clone(), ..history });
    // The names of nodes are those of packed bytes, which another zstd may make
    // otherwise.
    let ranges = |history: &History| -> Vec<_> {
        history.children().map(|node| (node.first, node.last, node.first_checkpoint)).collect()
    };
    assert_eq!(ranges(&read), ranges(&sample(&counting(), &mut Vec::new())));
    let mut small = History::new();
    small.push(segment(&counting(), 3, 4));
    let golden = Bytes::from_static(include_bytes!("../../../tests/golden/history-1-small.bin"));
    assert_eq!(golden[28], 0, "too small to be packed");
    assert_eq!(small.seal(Nonce(9)).unwrap().bytes, golden);
    assert_eq!(History::unseal(&ObjectRef::of(&golden).unwrap(), &golden).unwrap(), small);
}
