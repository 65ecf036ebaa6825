//! What batches come to, on a map.

use ifmatch_core::Simulation;

use super::*;
use crate::precondition::DocPrecondition::{IfAbsent, IfExists, IfMatch, Overwrite};

struct Map(BTreeMap<DocId, Document>);

impl Present<Error> for Map {
    type Document = Document;

    fn document(&mut self, id: &DocId) -> Result<Option<Document>> {
        Ok(self.0.get(id).cloned())
    }

    fn is_unchanged(&mut self, since: &Mark) -> Result<bool> {
        Ok(since.as_str() == "now")
    }
}

fn id(name: &str) -> DocId {
    DocId::new(name).unwrap()
}

fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}

fn put(name: &str, text: &str, precondition: DocPrecondition) -> Op {
    Op::put(id(name), json(text), precondition)
}

/// Evaluates `ops` on documents `a` = {"n":1} and `b` = {"n":2}.
fn run(ops: &[Op]) -> (Result<Evaluated>, ETag) {
    let env = Simulation::seeded(1).env();
    let partition = Partition::new("p").unwrap();
    let mut map = BTreeMap::new();
    for (name, text) in [("a", r#"{"n":1}"#), ("b", r#"{"n":2}"#)] {
        let document = Document {
            key: DocKey { partition: partition.clone(), id: id(name) },
            etag: ETag::mint(1, &env),
            body: json(text),
            created_at: Timestamp::from_micros(5),
            updated_at: Timestamp::from_micros(5),
            updated_by: None,
        };
        map.insert(id(name), document);
    }
    let a = map[&id("a")].etag;
    let etags: Vec<_> = ops.iter().map(|_| ETag::mint(2, &env)).collect();
    let now = Timestamp::from_micros(9);
    let author = Some("ann".into());
    let (partition, etags) = (&partition, &etags);
    let batch =
        Batch { partition, ops, etags, now, author, return_documents: true, largest: 1_000 };
    (evaluate(&batch, &mut Map(map)), a)
}

#[test]
fn later_operations_see_earlier_ones_and_effects_are_net() {
    let ops = [
        put("c", "1", IfAbsent),
        put("c", "2", IfExists),
        Op::delete(id("a"), Overwrite),
        put("a", "3", IfAbsent),
        put("d", "4", IfAbsent),
        Op::delete(id("d"), IfExists),
        Op::delete(id("e"), Overwrite),
        Op::patch(id("b"), json(r#"{"m":5}"#), IfExists),
    ];
    let (evaluated, a) = run(&ops);
    let evaluated = evaluated.unwrap();
    let told: Vec<_> = evaluated
        .effects
        .iter()
        .map(|effect| (effect.id.as_str(), effect.after.as_ref().map(|d| d.body.as_str())))
        .collect();
    assert_eq!(told, [("c", Some("2")), ("a", Some("3")), ("b", Some(r#"{"m":5,"n":2}"#))]);
    assert_eq!(evaluated.effects[1].before, Some(a));
    // Deleted and created anew in one commit: a new document.
    let again = evaluated.effects[1].after.as_ref().unwrap();
    assert_eq!(again.created_at, Timestamp::from_micros(9));
    let patched = evaluated.effects[2].after.as_ref().unwrap();
    assert_eq!(patched.created_at, Timestamp::from_micros(5));
    assert_eq!(patched.updated_by.as_deref(), Some("ann"));
    let cost = Cost { requests: 1, ..Cost::default() };
    let answers = evaluated.answers(7, cost);
    let Applied::Written(first) = &answers[0] else { panic!("{answers:?}") };
    assert_eq!((first.created, first.position, first.cost), (true, 7, cost));
    let Applied::Written(second) = &answers[1] else { panic!("{answers:?}") };
    assert_eq!((second.created, second.cost), (false, Cost::default()));
    assert_eq!(second.document.as_ref().unwrap().body.as_str(), "2");
    assert_eq!(answers[6].etag(), None);
}

#[test]
fn the_first_operation_that_fails_is_named() {
    let (_, a) = run(&[]);
    for (ops, index) in [
        (vec![put("a", "1", IfMatch(a)), put("a", "2", IfMatch(a))], 1),
        (vec![put("c", "1", IfAbsent), Op::check(id("c"), IfAbsent)], 1),
        (vec![Op::patch(id("z"), json("{}"), Overwrite)], 0),
        (vec![Op::check(id("a"), IfExists), Op::Unchanged { since: Mark::new("then") }], 1),
    ] {
        let error = run(&ops).0.unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(index)), "{error}");
    }
    let checks = [Op::check(id("a"), IfMatch(a)), Op::Unchanged { since: Mark::new("now") }];
    let evaluated = run(&checks).0.unwrap();
    assert!(evaluated.effects.is_empty());
    assert_eq!(evaluated.answers(3, Cost::default())[0].etag(), Some(a));
}
