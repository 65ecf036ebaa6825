use crate::session::Session;

#[test]
fn a_blob_goes_through_its_life_in_json() {
    let mut session = Session::new();
    let store = session.store();
    let store = store.as_str();
    assert_eq!(session.run(&["blob", "get", store, "a/b", "--json"]).code, 3);
    let put = ["blob", "put", store, "a/b", "--if-absent", "--json"];
    assert_eq!(session.run_with(&put, "one").code, 0);
    assert_eq!(session.run_with(&put, "two").code, 4);
    let head = session.run(&["blob", "head", store, "a/b"]);
    let first = head.out.split('\t').next().unwrap().to_owned();
    let update = ["blob", "put", store, "a/b", "--if-match", &first, "--json"];
    assert_eq!(session.run_with(&update, "three").code, 0);
    assert_eq!(session.run_with(&update, "four").code, 4);
    assert_eq!(session.run_with(&["blob", "put", store, "a", "-", "--overwrite"], "").code, 0);
    assert_eq!(session.run(&["blob", "head", store, "a/b", "--json"]).code, 0);
    assert_eq!(session.run(&["blob", "get", store, "a/b", "--json"]).code, 0);
    let now = session.run(&["blob", "head", store, "a/b"]).out;
    let now = now.split('\t').next().unwrap();
    assert_eq!(session.run(&["blob", "get", store, "a/b", "--if-none-match", now]).code, 0);
    let quiet = ["blob", "get", store, "a/b", "--if-none-match", now, "--json"];
    assert_eq!(session.run(&quiet).code, 0);
    assert_eq!(session.run(&["blob", "get", store, "a/b", "--if-match", &first]).code, 4);
    assert_eq!(session.run(&["blob", "get", store, "a/b", "file"]).code, 0);
    assert_eq!(std::fs::read(session.folder.path().join("file")).unwrap(), b"three");
    assert_eq!(session.run(&["blob", "ls", store, "--json"]).code, 0);
    assert_eq!(session.run(&["blob", "ls", store, "a", "--after", "a/a"]).code, 0);
    assert_eq!(session.run(&["blob", "rm", store, "a/b", "--if-match", &first]).code, 4);
    assert_eq!(session.run(&["blob", "rm", store, "a/b", "--if-match", now, "--json"]).code, 0);
    assert_eq!(session.run(&["blob", "rm", store, "a/b", "--overwrite"]).code, 0);
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn a_body_is_not_changed_on_its_way_through_standard_output() {
    let mut session = Session::new();
    let store = session.store();
    let body: String =
        (0..=u8::MAX).cycle().take(100_000).map(|n| char::from(b' ' + n % 90)).collect();
    session.run_with(&["blob", "put", &store, "k", "--if-absent"], &body);
    assert_eq!(session.run(&["blob", "get", &store, "k"]).out, body);
}
