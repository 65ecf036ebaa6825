use crate::session::Session;

#[test]
fn wrong_calls_end_with_2_and_say_what_is_known() {
    let mut session = Session::new();
    for arguments in [
        &["blob", "put", "memory://x", "key", "--json"][..],
        &["blob", "head", "ftp://x", "key", "--json"],
        &["blob", "head", "memory://x?color=red", "key", "--json"],
        &["blob", "head", "s3://b?regoin=eu", "key", "--json"],
        &["blob", "head", "file:relative", "key", "--json"],
        &["blob", "head", "memory://x", "../key", "--json"],
        &["meta", "get", "redis:x", "p", "i", "--json"],
        &["meta", "get", "sqlite:x.db?color=red", "p", "i", "--json"],
        &["meta", "put", "memory://x?color=red", "p", "i", "1", "--overwrite", "--json"],
        &["tx", "begin", "memory://x?transactions=yes", "t", "--partition", "p", "--json"],
        &["--timeout", "soon", "doctor", "memory://x"],
    ] {
        assert_eq!(session.run(arguments).code, 2, "{arguments:?}");
    }
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn doctor_prints_its_checks_and_verdict() {
    let mut session = Session::new();
    let store = session.store();
    assert_eq!(session.run(&["doctor", &store]).code, 0);
    assert_eq!(session.run(&["doctor", &store, "--json"]).code, 0);
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn missing_credentials_are_denied_and_name_the_variables() {
    let mut session = Session::new();
    for url in [
        "s3://b?endpoint=http://127.0.0.1:1&allow_http=true",
        "gs://b?endpoint=http://127.0.0.1:1&allow_http=true",
        "az://c?endpoint=http://127.0.0.1:1/a&account=a&allow_http=true",
    ] {
        assert_eq!(session.run(&["blob", "head", url, "key", "--json"]).code, 1);
    }
    insta::assert_snapshot!(session.recorded());
}

#[test]
fn an_unreachable_store_ends_with_5_within_the_timeout() {
    let mut session = Session::new();
    let url = "gs://b?endpoint=http://127.0.0.1:1&allow_http=true&anonymous=true&probe=never";
    for command in [
        &["--timeout", "300ms", "blob", "head", url, "key"][..],
        &["blob", "put", url, "key", "--if-absent", "--timeout", "300ms"],
    ] {
        let ran = session.run(command);
        assert_eq!(ran.code, 5, "{}", ran.err);
        assert!(ran.err.contains("unavailable"), "{}", ran.err);
    }
}

#[test]
fn simulate_prints_a_report_a_verdict_and_a_trace() {
    let mut session = Session::new();
    let ran = session.run(&["simulate", "--base-seed", "1", "--seeds", "2", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["seeds"], &report["lost"]), (&2.into(), &0.into()));
    assert!(report["commits"].as_u64().unwrap() > 100);
    let ran = session.run(&["simulate", "--seed", "1", "--trace"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.lines().count() > 100 && ran.out.contains("passed"), "{}", ran.err);
    assert_eq!(session.run(&["simulate", "--workload", "nonsense"]).code, 2);
    assert_eq!(session.run(&["simulate", "--trace"]).code, 2);
}

#[test]
fn completions_are_printed_for_every_shell() {
    let mut session = Session::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = session.run(&["completions", shell]);
        assert!(ran.code == 0 && ran.out.contains("ifmatch"), "{shell}");
    }
}
