//! Many documents, on every kind of store that outlives a process.

use crate::session::Session;

const OPERATIONS: &str = r#"{"op":"put","id":"c","body":{"n": 3.0},"if_absent":true}

{"op":"patch","id":"a","body":{"m":1},"if_exists":true}
{"op":"check","id":"none","if_absent":true}
{"op":"check","id":"b","if_field":{"pointer":"/n","value":2}}
"#;

/// A store's life, with everything that is recorded.
fn life(session: &mut Session, store: &str) {
    let mut run = |arguments: &[&str], input: &str, code: i32| {
        let arguments = [&["meta", arguments[0], store], &arguments[1..]].concat();
        let ran = session.run_with(&arguments, input);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        ran
    };
    run(&["scan", "p", "--json"], "", 3);
    run(&["put", "p", "a", r#"{"n":1}"#, "--if-absent", "--author", "ann"], "", 0);
    run(&["put", "p", "b", "-", "--if-absent", "--json"], "{\"n\":2}", 0);
    run(&["put", "q", "a", "[ 1 ]", "--overwrite", "--json"], "", 0);
    run(&["batch", "p", "--json", "--author", "bob"], OPERATIONS, 0);
    run(&["batch", "p", "-"], r#"{"op":"delete","id":"b","overwrite":true}"#, 0);
    run(&["batch", "p", "--json"], r#"{"op":"delete","id":"c","if_absent":true}"#, 2);
    let two = "{\"op\":\"delete\",\"id\":\"c\",\"if_exists\":true}\n{\"op\":\"put\",\"id\":\"a\",\"body\":1,\"if_absent\":true}";
    run(&["batch", "p", "--json"], two, 4);
    run(&["scan", "p"], "", 0);
    run(&["scan", "p", "--reverse", "--json", "--fields", "/n"], "", 0);
    let page = run(&["scan", "p", "--limit", "1", "--json"], "", 0);
    let token = page.out.split("{\"next\":\"").nth(1).unwrap().split('"').next().unwrap();
    run(&["scan", "p", "--after", token, "--json"], "", 0);
    run(&["scan", "p", "--from", "b", "--json", "--fields", "/n"], "", 0);
    run(&["scan", "p", "--prefix", "a", "--json", "--fields", "/n"], "", 0);
    let large = r#"{"field":"/n","op":"gte","value":1}"#;
    run(&["query", "--where", large, "--sort", "-/n", "--json", "--fields", "/n"], "", 0);
    run(&["query", "p", "--sort", "@id", "--limit", "1", "--offset", "1", "--json"], "", 0);
    run(&["query", "--where", r#"{"field":"/n","op":"big"}"#, "--json"], "", 2);
    run(&["query", "--sort", "n", "--json"], "", 2);
    run(&["count", "--json"], "", 0);
    run(&["count", "p"], "", 0);
    run(&["count", "p", "--where", large, "--json"], "", 0);
    let first = run(&["changes", "p", "--json"], "", 0);
    let token = first.out.split("{\"next\":\"").nth(1).unwrap().split('"').next().unwrap();
    let token = token.to_owned();
    run(&["delete", "p", "a", "--if-exists"], "", 0);
    run(&["changes", "p", "--since", &token, "--json"], "", 0);
    run(&["changes", "p", "--limit", "1", "--json"], "", 0);
    run(&["changes", "p", "--since", "nonsense", "--json"], "", 2);
    run(&["changes", "q", "--since", &token, "--json"], "", 2);
    run(&["export"], "", 0);
    run(&["export", "--partition", "q", "--bodies"], "", 0);
}

#[test]
fn documents_live_in_a_sqlite_file() {
    let mut session = Session::new();
    life(&mut session, "sqlite:d.db");
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn documents_live_on_blobs() {
    let mut session = Session::new();
    let store = session.store();
    life(&mut session, &store);
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn documents_live_in_postgres_where_there_is_one() {
    let Ok(url) = std::env::var("IFMATCH_TEST_POSTGRES_URL") else { return };
    let mut session = Session::new();
    let mark = if url.contains('?') { '&' } else { '?' };
    let schema = format!("cli_{}", std::process::id());
    life(&mut session, &format!("{url}{mark}schema={schema}"));
}

#[test]
fn documents_in_memory_last_as_long_as_the_process() {
    let mut session = Session::new();
    let put = ["meta", "put", "memory://x", "p", "a", "1", "--if-absent"];
    assert_eq!(session.run(&put).code, 0);
    assert_eq!(session.run(&put).code, 0);
    assert_eq!(session.run(&["meta", "get", "memory://x", "p", "a"]).code, 3);
}

#[test]
fn an_export_is_there_once_it_is_whole_and_can_be_imported() {
    let mut session = Session::new();
    let (db, lines) = ("sqlite:d.db", "{\"k\":\"p\",\"i\":\"a\"}\n{\"k\":\"p\",\"i\":\"b\"}\n");
    let fields = ["--partition-field", "k", "--id-field", "i"];
    session.run_with(&[&["meta", "import", db][..], &fields].concat(), lines);
    let ran = session.run(&["meta", "export", db, "all.jsonl", "--bodies", "--json"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "{\"exported\":2}\n"), "{}", ran.err);
    let file = session.folder.path().join("all.jsonl");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lines);
    let other = [&["meta", "import", "sqlite:e.db", "all.jsonl"][..], &fields].concat();
    assert_eq!(session.run(&other).code, 0);
    std::fs::write(&file, "before").unwrap();
    assert_eq!(session.run(&["meta", "export", "sqlite:none.db", "all.jsonl"]).code, 3);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
}

#[test]
fn followed_changes_come_as_they_happen_and_ctrl_c_ends_them() {
    use std::io::BufRead;
    use std::process::{Command, Stdio};
    let mut session = Session::new();
    let db = "sqlite:d.db";
    session.run(&["meta", "put", db, "p", "a", "1", "--overwrite"]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_ifmatch"))
        .args(["meta", "changes", db, "--follow", "--json"])
        .current_dir(session.folder.path())
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("\"id\":\"a\""));
    assert!(next().starts_with("{\"next\":"));
    session.run(&["meta", "put", db, "p", "b", "1", "--overwrite"]);
    assert!(next().contains("\"id\":\"b\""));
    assert!(next().starts_with("{\"next\":"));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
