//! Documents with awkward names and values.

use fastrand::Rng;
use futures::TryStreamExt;
use ifmatch_meta::{
    DocKey, DocPrecondition, Document, Field, Json, MetaStore, Op, Partition, Result, ScanOptions,
    Scope, WriteOptions,
};

use super::values::{Kind, text_of};

/// Members of bodies. None is what a path language would read it as.
const NAMES: &[&str] = &[
    "a",
    "A",
    "a.b",
    "q\"t'",
    "s/l",
    "t~",
    "",
    "é",
    "e\u{301}",
    "\u{1f600}",
    " ",
    "%_",
    "0",
    "o",
    "l",
    "b\\s",
    "$",
    "-",
];
/// Further pointers: into members, and at what is never there.
const INSIDE: &[&str] = &[
    "", "/o/x", "/o/b", "/o/", "/o//", "/o/a.b", "/o/l/1", "/a/b", "/a/a/b", "/l/0", "/l/1",
    "/l/00", "/l/-", "/l/0/x", "/l/0/0", "/none", "/none/x", "/0/0", "//",
];
const PARTITIONS: &[&str] = &["P%", "p", "p/_\\é'\""];
const IDS: &[&str] = &[
    "!",
    "%",
    "'",
    "0",
    "00",
    "A",
    "B",
    "_",
    "a",
    "a b",
    "a%",
    "a/b",
    "a_",
    "aa",
    "b",
    "e\u{301}",
    "\"q\"",
    "é",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ffff}",
    "\u{10000}",
    "\u{1f600}",
    "~",
    "10",
    "9",
    "..",
    "x\ny",
    "İ",
    "z",
];
const AUTHORS: &[&str] = &["", "%", "me", "Me", "é", "e\u{301}", "1"];

/// All fields that filters ask of, members of bodies twice.
pub(super) fn fields() -> Vec<Field> {
    let named = ["@id", "@partition", "@etag", "@created_at", "@updated_at", "@updated_by"];
    let members = NAMES.iter().map(|name| format!("/{}", escaped(name)));
    let inside = INSIDE.iter().map(|pointer| (*pointer).to_owned());
    let all = members.clone().chain(members).chain(inside).chain(named.map(str::to_owned));
    all.filter_map(|text| text.parse().ok()).collect()
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The scopes that queries are asked in.
pub(super) fn scope(rng: &mut Rng) -> Scope {
    let partition = PARTITIONS.get(rng.usize(..=PARTITIONS.len()));
    partition.and_then(|name| Partition::new(name).ok()).map_or(Scope::All, Scope::Partition)
}

/// What is to be there: names and bodies.
pub(super) fn contents(rng: &mut Rng) -> Vec<(DocKey, String)> {
    let mut all = Vec::new();
    // Of each member most values have one type, or too few would ever be equal.
    let kinds = NAMES.iter().map(|_| Kind::ALL[rng.usize(1..Kind::ALL.len())]).collect::<Vec<_>>();
    for partition in PARTITIONS {
        for id in IDS {
            if rng.bool()
                && let Ok(key) = DocKey::new(partition, id)
            {
                all.push((key, body(&kinds, rng)));
            }
        }
    }
    all
}

fn body(mostly: &[Kind], rng: &mut Rng) -> String {
    if rng.u8(..12) == 0 {
        return text_of(Kind::ALL[rng.usize(1..Kind::ALL.len())], rng);
    }
    let mut members = Vec::new();
    for (name, mostly) in NAMES.iter().zip(mostly) {
        let any = Kind::ALL[rng.usize(..Kind::ALL.len())];
        let kind = if rng.u8(..5) < 3 { *mostly } else { any };
        // Lists and objects where pointers go into them.
        let kind = match *name {
            "o" if rng.u8(..3) > 0 => Kind::Object,
            "l" if rng.u8(..3) > 0 => Kind::List,
            _ => kind,
        };
        if kind != Kind::Missing {
            members.push(format!("{}:{}", serde_json::Value::from(*name), text_of(kind, rng)));
        }
    }
    rng.shuffle(&mut members);
    format!("{{{}}}", members.join(if rng.bool() { "," } else { " ,\n" }))
}

/// Makes the store hold other documents, and answers them in the order of
/// partition and id. Whatever else it holds is deleted.
pub(super) async fn fill(store: &dyn MetaStore, rng: &mut Rng) -> Result<Vec<Document>> {
    clear(store).await?;
    let contents = contents(rng);
    for name in PARTITIONS {
        let partition = Partition::new(name)?;
        let mut ops: Vec<Vec<Op>> = vec![Vec::new(); AUTHORS.len()];
        for (key, body) in contents.iter().filter(|(key, _)| key.partition == partition) {
            let put =
                Op::put(key.id.clone(), Json::new(body.as_str())?, DocPrecondition::Overwrite);
            ops[rng.usize(..AUTHORS.len())].push(put);
        }
        for (author, ops) in AUTHORS.iter().zip(ops) {
            let mut options = WriteOptions::default();
            if !author.is_empty() {
                options = options.author(*author);
            }
            if !ops.is_empty() {
                store.batch_with(&partition, ops, options).await?;
            }
        }
    }
    let mut found = Vec::new();
    for partition in store.partitions(None, 1_000).await? {
        let documents = store.documents(&partition, ScanOptions::default());
        found.extend(documents.try_collect::<Vec<_>>().await?);
    }
    Ok(found)
}

async fn clear(store: &dyn MetaStore) -> Result<()> {
    for partition in store.partitions(None, 1_000).await? {
        let documents = store.documents(&partition, ScanOptions::default());
        let documents: Vec<_> = documents.try_collect().await?;
        let delete = |one: &Document| Op::delete(one.key.id.clone(), DocPrecondition::Overwrite);
        for some in documents.chunks(500) {
            store.batch(&partition, some.iter().map(delete).collect()).await?;
        }
    }
    Ok(())
}
