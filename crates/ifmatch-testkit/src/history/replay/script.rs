//! The random choice of what is done next.

use std::collections::{BTreeMap, BTreeSet};

use ifmatch_meta::query::field;
use ifmatch_meta::{
    AggregateOf, Aggregation, DocId, Field, Filter, Json, Partition, Query, ScanOptions, Scope,
    Sort, SortOrder,
};
use serde_json::{Value, json};

use super::action::{Action, InTx, Name, Pre, Step};
use super::perform::Player;

const PARTITIONS: [&str; 3] = ["p", "p/%2F", "ä'\""];
const IDS: [&str; 9] = ["a", "A", "a b", "aé", "b", "c'--", "d/e", "\u{ffff}", "😀"];
const TEXTS: [&str; 7] = ["", "a", "A", "a%", "é", "e\u{301}", "😀"];
/// Slots for tokens, marks and transactions.
pub(super) const SLOTS: usize = 3;

pub(super) struct Script {
    random: fastrand::Rng,
    transactions: bool,
    audit: bool,
    /// The documents that are there.
    pub(super) there: BTreeSet<Name>,
    /// The newest tag of a document, by its number, as far as it was told.
    newest: BTreeMap<Name, usize>,
    etags: usize,
    marks: [Option<Partition>; SLOTS],
    tokens: [Option<Scope>; SLOTS],
    open: [Option<Partition>; SLOTS],
    /// Where a transaction has not ended, and what it wrote.
    staged: BTreeMap<Name, bool>,
}

impl Script {
    pub(super) fn new(seed: u64, transactions: bool, audit: bool) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            transactions,
            audit,
            there: BTreeSet::new(),
            newest: BTreeMap::new(),
            etags: 0,
            marks: [const { None }; SLOTS],
            tokens: [const { None }; SLOTS],
            open: [const { None }; SLOTS],
            staged: BTreeMap::new(),
        }
    }

    /// Whether a batch that was applied has changed anything.
    pub(super) fn changes(&self, partition: &Partition, steps: &[Step]) -> bool {
        let mut after = BTreeMap::new();
        for (id, stays) in steps.iter().filter_map(Step::writes) {
            after.insert(id, stays);
        }
        after
            .into_iter()
            .any(|(id, stays)| stays || self.there.contains(&(partition.clone(), id.clone())))
    }

    /// What a transaction's commit changes.
    pub(super) fn commit_changes(&self, partition: &Partition) -> bool {
        self.staged
            .iter()
            .any(|(name, stays)| name.0 == *partition && (*stays || self.there.contains(name)))
    }

    /// Takes notice of what was done.
    pub(super) fn learn(&mut self, action: &Action, failed: bool, first: &Player) {
        self.etags = first.canon.etags();
        self.newest.extend(first.canon.newest().map(|(name, tag)| (name.clone(), tag)));
        if failed {
            return;
        }
        match action {
            Action::Write(partition, step, _) => self.wrote(partition, std::slice::from_ref(step)),
            Action::Batch(partition, steps, _) => self.wrote(partition, steps),
            Action::Mark(partition, slot) => self.marks[*slot] = Some(partition.clone()),
            Action::Changes(scope, slot, ..) | Action::ChangeToken(scope, slot) => {
                self.tokens[*slot] = Some(scope.clone());
            }
            Action::Begin(partition, slot) => self.open[*slot] = Some(partition.clone()),
            Action::InTx(_, InTx::Batch(partition, steps)) => {
                for (id, stays) in steps.iter().filter_map(Step::writes) {
                    self.staged.insert((partition.clone(), id.clone()), stays);
                }
            }
            Action::InTx(slot, end @ (InTx::Commit | InTx::Abort)) => {
                let Some(partition) = self.open[*slot].take() else { return };
                let staged = std::mem::take(&mut self.staged);
                let (mine, others): (BTreeMap<_, _>, _) =
                    staged.into_iter().partition(|(name, _)| name.0 == partition);
                self.staged = others;
                if matches!(end, InTx::Commit) {
                    self.settle(mine);
                }
            }
            _ => {}
        }
    }

    fn wrote(&mut self, partition: &Partition, steps: &[Step]) {
        let writes = steps.iter().filter_map(Step::writes);
        let own = |id: &DocId| (partition.clone(), id.clone());
        let writes: Vec<_> = writes.map(|(id, stays)| (own(id), stays)).collect();
        self.settle(writes);
    }

    fn settle(&mut self, writes: impl IntoIterator<Item = (Name, bool)>) {
        for (name, stays) in writes {
            if stays {
                self.there.insert(name);
            } else {
                self.there.remove(&name);
            }
        }
    }

    pub(super) fn next(&mut self) -> Action {
        let open: Vec<_> = (0..SLOTS).filter(|slot| self.open[*slot].is_some()).collect();
        if !open.is_empty() && self.random.u8(..3) == 0 {
            let slot = open[self.random.usize(..open.len())];
            return Action::InTx(slot, self.in_tx(slot));
        }
        match self.random.u8(..100) {
            10..=12 => Action::GetIfChanged(self.name(), self.random.usize(..=self.etags)),
            13..=44 => {
                let partition = self.partition();
                let step = self.write(&partition);
                Action::Write(partition, step, self.author())
            }
            45..=61 => {
                let partition = self.partition();
                Action::Batch(partition.clone(), self.steps(&partition), self.author())
            }
            62..=67 => Action::Scan(self.partition(), self.range(), self.random.usize(1..4)),
            68..=70 => Action::Mark(self.partition(), self.random.usize(..SLOTS)),
            71..=72 => {
                let after = self.random.bool().then(|| self.partition());
                Action::Partitions(after, self.random.usize(1..5))
            }
            73..=75 => Action::Count(self.scope()),
            76..=77 => Action::CountWhere(self.scope(), self.query()),
            78..=84 => Action::Query(self.scope(), self.query(), self.random.usize(1..4)),
            85..=86 => Action::Aggregate(self.scope(), self.aggregation()),
            87..=92 => self.changes_since(),
            93..=94 => Action::ChangeToken(self.scope(), self.random.usize(..SLOTS)),
            95..=96 if self.audit => Action::Audit(self.partition(), self.random.usize(1..50)),
            97..=98 if self.transactions => {
                let slot = self.random.usize(..SLOTS);
                if self.open[slot].is_some() {
                    return Action::InTx(slot, self.in_tx(slot));
                }
                Action::Begin(self.partition(), slot)
            }
            _ => Action::Get(self.name()),
        }
    }

    fn changes_since(&mut self) -> Action {
        let (slot, pages) = (self.random.usize(..SLOTS), self.random.usize(1..6));
        match &self.tokens[slot] {
            Some(scope) if self.random.u8(..4) > 0 => {
                Action::Changes(scope.clone(), slot, true, pages)
            }
            // A token of another scope is a mistake that is told.
            Some(_) if self.random.u8(..4) == 0 => {
                Action::Changes(Scope::Partition(self.partition()), slot, true, pages)
            }
            _ => Action::Changes(self.scope(), slot, false, pages),
        }
    }

    fn in_tx(&mut self, slot: usize) -> InTx {
        let own = self.open[slot].clone().unwrap_or_else(|| self.partition());
        match self.random.u8(..20) {
            0..=3 => InTx::Get(if self.random.bool() { (own, self.id()) } else { self.name() }),
            4..=11 => {
                let partition = if self.random.u8(..12) == 0 { self.partition() } else { own };
                let mut steps = self.steps(&partition);
                steps.retain(|step| !matches!(step, Step::Unchanged(_)));
                InTx::Batch(partition, steps)
            }
            12..=13 => InTx::Scan(own, self.range()),
            14 => InTx::Resume,
            15..=17 => InTx::Commit,
            18 => InTx::Abort,
            _ => InTx::Outcome,
        }
    }

    fn partition(&mut self) -> Partition {
        let name = PARTITIONS[self.random.usize(..PARTITIONS.len())];
        Partition::internal(name).unwrap_or_else(|_| unreachable!("a good name"))
    }

    fn id(&mut self) -> DocId {
        let name = IDS[self.random.usize(..IDS.len())];
        DocId::internal(name).unwrap_or_else(|_| unreachable!("a good name"))
    }

    fn name(&mut self) -> Name {
        (self.partition(), self.id())
    }

    fn scope(&mut self) -> Scope {
        if self.random.u8(..3) == 0 { Scope::All } else { Scope::Partition(self.partition()) }
    }

    fn author(&mut self) -> Option<&'static str> {
        [None, None, Some("ann"), Some("b'ob")][self.random.usize(..4)]
    }

    fn pre(&mut self, partition: &Partition, id: &DocId, present: bool) -> Pre {
        let newest = self.newest.get(&(partition.clone(), id.clone())).copied();
        match self.random.u8(..12) {
            0..=3 => Pre::Overwrite,
            4 if !present => Pre::Absent,
            5 => Pre::Exists,
            6..=8 => newest.map_or(Pre::Exists, Pre::Match),
            9 => Pre::Match(self.random.usize(..=self.etags)),
            10 => Pre::Field(self.value()),
            _ if present => Pre::Exists,
            _ => Pre::Absent,
        }
    }

    fn write(&mut self, partition: &Partition) -> Step {
        let id = self.id();
        match self.random.u8(..10) {
            0..=5 => {
                let pre = self.pre(partition, &id, false);
                Step::Put(id, self.body(), pre)
            }
            6..=7 => {
                // Wrong now and then.
                let wrong = self.random.u8(..20) == 0;
                let pre = if wrong { Pre::Absent } else { self.pre(partition, &id, true) };
                Step::Patch(id, self.body(), pre)
            }
            _ => {
                let wrong = self.random.u8(..20) == 0;
                let pre = if wrong { Pre::Absent } else { self.pre(partition, &id, true) };
                Step::Delete(id, pre)
            }
        }
    }

    fn steps(&mut self, partition: &Partition) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..self.random.usize(..6) {
            steps.push(match self.random.u8(..12) {
                0 => {
                    let id = self.id();
                    let pre = self.pre(partition, &id, false);
                    Step::Check(id, pre)
                }
                1 => {
                    let slot = self.random.usize(..SLOTS);
                    if self.marks[slot].as_ref() != Some(partition) {
                        continue;
                    }
                    Step::Unchanged(slot)
                }
                _ => self.write(partition),
            });
        }
        steps
    }

    fn range(&mut self) -> ScanOptions {
        let mut options = ScanOptions::default().limit(self.random.usize(1..6));
        let (a, b) = (self.id(), self.id());
        options = match self.random.u8(..6) {
            0 => options.ids(a.as_str()..b.as_str()),
            1 => options.ids(a.as_str()..),
            2 => options.ids(..=a.as_str()),
            3 => options.prefix("a"),
            _ => options,
        };
        if self.random.bool() { options.descending() } else { options }
    }

    fn value(&mut self) -> Value {
        match self.random.u8(..12) {
            0..=4 => json!(self.random.i64(-2..5)),
            5 => json!(1.0),
            6 => json!(9_007_199_254_740_993_u64),
            7 => json!(0.5),
            8 => json!(true),
            _ => json!(TEXTS[self.random.usize(..TEXTS.len())]),
        }
    }

    fn body(&mut self) -> Json {
        let mut members = serde_json::Map::new();
        for name in ["n", "s", "l", "q'\""] {
            match self.random.u8(..6) {
                0 => {}
                1 => drop(members.insert(name.to_owned(), Value::Null)),
                2 => {
                    let list = (0..self.random.usize(..3)).map(|_| self.value()).collect();
                    members.insert(name.to_owned(), Value::Array(list));
                }
                _ => drop(members.insert(name.to_owned(), self.value())),
            }
        }
        Json::stored(Value::Object(members).to_string())
    }

    fn filter(&mut self, depth: usize) -> Filter {
        let pointer = ["/n", "/s", "/l", "/q'\"", "@id", "@updated_by"][self.random.usize(..6)];
        let of = || field(pointer);
        match self.random.u8(..if depth == 0 { 12 } else { 16 }) {
            0 => of().eq(self.value()),
            1 => of().ne(self.value()),
            2 => of().gt(self.value()),
            3 => of().lte(self.value()),
            4 => of().one_of([self.value(), self.value()]),
            5 => of().none_of([self.value()]),
            6 => of().contains(self.value()),
            7 => of().starts_with(TEXTS[self.random.usize(..TEXTS.len())]),
            8 => of().exists(),
            9 => of().is_na(),
            10 => of().length().gte(self.random.u64(..3)),
            11 => field(["/n", "/l"][self.random.usize(..2)]).any(field("").eq(self.value())),
            12 => !self.filter(depth - 1),
            13 => of().regex("^a|é$"),
            14 => Filter::Or(vec![self.filter(depth - 1), self.filter(depth - 1)]),
            _ => Filter::And(vec![self.filter(depth - 1), self.filter(depth - 1)]),
        }
    }

    fn query(&mut self) -> Query {
        let mut query = Query::default();
        query.filter = if self.random.u8(..4) == 0 { Filter::Everything } else { self.filter(2) };
        for _ in 0..self.random.usize(..3) {
            let field = [Field::Body("/n".into()), Field::Body("/s".into()), Field::Id]
                [self.random.usize(..3)]
            .clone();
            let order = [SortOrder::Ascending, SortOrder::Descending][self.random.usize(..2)];
            query.sort.push(Sort { field, order });
        }
        query.limit = Some(self.random.usize(1..8));
        query.offset = if self.random.u8(..4) == 0 { self.random.usize(..5) } else { 0 };
        query
    }

    fn aggregation(&mut self) -> Aggregation {
        let mut of = Aggregation::default();
        of.filter = if self.random.bool() { Filter::Everything } else { self.filter(1) };
        if self.random.bool() {
            of.by = vec![Field::Body("/s".into())];
        }
        let n = || Field::Body("/n".into());
        let (sum, min, max) = (AggregateOf::Sum(n()), AggregateOf::Min(n()), AggregateOf::Max(n()));
        of.of = vec![AggregateOf::Count, sum, min, max];
        of
    }
}
