//! Faults of writes as a client without retries sees them, beside what was
//! really applied.

use crate::clients::{DIALECTS, body, client, client_with, deny, start, update, verdict, write};
use futures::future::join_all;
use ifmatch_testkit::cloud::{
    Dialect, Ending, Fault, LogEntry, Matcher, Operation, Outcome, Release, Switches,
};
use object_store::PutMode;
use std::time::Duration;

fn puts() -> Matcher {
    Matcher::any().operation(Operation::Put)
}

/// The verdicts on a create and on an update that meet this fault, from a
/// client with this patience; everything else is done by a patient one.
async fn verdicts(
    dialect: Dialect,
    fault: Fault,
    timeout: Duration,
    applied: bool,
) -> [&'static str; 2] {
    let server = start(dialect).await;
    let (hasty, patient) = (client_with(&server, 0, timeout), client(&server));
    let base = write(&patient, "updated", "one", "w1", PutMode::Overwrite).await.unwrap();
    server.inject_times(puts(), fault, 2);
    let created = write(&hasty, "created", "one", "w2", PutMode::Create).await;
    let updated = write(&hasty, "updated", "two", "w3", update(&base)).await;
    let log = server.log();
    assert_eq!(log.len(), 3, "{dialect} {fault}: every request was sent once");
    for entry in &log[1..] {
        assert_eq!(entry.fault, Some(fault), "{dialect} {}", entry.request);
        assert_eq!(entry.applied(), applied, "{dialect} {fault} {}", entry.request);
    }
    assert_eq!(server.object("created").is_some(), applied, "{dialect} {fault}");
    assert_eq!(body(&patient, "updated").await.unwrap(), if applied { "two" } else { "one" });
    [verdict(&created), verdict(&updated)]
}

#[tokio::test]
async fn an_applied_write_without_its_answer_is_a_generic_error() {
    let endings = [
        Ending::Close,
        Ending::Reset,
        Ending::HalfStatusLine,
        Ending::status(408),
        Ending::status(500),
        Ending::status(503),
    ];
    for dialect in DIALECTS {
        for ending in endings {
            let seen =
                verdicts(dialect, Fault::AfterApply(ending), Duration::from_secs(30), true).await;
            assert_eq!(seen, ["Generic", "Generic"], "{dialect} {ending}");
        }
    }
}

#[tokio::test]
async fn a_stalled_answer_is_a_generic_error_after_the_clients_patience() {
    let stall = Fault::AfterApply(Ending::Stall(Duration::from_mins(10)));
    // Long enough for a request to arrive on a busy machine.
    let patience = Duration::from_millis(1_500);
    let seen = join_all(DIALECTS.map(|dialect| verdicts(dialect, stall, patience, true))).await;
    assert_eq!(seen, [["Generic", "Generic"]; 3]);
}

#[tokio::test]
async fn a_write_refused_before_it_was_applied_looks_the_same_or_lies() {
    let throttled = Ending::Status { code: 429, retry_after: Some(1) };
    let cases = [
        (Ending::Close, "Generic"),
        (Ending::Reset, "Generic"),
        (Ending::status(500), "Generic"),
        (Ending::status(503), "Generic"),
        (throttled, "Generic"),
        (Ending::status(403), "PermissionDenied"),
        // Nothing was applied and nothing exists: the client library says so anyway.
        (Ending::status(409), "AlreadyExists"),
    ];
    for dialect in DIALECTS {
        for (ending, wanted) in cases {
            let seen =
                verdicts(dialect, Fault::BeforeApply(ending), Duration::from_secs(30), false).await;
            assert_eq!(seen, [wanted, wanted], "{dialect} {ending}");
        }
    }
}

#[tokio::test]
async fn a_write_delivered_twice_is_told_that_it_lost_against_itself() {
    for dialect in DIALECTS {
        let seen = verdicts(dialect, Fault::DeliverTwice, Duration::from_secs(30), true).await;
        assert_eq!(seen, ["AlreadyExists", "Precondition"], "{dialect}");
    }
}

#[tokio::test]
async fn both_deliveries_of_an_unconditional_write_are_applied() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        server.inject(puts(), Fault::DeliverTwice);
        write(&client, "k", "one", "w1", PutMode::Overwrite).await.unwrap();
        let entry = server.log().remove(0);
        assert_eq!(entry.times_applied(), 2, "{dialect}");
        let history = server.applied_history("k");
        assert_eq!((history[0].delivery, history[1].delivery), (0, 1), "{dialect}");
        assert_eq!(history[1].replaced, history[0].version, "{dialect}");
    }
}

#[tokio::test]
async fn a_retrying_client_reports_its_own_success_as_a_conflict() {
    // What the whole project is about, seen in the log: the write that the
    // client calls refused stands in the history.
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client_with(&server, 1, Duration::from_secs(30));
        let base = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        server.inject(puts(), Fault::AfterApply(Ending::Close));
        let result = write(&client, "k", "two", "w2", update(&base)).await;
        assert_eq!(verdict(&result), "Precondition", "{dialect}");
        let log = server.log();
        assert_eq!((log[1].applied(), log[1].outcome), (true, Outcome::Closed), "{dialect}");
        assert_eq!(
            (log[2].applied(), log[2].outcome),
            (false, Outcome::Answered(412)),
            "{dialect}"
        );
        let ids: Vec<_> =
            server.applied_history("k").into_iter().map(|write| write.write_id).collect();
        assert_eq!(ids, [Some("w1".to_owned()), Some("w2".to_owned())], "{dialect}");
    }
}

#[tokio::test]
async fn a_delayed_write_lands_when_it_is_released() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        server.inject(puts(), Fault::Delayed(Release::OnCall));
        let result = write(&client, "k", "one", "w1", PutMode::Create).await;
        assert_eq!((verdict(&result), server.delayed()), ("Generic", 1), "{dialect}");
        assert!(!server.log()[0].applied() && server.object("k").is_none(), "{dialect}");
        assert_eq!((server.deliver_delayed(), server.deliver_delayed()), (1, 0), "{dialect}");
        assert!(server.log()[0].applied(), "{dialect}");
        assert_eq!(body(&client, "k").await.unwrap(), "one", "{dialect}");
    }
}

#[tokio::test]
async fn a_delayed_create_that_comes_too_late_is_refused() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        server.inject(puts(), Fault::Delayed(Release::OnCall));
        let _lost = write(&client, "k", "one", "w1", PutMode::Create).await;
        write(&client, "k", "two", "w2", PutMode::Create).await.unwrap();
        server.clear_log();
        assert_eq!(server.deliver_delayed(), 1, "{dialect}");
        let entry = server.log().remove(0);
        assert_eq!(
            (entry.applied(), entry.request.write_id.as_deref()),
            (false, Some("w1")),
            "{dialect}"
        );
        assert_eq!(body(&client, "k").await.unwrap(), "two", "{dialect}");
    }
}

#[tokio::test]
async fn a_delayed_write_lands_by_itself_after_its_time() {
    let server = start(Dialect::S3).await;
    let client = client(&server);
    server.inject(puts(), Fault::Delayed(Release::After(Duration::from_millis(1))));
    let _lost = write(&client, "k", "one", "w1", PutMode::Create).await;
    while server.delayed() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(body(&client, "k").await.unwrap(), "one");
}

#[tokio::test]
async fn a_write_delivered_again_later_overwrites_unless_it_is_conditional() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        server.inject_times(puts().key_contains("first"), Fault::DeliverAgain(Release::OnCall), 2);
        let created = write(&client, "first/c", "one", "w1", PutMode::Create).await.unwrap();
        let put = write(&client, "first/o", "one", "w2", PutMode::Overwrite).await.unwrap();
        for (key, seen) in [("first/c", &created), ("first/o", &put)] {
            write(&client, key, "two", "w3", update(seen)).await.unwrap();
        }
        assert_eq!(server.deliver_delayed(), 2, "{dialect}");
        assert_eq!(body(&client, "first/c").await.unwrap(), "two", "{dialect}");
        assert_eq!(body(&client, "first/o").await.unwrap(), "one", "{dialect}");
        let times: Vec<_> = server.log()[..2].iter().map(LogEntry::times_applied).collect();
        assert_eq!(times, [1, 2], "{dialect}");
    }
}

#[tokio::test]
async fn a_stale_update_succeeds_with_conditions_switched_off() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let first = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        write(&client, "k", "two", "w2", update(&first)).await.unwrap();
        server.set_switches(Switches { ignore_conditions: true, ..Switches::default() });
        let stale = write(&client, "k", "three", "w3", update(&first)).await;
        let create = write(&client, "k", "four", "w4", PutMode::Create).await;
        assert_eq!([verdict(&stale), verdict(&create)], ["ok", "ok"], "{dialect}");
        // The log shows the silent overwrite: another version than the one named was replaced.
        let history = server.applied_history("k");
        assert_ne!(history[2].replaced, history[0].version, "{dialect}");
        assert!(!history[2].conditions.is_empty(), "{dialect}");
        server.set_switches(Switches::default());
        server.inject(puts(), Fault::IgnoreConditions);
        let once = write(&client, "k", "five", "w5", update(&first)).await;
        let then = write(&client, "k", "six", "w6", update(&first)).await;
        assert_eq!([verdict(&once), verdict(&then)], ["ok", "Precondition"], "{dialect}");
    }
}

#[tokio::test]
async fn a_reused_version_lets_a_stale_update_pass() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        let first = write(&client, "k", "one", "w1", PutMode::Create).await.unwrap();
        server.inject(puts(), Fault::ReuseVersion);
        let second = write(&client, "k", "two", "w2", update(&first)).await.unwrap();
        assert_eq!((&second.e_tag, &second.version), (&first.e_tag, &first.version), "{dialect}");
        assert_eq!(
            verdict(&write(&client, "k", "three", "w3", update(&first)).await),
            "ok",
            "{dialect}"
        );
    }
}

#[tokio::test]
async fn a_success_without_etag_is_an_error_although_it_was_applied() {
    for dialect in DIALECTS {
        let seen = verdicts(dialect, Fault::OmitEtag, Duration::from_secs(30), true).await;
        assert_eq!(seen, ["Generic", "Generic"], "{dialect}");
    }
}

#[tokio::test]
async fn a_denying_server_applies_nothing() {
    for dialect in DIALECTS {
        let server = start(dialect).await;
        let client = client(&server);
        server.set_switches(deny());
        let result = write(&client, "k", "one", "w1", PutMode::Create).await;
        assert_eq!(verdict(&result), "PermissionDenied", "{dialect}");
        assert!(server.log()[0].deliveries.is_empty() && server.objects().is_empty(), "{dialect}");
    }
}
