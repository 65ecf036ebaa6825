//! Clauses 1 to 3: what is read.

use std::time::Duration;

use ifmatch_core::{Attempt, Base, Current, Fetched, GetOptions, Precondition, Timestamp, WriteId};

use crate::suite::Failure;
use crate::suite::trial::{Checked, Trial, conflict_with, invalid};

/// How far a store's clock may be off ours.
const A_DAY: Duration = Duration::from_hours(24);

pub(crate) async fn a_missing_blob_is_absent(on: Trial) -> Checked {
    on.is_absent(&on.key("missing")?).await?;
    on.is_absent(&on.key("no/such/folder/missing")?).await
}

pub(crate) async fn a_get_of_an_unchanged_blob_is_not_modified(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let version = on.create(&key, "body").await?.version;
    let fetched = on.store().get(&key, GetOptions::new().if_none_match(version)).await?;
    let unchanged = matches!(fetched, Fetched::NotModified { .. });
    check!(unchanged, "a get with the current version answers {fetched:?}");
    Ok(())
}

pub(crate) async fn a_get_of_a_changed_blob_sends_the_body(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    let second = on.overwrite(&key, "second").await?;
    let found = on.fetch(&key, GetOptions::new().if_none_match(first.version.clone())).await?;
    check_eq!(&found.body[..], b"second", "the body that is new");
    check_eq!(found.info.version, second.version, "the version that is new");
    on.delete(&key).await?;
    let gone = on.store().get(&key, GetOptions::new().if_none_match(first.version)).await?;
    check!(matches!(gone, Fetched::Absent { .. }), "a get of what is gone answers {gone:?}");
    Ok(())
}

pub(crate) async fn a_get_at_the_current_version_sends_the_body(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let version = on.create(&key, "body").await?.version;
    let found = on.fetch(&key, GetOptions::new().if_match(version)).await?;
    check_eq!(&found.body[..], b"body", "the body at its version");
    Ok(())
}

pub(crate) async fn a_get_at_a_stale_version_is_a_conflict(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    let second = on.overwrite(&key, "second").await?;
    let answer = on.store().get(&key, GetOptions::new().if_match(first.version.clone())).await;
    let expected = Precondition::IfMatch(first.version);
    conflict_with(answer, &key, &expected, &Current::Present(second.version))
}

pub(crate) async fn a_get_of_a_missing_blob_at_a_version_is_a_conflict(on: Trial) -> Checked {
    let (there, missing) = (on.key("there")?, on.key("missing")?);
    let version = on.create(&there, "body").await?.version;
    let answer = on.store().get(&missing, GetOptions::new().if_match(version.clone())).await;
    conflict_with(answer, &missing, &Precondition::IfMatch(version), &Current::Absent)
}

pub(crate) async fn a_range_is_those_bytes_of_the_whole(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let stored = on.create(&key, "0123456789").await?;
    for (range, bytes) in [(0..10, "0123456789"), (0..1, "0"), (3..7, "3456"), (9..10, "9")] {
        let found = on.fetch(&key, GetOptions::new().range(range.clone())).await?;
        check_eq!(&found.body[..], bytes.as_bytes(), "the bytes {range:?}");
        check_eq!(found.info.size, 10, "the size of the whole beside {range:?}");
        check_eq!(found.info.version, stored.version, "the version beside {range:?}");
    }
    Ok(())
}

pub(crate) async fn a_range_past_the_end_is_cut(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "0123456789").await?;
    for (range, bytes) in [(8..11, "89"), (9..1_000_000, "9"), (0..11, "0123456789")] {
        let found = on.fetch(&key, GetOptions::new().range(range.clone())).await?;
        check_eq!(&found.body[..], bytes.as_bytes(), "the bytes {range:?} of ten");
    }
    Ok(())
}

pub(crate) async fn a_range_that_starts_behind_the_end_is_invalid(on: Trial) -> Checked {
    let (ten, empty) = (on.key("ten")?, on.key("empty")?);
    on.create(&ten, "0123456789").await?;
    on.create(&empty, "").await?;
    for (key, range) in [(&ten, 10..11), (&ten, 100..200), (&ten, 3..3), (&empty, 0..1)] {
        let answer = on.store().get(key, GetOptions::new().range(range.clone())).await;
        invalid(answer, &format!("the range {range:?} of {key}"))?;
    }
    Ok(())
}

pub(crate) async fn a_range_of_a_long_body_is_those_bytes(on: Trial) -> Checked {
    let key = on.key("long")?;
    let body: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    on.create(&key, body.clone()).await?;
    for range in [0..4, 65_534..65_538, 599_999..1_000_001, 1_199_990..1_200_000] {
        let found = on.fetch(&key, GetOptions::new().range(range.clone())).await?;
        let bytes = body.get(usize::try_from(range.start)?..usize::try_from(range.end)?);
        check!(Some(&found.body[..]) == bytes, "{range:?} answers other bytes than those");
    }
    Ok(())
}

pub(crate) async fn a_range_at_a_version_obeys_both(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "0123456789").await?.version;
    let options = GetOptions::new().range(2..4);
    let found = on.fetch(&key, options.clone().if_match(first.clone())).await?;
    check_eq!(&found.body[..], b"23", "the range at its version");
    let same = on.store().get(&key, options.clone().if_none_match(first.clone())).await?;
    check!(matches!(same, Fetched::NotModified { .. }), "an unchanged range answers {same:?}");
    let second = on.overwrite(&key, "abcdefghij").await?.version;
    let answer = on.store().get(&key, options.if_match(first.clone())).await;
    conflict_with(answer, &key, &Precondition::IfMatch(first), &Current::Present(second))
}

pub(crate) async fn a_head_agrees_with_the_put_and_the_get(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let stored = on.create(&key, "0123456789").await?;
    let (head, get) = (on.head(&key).await?, on.get(&key).await?.info);
    for (info, who) in [(&head, "head"), (&get, "get")] {
        check_eq!(info.key, key, "the key that {who} names");
        check_eq!(info.version, stored.version, "the version that {who} names");
        check_eq!(info.size, 10, "the size that {who} names");
    }
    check_eq!(head.last_modified, get.last_modified, "the time of head and get");
    Ok(())
}

pub(crate) async fn a_blob_names_the_write_that_made_it(on: Trial) -> Checked {
    let (key, env) = (on.key("blob")?, on.store().env().clone());
    let mut base = None;
    let mut condition = on.creating();
    for round in 0..3 {
        let write = WriteId::random(&env);
        let body = format!("round {round}").into();
        let stored = match on.store().attempt_put(&key, body, &condition, write).await {
            Attempt::Applied(stored) => stored,
            other => return Err(Failure::new(format!("an attempt under {condition}: {other:?}"))),
        };
        check_eq!(stored.version.written_by(), Some(write), "the write in the answer's version");
        for info in [on.head(&key).await?, on.get(&key).await?.info] {
            let Some(record) = info.write else {
                return Err(Failure::new("the blob does not say which write made it"));
            };
            check_eq!(record.id, write, "the write in the record");
            check_eq!(info.version.written_by(), Some(write), "the write in the version");
            if let Some(base) = &base {
                check_eq!(record.base.as_ref(), Some(base), "the base in the record");
            } else if condition == Precondition::IfAbsent {
                check_eq!(record.base, Some(Base::Absent), "the base of a create");
            }
        }
        if on.store().capabilities().put_if_match {
            base = Some(Base::Version(stored.version.clone()));
            condition = Precondition::IfMatch(stored.version);
        }
    }
    Ok(())
}

pub(crate) async fn times_are_those_of_a_clock(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let now = on.store().env().wall_clock();
    let stored = on.create(&key, "body").await?;
    let info = on.head(&key).await?;
    let absent = on.store().get(&on.key("missing")?, GetOptions::new()).await?;
    let options = GetOptions::new().if_none_match(stored.version);
    let unchanged = on.store().get(&key, options).await?;
    for (what, time) in [
        ("the date of a put", stored.date),
        ("the date of a head", info.date),
        ("the time of a blob", info.last_modified),
        ("the date of an absence", absent.date()),
        ("the date of an unchanged blob", unchanged.date()),
    ] {
        check!(time.is_none_or(|time| near(time, now)), "{what} is {time:?}, now is {now}");
    }
    Ok(())
}

fn near(time: Timestamp, now: Timestamp) -> bool {
    time.since(now) < A_DAY && now.since(time) < A_DAY
}
