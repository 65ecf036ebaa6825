use crate::session::Session;

const LINES: &str = r#"{"section":"games","package":"a","n":1}
{"section":"games","package":"b","n":2}

{"section":"tools","package":"a","n":3}
not json
{"package":"nowhere"}
"#;

#[test]
fn documents_are_imported_read_changed_and_deleted() {
    let mut session = Session::new();
    std::fs::write(session.folder.path().join("lines"), LINES).unwrap();
    let db = "sqlite:d.db";
    assert_eq!(session.run(&["meta", "get", db, "games", "a", "--json"]).code, 3);
    assert!(!session.folder.path().join("d.db").exists(), "a read creates nothing");
    let import =
        ["meta", "import", db, "lines", "--partition-field", "section", "--id-field", "package"];
    assert_eq!(session.run(&import).code, 2);
    assert_eq!(session.run(&[&import[..], &["--json"]].concat()).code, 2);
    assert_eq!(
        session
            .run(&["meta", "import", db, "none", "--partition-field", "s", "--id-field", "p"])
            .code,
        3
    );
    let got = session.run(&["meta", "get", db, "games", "a", "--json"]);
    assert_eq!(got.code, 0);
    let etag = got.out.split("\"etag\":\"\\\"").nth(1).unwrap().split("\\\"").next().unwrap();
    let etag = format!("\"{etag}\"");
    let put = ["meta", "put", db, "games", "a", r#"{"n":9}"#, "--if-match", &etag];
    assert_eq!(session.run(&[&put[..], &["--json", "--author", "ann"]].concat()).code, 0);
    assert_eq!(session.run(&[&put[..], &["--json"]].concat()).code, 4);
    assert_eq!(session.run(&["meta", "get", db, "games", "a", "--json"]).code, 0);
    let absent = ["meta", "put", db, "games", "new", "-", "--if-absent"];
    assert_eq!(session.run_with(&absent, r#"{"n": 1e400}"#).code, 2);
    assert_eq!(session.run_with(&absent, r#"{"n": 1}"#).code, 0);
    assert_eq!(session.run(&["meta", "delete", db, "games", "new", "--if-match", &etag]).code, 4);
    assert_eq!(
        session.run(&["meta", "delete", db, "games", "new", "--if-exists", "--json"]).code,
        0
    );
    assert_eq!(session.run(&["meta", "delete", db, "games", "new", "--overwrite"]).code, 0);
    assert_eq!(session.run(&["meta", "put", db, "ifmatch.x", "i", "{}", "--overwrite"]).code, 2);
    insta::assert_snapshot!(session.recorded());
}
