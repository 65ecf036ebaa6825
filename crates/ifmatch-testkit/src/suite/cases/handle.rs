//! What a handle says of its store.

use futures::TryStreamExt;
use ifmatch_core::{
    BlobPrefix, ConditionalBlobStore as _, Error, GetOptions, Precondition, Verdict, Version, probe,
};

use crate::suite::trial::{Checked, Trial};

pub(crate) async fn the_probe_finds_the_conditions_kept_and_leaves_nothing(on: Trial) -> Checked {
    let part = on.part();
    let report = probe(&part).await?;
    let verdict = report.verdict();
    let kept = matches!(verdict, Verdict::Safe | Verdict::Limited);
    check!(kept, "the probe finds the store {verdict}: {report:?}");
    let left: Vec<_> = part.list(&BlobPrefix::internal("")?, None).try_collect().await?;
    check!(left.is_empty(), "the probe left {left:?}");
    Ok(())
}

pub(crate) async fn no_secret_is_printed(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "body").await?;
    on.overwrite(&key, "newer").await?;
    let stale = Precondition::IfMatch(first.version.clone());
    let weak = Precondition::IfMatch(Version::from_etag("W/\"1\""));
    let store = on.store();
    let errors = [
        store.put(&key, "x".into(), Precondition::IfAbsent).await.err(),
        store.put(&key, "x".into(), weak).await.err(),
        store.delete(&key, stale).await.err(),
        store.get(&key, GetOptions::new().if_match(first.version)).await.err(),
        store.get(&key, GetOptions::new().range(7..7)).await.err(),
    ];
    let mut texts = vec![
        store.to_string(),
        format!("{store:?}"),
        store.endpoint().to_string(),
        format!("{:?}", store.capabilities()),
        format!("{:?}", store.get(&key, GetOptions::new()).await?),
    ];
    for error in errors.into_iter().flatten() {
        texts.push(error.to_string());
        texts.push(format!("{error:?}"));
        texts.extend(error.cause().map(|cause| format!("{cause} {cause:?}")));
    }
    check!(!texts.iter().any(|text| on.subject().leaks(text)), "a text shows a secret");
    Ok(())
}

pub(crate) async fn a_handle_names_its_store_in_one_line(on: Trial) -> Checked {
    let store = on.store();
    for text in [store.to_string(), store.endpoint().to_string()] {
        check!(!text.is_empty() && !text.contains('\n'), "the store's name is {text:?}");
    }
    check_eq!(store.endpoint(), store.endpoint(), "the endpoint asked twice");
    check_eq!(store.capabilities(), store.capabilities(), "the capabilities asked twice");
    Ok(())
}

pub(crate) async fn an_error_names_its_blob_as_the_caller_does(on: Trial) -> Checked {
    let key = on.key("some/folder/blob")?;
    let first = on.create(&key, "first").await?;
    on.overwrite(&key, "second").await?;
    let Err(error) = on.store().get(&key, GetOptions::new().if_match(first.version)).await else {
        check!(false, "a get at a stale version was answered");
        return Ok(());
    };
    check!(matches!(error, Error::Conflict(_)), "a get at a stale version: {error}");
    let line = error.to_string();
    let named = line.contains(&format!("on {key}:")) && !line.contains('\n');
    check!(named, "the conflict does not name the blob in one line: {line:?}");
    Ok(())
}
