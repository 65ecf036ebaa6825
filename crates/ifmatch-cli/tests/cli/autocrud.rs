//! Databases of autocrud.

use std::path::Path;

use crate::session::Session;

#[test]
fn a_database_of_autocrud_is_imported_from_a_file_and_from_a_blob() {
    let mut session = Session::new();
    let fixture = "../../tests/data/autocrud/0.9.0-msgpack.db.zst";
    let packed = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture)).unwrap();
    let database = zstd::decode_all(&packed[..]).unwrap();
    std::fs::write(session.folder.path().join("a.db"), database).unwrap();
    let into = ["--partition", "packages", "--author", "ann"];
    let file = [&["meta", "import", "sqlite:d.db", "--autocrud", "a.db"][..], &into].concat();
    assert_eq!(session.run(&[&file[..], &["--json"]].concat()).code, 0);
    assert_eq!(session.run(&file).code, 0);
    assert_eq!(session.run(&["meta", "count", "sqlite:d.db", "packages"]).code, 0);
    let store = session.store();
    let key = "shared.db";
    assert_eq!(session.run(&["blob", "put", &store, key, "a.db", "--if-absent"]).code, 0);
    let blob = format!("{store}/{key}");
    let field = ["--partition-field", "created_by", "--partition", "nobody"];
    let other = [&["meta", "import", "sqlite:e.db", "--autocrud", &blob][..], &field].concat();
    assert_eq!(session.run(&other).code, 0);
    let missing = ["meta", "import", "sqlite:f.db", "--autocrud", "none.db"];
    assert_eq!(session.run(&[&missing[..], &into].concat()).code, 3);
    assert_eq!(session.run(&missing).code, 2, "where to?");
    insta::assert_snapshot!(session.recorded());
}
