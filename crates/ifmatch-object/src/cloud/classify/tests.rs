//! One test per row of the table in the module's documentation.

use std::time::Duration;

use ifmatch_core::Version;

use super::*;

const KEY: &str = "team/head";
const STORE: &str = "s3://bucket";

fn if_match() -> Precondition {
    Precondition::IfMatch(Version::from_etag("1"))
}

/// The preconditions of a write.
fn all() -> [Precondition; 3] {
    [Precondition::IfAbsent, if_match(), Precondition::Overwrite]
}

fn failed() -> ObjectError {
    ObjectError::Generic { store: "S3", source: "it went wrong".into() }
}

fn answered(status: u16, code: &str) -> Wire {
    Wire::Answered(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        date: None,
        retry_after: Some(Duration::from_secs(7)),
        code: (!code.is_empty()).then(|| code.to_owned()),
        request_id: Some("id-17".to_owned()),
    })
}

fn of(operation: Operation, precondition: Option<&Precondition>, wire: &Wire) -> Failure {
    let asked = Asked { operation, subject: KEY, store: STORE, precondition };
    classify(&asked, Some(wire), &failed(), false)
}

fn put(precondition: &Precondition, wire: &Wire) -> Failure {
    of(Operation::Put, Some(precondition), wire)
}

fn delete(precondition: &Precondition, wire: &Wire) -> Failure {
    of(Operation::Delete, Some(precondition), wire)
}

fn get(wire: &Wire) -> Failure {
    of(Operation::Get, None, wire)
}

/// `rejected`, `missing`, `unchanged`, or `refused KIND` and `unknown KIND`.
fn word(failure: &Failure) -> String {
    match failure {
        Failure::Rejected => "rejected".into(),
        Failure::Missing => "missing".into(),
        Failure::Unchanged => "unchanged".into(),
        Failure::Refused(error) => format!("refused {}", error.kind()),
        Failure::Unknown(error) => format!("unknown {}", error.kind()),
    }
}

#[test]
fn a_412_or_404_of_the_blob_under_a_condition_is_rejected() {
    for precondition in [Precondition::IfAbsent, if_match()] {
        for code in ["PreconditionFailed", "ConditionNotMet", ""] {
            let wire = answered(412, code);
            assert_eq!(word(&put(&precondition, &wire)), "rejected", "{precondition} {code}");
        }
    }
    for code in ["NoSuchKey", "BlobNotFound", ""] {
        let wire = answered(404, code);
        assert_eq!(word(&put(&if_match(), &wire)), "rejected", "{code}");
        assert_eq!(word(&delete(&if_match(), &wire)), "rejected", "{code}");
        assert_eq!(word(&of(Operation::Get, Some(&if_match()), &wire)), "rejected", "{code}");
    }
}

#[test]
fn azures_409_of_an_existing_blob_is_rejected_under_if_absent_only() {
    let exists = answered(409, "BlobAlreadyExists");
    assert_eq!(word(&put(&Precondition::IfAbsent, &exists)), "rejected");
    assert_eq!(word(&put(&if_match(), &exists)), "unknown unavailable");
}

#[test]
fn a_412_that_compares_nothing_of_ours_is_refused() {
    let lease = answered(412, "LeaseIdMissing");
    for precondition in all() {
        assert_eq!(word(&put(&precondition, &lease)), "refused other", "{precondition}");
    }
    let other = answered(412, "ConditionNotMet");
    assert_eq!(word(&put(&Precondition::Overwrite, &other)), "refused other");
    assert_eq!(word(&get(&other)), "refused other");
    assert_eq!(word(&of(Operation::Head, None, &other)), "refused other");
}

#[test]
fn a_304_says_that_it_is_not_modified() {
    assert_eq!(word(&get(&answered(304, ""))), "unchanged");
}

#[test]
fn a_404_of_the_blob_is_a_missing_blob_where_nothing_was_expected() {
    let missing = answered(404, "NoSuchKey");
    assert_eq!(word(&get(&missing)), "missing");
    assert_eq!(word(&of(Operation::Head, None, &answered(404, ""))), "missing");
    assert_eq!(word(&delete(&Precondition::Overwrite, &missing)), "missing");
    for precondition in [Precondition::IfAbsent, Precondition::Overwrite] {
        assert_eq!(word(&put(&precondition, &missing)), "refused not_found", "{precondition}");
    }
}

#[test]
fn any_other_409_is_unknown() {
    for code in ["ConditionalRequestConflict", "OperationAborted", "PendingCopyOperation", ""] {
        for precondition in all() {
            let failure = put(&precondition, &answered(409, code));
            assert_eq!(word(&failure), "unknown unavailable", "{precondition} {code}");
        }
    }
}

#[test]
fn a_busy_or_broken_store_is_unknown_and_says_how_long_to_wait() {
    for (status, code) in [
        (408, "RequestTimeout"),
        (425, ""),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (502, ""),
        (503, "SlowDown"),
        (504, ""),
    ] {
        for failure in [put(&if_match(), &answered(status, code)), get(&answered(status, code))] {
            let Failure::Unknown(Error::Unavailable { retry_after, .. }) = failure else {
                panic!("{status}: {failure:?}")
            };
            assert_eq!(retry_after, Some(Duration::from_secs(7)), "{status}");
        }
    }
    let failure = put(&if_match(), &answered(400, "RequestTimeout"));
    assert_eq!(word(&failure), "unknown unavailable", "S3 read only a part of the body");
}

#[test]
fn half_an_exchange_is_unknown() {
    for kind in [
        HttpErrorKind::Request,
        HttpErrorKind::Timeout,
        HttpErrorKind::Interrupted,
        HttpErrorKind::Decode,
        HttpErrorKind::Unknown,
    ] {
        for failure in [put(&if_match(), &Wire::Broken(kind)), get(&Wire::Broken(kind))] {
            assert_eq!(word(&failure), "unknown unavailable", "{kind:?}");
        }
    }
}

#[test]
fn what_never_left_is_refused() {
    let unconnected = Wire::Broken(HttpErrorKind::Connect);
    for precondition in all() {
        assert_eq!(word(&put(&precondition, &unconnected)), "refused unavailable");
    }
    assert_eq!(word(&get(&unconnected)), "refused unavailable");
    let precondition = if_match();
    let asked = Asked {
        operation: Operation::Put,
        subject: KEY,
        store: STORE,
        precondition: Some(&precondition),
    };
    assert_eq!(word(&classify(&asked, None, &failed(), false)), "refused denied");
}

#[test]
fn a_refusal_of_the_credentials_is_denied() {
    for (status, code) in [
        (401, ""),
        (403, "AccessDenied"),
        (403, "SignatureDoesNotMatch"),
        (400, "ExpiredToken"),
        (400, "InvalidToken"),
        (400, "AuthorizationHeaderMalformed"),
    ] {
        for failure in [put(&if_match(), &answered(status, code)), get(&answered(status, code))] {
            assert_eq!(word(&failure), "refused denied", "{status} {code}");
        }
    }
}

#[test]
fn a_missing_bucket_is_not_found_and_named() {
    for code in ["NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"] {
        let wire = answered(404, code);
        let failures = [put(&if_match(), &wire), get(&wire), of(Operation::List, None, &wire)];
        for failure in failures {
            let Failure::Refused(Error::NotFound { what }) = &failure else {
                panic!("{code}: {failure:?}")
            };
            assert!(what.contains(STORE), "{code}: {what}");
        }
    }
}

#[test]
fn any_other_refusal_is_an_error_with_the_id_to_quote() {
    for status in [301, 400, 405, 413, 416] {
        let failure = put(&if_match(), &answered(status, "Odd"));
        let Failure::Refused(error @ Error::Other { .. }) = &failure else {
            panic!("{status}: {failure:?}")
        };
        let cause = error.cause().unwrap().to_string();
        assert!(cause.contains("id-17") && cause.contains("Odd"), "{status}: {cause}");
    }
    assert_eq!(word(&put(&if_match(), &answered(501, ""))), "refused unsupported");
}

#[test]
fn a_success_that_cannot_be_read_is_unknown() {
    for status in [200, 201, 204, 206] {
        for failure in [put(&if_match(), &answered(status, "")), get(&answered(status, ""))] {
            assert_eq!(word(&failure), "unknown unavailable", "{status}");
        }
    }
}

#[test]
fn a_listing_with_a_name_that_is_none_is_refused() {
    let path = object_store::path::Path::parse("a//b").unwrap_err();
    let error = ObjectError::InvalidPath { source: path };
    let asked = Asked { operation: Operation::List, subject: "", store: STORE, precondition: None };
    let failure = classify(&asked, Some(&answered(200, "")), &error, false);
    assert_eq!(word(&failure), "refused other");
}

/// Without our connector a precondition that failed may be our own success.
#[test]
fn a_client_of_ones_own_leaves_every_failed_put_unknown() {
    let precondition = if_match();
    let put = Asked {
        operation: Operation::Put,
        subject: KEY,
        store: STORE,
        precondition: Some(&precondition),
    };
    let (path, source) = (KEY.to_owned(), || "412".into());
    let lies = [
        ObjectError::Precondition { path: path.clone(), source: source() },
        ObjectError::AlreadyExists { path: path.clone(), source: source() },
        ObjectError::NotFound { path: path.clone(), source: source() },
        failed(),
    ];
    for error in &lies {
        assert_eq!(word(&classify(&put, None, error, true)), "unknown unavailable", "{error}");
    }
    let get = Asked { operation: Operation::Get, ..put };
    let missing = ObjectError::NotFound { path: path.clone(), source: source() };
    assert_eq!(word(&classify(&get, None, &missing, true)), "missing");
    let same = ObjectError::NotModified { path: path.clone(), source: source() };
    assert_eq!(word(&classify(&get, None, &same, true)), "unchanged");
    let denied = ObjectError::PermissionDenied { path, source: source() };
    assert_eq!(word(&classify(&put, None, &denied, true)), "refused denied");
}
