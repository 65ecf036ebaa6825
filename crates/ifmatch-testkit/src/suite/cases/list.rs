//! Clauses 1 and 6: what is listed, in which order.

use futures::future::join_all;

use crate::suite::trial::{Checked, Trial};

async fn create_all(on: &Trial, names: &[impl AsRef<str>]) -> Checked {
    // A few at a time: quick on a distant store, and gentle.
    for some in names.chunks(16) {
        let written = some.iter().map(async |name| {
            let name = name.as_ref();
            on.create(&on.key(name)?, name.to_owned()).await
        });
        for answer in join_all(written).await {
            answer?;
        }
    }
    Ok(())
}

/// Names that sort differently by folder, by bytes and by letter.
fn tricky() -> Vec<String> {
    // The last two change places in the order of UTF-16.
    let mut names: Vec<_> = ["a", "b", "B", "é", "z", "\u{fb01}", "\u{1f600}"]
        .into_iter()
        .flat_map(|stem| {
            ["", "-", "-b", "/b", "/b/c", "/b-c", "/B", ".b", "0", "0/b", "a", "~", " "]
                .map(|rest| format!("{stem}{rest}"))
        })
        .collect();
    names.sort();
    names
}

pub(crate) async fn a_listing_is_in_byte_order_of_the_key(on: Trial) -> Checked {
    let names = tricky();
    create_all(&on, &names).await?;
    check_eq!(on.list("", None).await?, names, "the listing of {} names", names.len());
    Ok(())
}

pub(crate) async fn a_listing_holds_everything_once(on: Trial) -> Checked {
    let names = tricky();
    create_all(&on, &names).await?;
    check_eq!(on.sorted("").await?, names, "the listing of {} names", names.len());
    Ok(())
}

pub(crate) async fn a_listing_of_more_than_a_page_is_complete(on: Trial) -> Checked {
    let names: Vec<_> = (0..1_010).map(|number| format!("page/{number:04}")).collect();
    create_all(&on, &names).await?;
    check_eq!(on.sorted("page").await?.len(), names.len(), "the number of blobs listed");
    check_eq!(on.sorted("page").await?, names, "the names listed");
    Ok(())
}

pub(crate) async fn an_empty_folder_lists_nothing(on: Trial) -> Checked {
    check_eq!(on.list("", None).await?, Vec::<String>::new(), "the listing of nothing");
    on.create(&on.key("there")?, "body").await?;
    for folder in ["missing", "there", "there/below", "ther"] {
        check_eq!(on.list(folder, None).await?, Vec::<String>::new(), "the folder {folder}");
    }
    Ok(())
}

pub(crate) async fn a_prefix_ends_at_a_segment(on: Trial) -> Checked {
    create_all(&on, &["a", "a/b", "a/b/c", "a/b/d", "a/b-", "a/bc", "a/bc/d", "ab/c"]).await?;
    check_eq!(on.sorted("a/b").await?, ["a/b/c", "a/b/d"], "the folder a/b");
    check_eq!(on.sorted("a/b/").await?, ["a/b/c", "a/b/d"], "the folder a/b/");
    let all = ["a/b", "a/b-", "a/b/c", "a/b/d", "a/bc", "a/bc/d"];
    check_eq!(on.sorted("a").await?, all, "the folder a, at any depth");
    Ok(())
}

pub(crate) async fn a_listing_starts_after_a_key(on: Trial) -> Checked {
    create_all(&on, &["a", "f/a", "f/b", "f/b/c", "f/c", "g"]).await?;
    for (after, rest) in [
        ("f/a", &["f/b", "f/b/c", "f/c"][..]),
        ("f/b", &["f/b/c", "f/c"]),
        ("f/ab", &["f/b", "f/b/c", "f/c"]),
        ("f/c", &[]),
        ("a", &["f/a", "f/b", "f/b/c", "f/c"]),
        ("f", &["f/a", "f/b", "f/b/c", "f/c"]),
        ("f/z", &[]),
        ("g", &[]),
        ("z/missing", &[]),
    ] {
        let mut listed = on.list("f", Some(after)).await?;
        listed.sort();
        check_eq!(listed, rest, "the folder f after {after}");
    }
    let mut listed = on.list("", Some("f/b")).await?;
    listed.sort();
    check_eq!(listed, ["f/b/c", "f/c", "g"], "everything after f/b");
    Ok(())
}

pub(crate) async fn a_listing_agrees_with_heads(on: Trial) -> Checked {
    create_all(&on, &["a", "a/b", "longer-name"]).await?;
    for info in on.infos("", None).await? {
        let head = on.head(&info.key).await?;
        check_eq!(info.version, head.version, "the version of {}", info.key);
        check_eq!(info.size, head.size, "the size of {}", info.key);
    }
    Ok(())
}

pub(crate) async fn an_update_may_build_on_the_version_of_a_listing(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "first").await?;
    let infos = on.infos("", None).await?;
    let [info] = &infos[..] else {
        check!(false, "one blob is there, {infos:?} are listed");
        return Ok(());
    };
    on.update(&key, "second", &info.version).await?;
    on.body_is(&key, b"second").await?;
    let late = on.update(&key, "late", &info.version).await;
    check!(late.is_err(), "a version that was listed before an update still matches");
    on.body_is(&key, b"second").await
}

pub(crate) async fn a_listing_sees_each_answered_write_and_delete(on: Trial) -> Checked {
    let (one, two) = (on.key("f/one")?, on.key("f/two")?);
    for round in 0..5 {
        on.create(&one, format!("one {round}")).await?;
        check_eq!(on.sorted("f").await?, ["f/one"], "the listing after a create");
        let stored = on.overwrite(&one, format!("again {round}")).await?;
        on.create(&two, format!("two {round}")).await?;
        let infos = on.infos("f", None).await?;
        let listed = infos.iter().find(|info| info.key == one).map(|info| &info.version);
        check_eq!(listed, Some(&stored.version), "the version listed after an overwrite");
        on.delete(&one).await?;
        check_eq!(on.sorted("f").await?, ["f/two"], "the listing after a delete");
        on.delete(&two).await?;
        check_eq!(on.list("f", None).await?, Vec::<String>::new(), "the folder emptied");
    }
    Ok(())
}
