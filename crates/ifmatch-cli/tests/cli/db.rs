use crate::session::Session;

#[test]
fn a_database_is_shared_collides_and_is_reloaded() {
    let mut session = Session::new();
    let store = session.store();
    let store = store.as_str();
    for (arguments, code) in [
        (&["db", "status", "one.db", "--json"][..], 3),
        (&["db", "init", "one.db", store, "--json"], 3),
        (&["db", "clone", store, "one.db", "--json"], 3),
        (&["meta", "put", "sqlite:one.db", "p", "a", "{}", "--if-absent", "--quiet"], 0),
        (&["db", "push", "one.db", "--json"], 3),
        (&["db", "init", "one.db", store], 0),
        (&["db", "init", "one.db", store], 2),
        (&["db", "clone", store, "two.db", "--quiet"], 0),
        (&["db", "clone", store, "two.db"], 2),
        (&["db", "pull", "two.db"], 0),
        (&["meta", "put", "sqlite:one.db", "p", "b", "{}", "--if-absent"], 0),
        (&["meta", "put", "sqlite:two.db", "p", "c", "{}", "--if-absent"], 0),
        (&["db", "push", "one.db"], 0),
        (&["db", "push", "two.db"], 4),
        (&["db", "push", "two.db", "--json"], 4),
        (&["db", "sync", "two.db"], 4),
        (&["db", "status", "two.db"], 0),
        (&["db", "status", "two.db", "--json"], 0),
        (&["db", "reload", "two.db"], 0),
        (&["db", "push", "two.db", "--json"], 0),
        (&["db", "pull", "one.db"], 0),
        (&["meta", "put", "sqlite:one.db", "p", "d", "{}", "--if-absent"], 0),
        (&["meta", "put", "sqlite:two.db", "p", "e", "{}", "--if-absent"], 0),
        (&["db", "push", "one.db"], 0),
        (&["db", "push", "two.db", "--force"], 0),
        (&["db", "pull", "one.db"], 0),
        (&["meta", "get", "sqlite:one.db", "p", "d"], 3),
        (&["meta", "get", "sqlite:one.db", "p", "e", "--quiet"], 0),
    ] {
        let ran = session.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
    }
    insta::assert_snapshot!(without_sizes(&session.recorded()));
}

#[test]
fn documents_of_a_shared_file_are_synced_by_their_store() {
    let mut session = Session::new();
    let store = session.store();
    let store = store.as_str();
    for (arguments, code) in [
        (&["meta", "sync", "sqlite:one.db"][..], 3),
        (&["meta", "put", "sqlite:one.db", "p", "a", "{}", "--if-absent", "--quiet"], 0),
        (&["meta", "sync", "sqlite:one.db"], 3),
        (&["db", "init", "one.db", store, "--quiet"], 0),
        (&["db", "clone", store, "two.db", "--quiet"], 0),
        (&["meta", "sync", "sqlite:one.db"], 0),
        (&["meta", "put", "sqlite:one.db", "p", "b", "{}", "--if-absent", "--quiet"], 0),
        (&["meta", "sync", "sqlite:one.db", "--json"], 0),
        (&["meta", "sync", "sqlite:two.db"], 0),
        (&["meta", "get", "sqlite:two.db", "p", "b", "--quiet"], 0),
        (&["meta", "put", "sqlite:one.db", "p", "c", "{}", "--if-absent", "--quiet"], 0),
        (&["meta", "put", "sqlite:two.db", "p", "d", "{}", "--if-absent", "--quiet"], 0),
        (&["meta", "sync", "sqlite:one.db"], 0),
        (&["meta", "sync", "sqlite:two.db"], 4),
        (&["meta", "sync", "sqlite:two.db", "--on-conflict", "reload"], 4),
        (&["meta", "get", "sqlite:two.db", "p", "c", "--quiet"], 0),
        (&["meta", "sync", "sqlite:two.db?nonsense=1"], 2),
        (&["meta", "sync", "memory://teams", "--json"], 1),
    ] {
        let ran = session.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
    }
    insta::assert_snapshot!(without_sizes(&session.recorded()));
}

#[test]
fn a_file_that_is_no_database_is_corrupt_and_stays_as_it_is() {
    let mut session = Session::new();
    let store = session.store();
    let path = session.folder.path().join("text.db");
    std::fs::write(&path, "no database at all, but long enough to be one: ".repeat(40)).unwrap();
    let before = std::fs::read(&path).unwrap();
    for arguments in [
        &["db", "init", "text.db", &store, "--json"][..],
        &["meta", "put", "sqlite:text.db", "p", "a", "{}", "--if-absent", "--json"],
    ] {
        let ran = session.run(arguments);
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(ran.err.contains(r#""kind":"corrupt""#), "{}", ran.err);
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// Bytes differ with compression, requests with the time a probe's race takes.
fn without_sizes(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = match line.split_once(" requests, ") {
            Some((start, _)) => {
                let (start, _) = start.rsplit_once('(').unwrap_or((start, ""));
                format!("{start}(N requests, N bytes)")
            }
            None => line.to_owned(),
        };
        let mut shown = line;
        for field in ["bytes_up", "bytes_down"] {
            if let Some((start, rest)) = shown.clone().split_once(&format!("\"{field}\":")) {
                let end = rest.find([',', '}']).unwrap_or(rest.len());
                shown = format!("{start}\"{field}\":N{}", &rest[end..]);
            }
        }
        lines.push(shown);
    }
    lines.join("\n")
}
