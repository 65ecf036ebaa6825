//! Local transactions across processes.

use crate::session::Session;

/// A transaction of many commands, with everything that is recorded.
fn life(session: &mut Session, store: &str) {
    let on = format!("{store}{}transactions=on", if store.contains('?') { '&' } else { '?' });
    let mut run = |arguments: &[&str], code: i32| {
        let mut arguments = arguments.to_vec();
        arguments.insert(2, if arguments[0] == "tx" { &on } else { store });
        let ran =
            session.run_with(&arguments, "{\"op\":\"delete\",\"id\":\"a\",\"if_exists\":true}\n");
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        ran
    };
    run(&["meta", "put", "p", "a", "1", "--if-absent", "--json"], 0);
    run(&["tx", "get", "t", "a", "--json"], 4);
    run(&["tx", "outcome", "t", "--json"], 0);
    run(&["tx", "begin", "t", "--partition", "p", "--lifetime", "61s", "--json"], 2);
    run(&["tx", "begin", "a b", "--partition", "p", "--json"], 2);
    run(&["tx", "begin", "t", "--partition", "p", "--json"], 0);
    run(&["tx", "begin", "t", "--partition", "p"], 0);
    run(&["tx", "begin", "other", "--partition", "p", "--json"], 4);
    run(&["tx", "begin", "t", "--partition", "q", "--json"], 2);
    run(&["meta", "put", "p", "b", "2", "--overwrite", "--json"], 4);
    run(&["meta", "put", "q", "b", "2", "--overwrite", "--json"], 0);
    run(&["tx", "put", "t", "b", r#"{"n": 2}"#, "--if-absent", "--json", "--author", "ann"], 0);
    run(&["tx", "put", "t", "b", "3", "--if-absent", "--json"], 4);
    run(&["tx", "patch", "t", "b", r#"{"m":3}"#, "--if-exists", "--json"], 0);
    run(&["tx", "get", "t", "b", "--json"], 0);
    run(&["meta", "get", "p", "b", "--json"], 3);
    run(&["tx", "put", "t", "c", "3", "--if-absent"], 0);
    run(&["tx", "delete", "t", "c", "--if-exists", "--json"], 0);
    run(&["tx", "batch", "t", "--json"], 0);
    run(&["tx", "get", "t", "a", "--json"], 3);
    run(&["tx", "put", "t", "d", "4", "--if-absent", "--json"], 0);
    run(&["tx", "range", "t", "--json"], 0);
    run(&["tx", "range", "t", "--reverse", "--limit", "1", "--json"], 0);
    run(&["tx", "outcome", "t", "--json"], 0);
    run(&["tx", "commit", "t", "--json"], 0);
    run(&["tx", "commit", "t"], 0);
    run(&["tx", "outcome", "t"], 0);
    run(&["tx", "abort", "t", "--json"], 4);
    run(&["tx", "put", "t", "d", "5", "--if-exists", "--json"], 4);
    run(&["meta", "scan", "p", "--json"], 0);
    run(&["tx", "begin", "t", "--partition", "p", "--lifetime", "30s"], 0);
    run(&["tx", "put", "t", "d", "5", "--if-exists"], 0);
    run(&["tx", "abort", "t"], 0);
    run(&["tx", "abort", "t", "--json"], 0);
    run(&["tx", "commit", "t", "--json"], 4);
    run(&["tx", "outcome", "t"], 0);
    run(&["tx", "begin", "empty", "--partition", "p"], 0);
    run(&["tx", "commit", "empty", "--json"], 0);
}

#[test]
fn a_transaction_goes_through_many_processes_on_sqlite() {
    let mut session = Session::new();
    life(&mut session, "sqlite:d.db");
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn a_transaction_goes_through_many_processes_on_blobs() {
    let mut session = Session::new();
    let store = session.store();
    life(&mut session, &store);
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn a_transaction_ends_with_its_lifetime() {
    let mut session = Session::new();
    let on = "sqlite:d.db?transactions=on";
    let mut run = |arguments: &[&str]| session.run(arguments).code;
    assert_eq!(run(&["tx", "begin", on, "t", "--partition", "p", "--lifetime", "2s"]), 0);
    let free = (0..3_000).any(|_| run(&["meta", "put", on, "p", "a", "6", "--overwrite"]) == 0);
    assert!(free);
    assert_eq!(run(&["tx", "put", on, "t", "a", "5", "--overwrite"]), 4);
    assert_eq!(run(&["tx", "commit", on, "t"]), 4);
}

#[test]
fn a_transaction_goes_through_many_processes_in_postgres_where_there_is_one() {
    let Ok(url) = std::env::var("IFMATCH_TEST_POSTGRES_URL") else { return };
    let mut session = Session::new();
    let mark = if url.contains('?') { '&' } else { '?' };
    let schema = format!("cli_tx_{}", std::process::id());
    life(&mut session, &format!("{url}{mark}schema={schema}"));
}

#[test]
fn without_the_option_no_transaction_is_begun() {
    let mut session = Session::new();
    let ran = session.run(&["tx", "begin", "sqlite:d.db", "t", "--partition", "p", "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("transactions=on"), "{}", ran.err);
}
