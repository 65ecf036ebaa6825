//! Clause 7: names are exact bytes.

use ifmatch_core::{
    BlobKey, BlobPrefix, ConditionalBlobStore as _, Error, GetOptions, MAX_KEY_BYTES, Precondition,
    WriteId,
};

use futures::TryStreamExt;

use crate::suite::Failure;
use crate::suite::trial::{Checked, Trial};

/// Takes each name, in this order, through put, get, head, list and delete.
async fn survive(on: &Trial, names: &[impl AsRef<str>]) -> Checked {
    let mut names: Vec<_> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    for name in &names {
        on.create(&on.key(name)?, name.clone()).await?;
    }
    names.sort();
    for name in &names {
        let key = on.key(name)?;
        on.body_is(&key, name.as_bytes()).await?;
        check_eq!(on.head(&key).await?.key, key, "the key that head names");
    }
    check_eq!(on.sorted("").await?, names, "the names listed");
    for name in &names {
        on.delete(&on.key(name)?).await?;
        on.is_absent(&on.key(name)?).await?;
    }
    check_eq!(on.sorted("").await?, Vec::<String>::new(), "the names left");
    Ok(())
}

pub(crate) async fn a_blob_and_a_folder_of_one_name_coexist(on: Trial) -> Checked {
    survive(&on, &["a/b/c", "a/b", "a", "a.o", "a.d", "a.d/b", "a/b.o"]).await
}

pub(crate) async fn a_blob_below_another_outlives_it(on: Trial) -> Checked {
    let (above, below) = (on.key("a")?, on.key("a/b")?);
    on.create(&below, "below").await?;
    on.create(&above, "above").await?;
    on.delete(&above).await?;
    on.is_absent(&above).await?;
    on.body_is(&below, b"below").await?;
    on.create(&above, "again").await?;
    on.delete(&below).await?;
    on.body_is(&above, b"again").await
}

pub(crate) async fn names_with_characters_of_urls_survive(on: Trial) -> Checked {
    let names =
        [" ", "a b", "%", "100%", "a%20b", "#", "a#b", "?", "a?b=c&d", "+", "a+b", "&", "="];
    survive(&on, &names).await?;
    survive(&on, &[";", ":", "@", "a:b", ",", "$", "!", "*", "(", ")", "[x]", "{x}", "|", "^"])
        .await
}

pub(crate) async fn names_with_quotes_survive(on: Trial) -> Checked {
    survive(&on, &["'", "\"", "a'b", "a\"b", "`", "<", ">", "<a>&amp;", "&lt;", "]]>", "~"]).await
}

pub(crate) async fn names_beyond_ascii_survive(on: Trial) -> Checked {
    survive(&on, &["é", "ä/ö", "日本語", "🦀", "a🦀/b", "ß", "ı", "İ", "\u{a0}", "\u{2028}"]).await
}

pub(crate) async fn names_with_dots_survive(on: Trial) -> Checked {
    survive(&on, &[".hidden", "..two", "...", "a..b", ".a/.b", "a.b.c", ".ifmatchx"]).await
}

pub(crate) async fn names_that_end_in_a_dot_or_a_blank_survive(on: Trial) -> Checked {
    survive(&on, &["a.", "a", "a ", "a./b", "b..", "nul", "con.txt"]).await
}

pub(crate) async fn names_that_look_encoded_are_not_decoded(on: Trial) -> Checked {
    survive(&on, &["A", "%41", "a%2Fb", "a/b", "a%2fb", "%25", "%2E%2E", "a%2520b", "a+b"]).await
}

pub(crate) async fn case_is_not_folded(on: Trial) -> Checked {
    survive(&on, &["name", "Name", "NAME", "folder/x", "Folder/x", "straße", "STRASSE"]).await
}

pub(crate) async fn unicode_is_not_normalised(on: Trial) -> Checked {
    // é as one character and as two, the Angstrom sign and the letter.
    survive(&on, &["\u{e9}", "e\u{301}", "\u{212b}", "\u{c5}", "A\u{30a}", "ﬁ", "fi"]).await
}

pub(crate) async fn a_segment_of_200_bytes_survives(on: Trial) -> Checked {
    let (plain, wide, odd) = ("s".repeat(200), "é".repeat(100), "%".repeat(200));
    let upper = "S".repeat(200);
    survive(&on, &[&plain, &wide, &odd, &upper, &format!("{plain}/{wide}/x")]).await
}

pub(crate) async fn the_longest_key_survives(on: Trial) -> Checked {
    // The folder of this case, and whatever the store puts before it, take room.
    for length in (1..=MAX_KEY_BYTES).rev() {
        let mut name = "k".repeat(length);
        for slash in (100..length.saturating_sub(1)).step_by(101) {
            name.replace_range(slash..=slash, "/");
        }
        let Ok(longest) = on.key(&name) else { continue };
        match on.store().head(&longest).await {
            Err(Error::Invalid { .. }) => {}
            Err(error) => return Err(Failure::from(error).during("the longest key")),
            Ok(_) => {
                check!(length > 400, "no key longer than {length} bytes fits");
                return survive(&on, &[name]).await;
            }
        }
    }
    Err(Failure::new("no key fits"))
}

pub(crate) async fn reserved_names_are_hidden_in_a_part_of_the_store(on: Trial) -> Checked {
    let folder = format!(".ifmatch/suite/{}", WriteId::random(on.store().env()));
    let hidden = BlobKey::internal(format!("{folder}/blob"))?;
    let part = on.part();
    part.put(&hidden, "ours".into(), Precondition::Overwrite).await?;
    on.create(&on.key("plain")?, "body").await?;
    let shown: Vec<_> = part.list(&BlobPrefix::root(), None).try_collect().await?;
    let shown: Vec<_> = shown.iter().map(|info| info.key.as_str()).collect();
    check_eq!(shown, ["plain"], "the listing of the part's root");
    let ours: Vec<_> = part.list(&BlobPrefix::internal(&folder)?, None).try_collect().await?;
    check_eq!(ours.len(), 1, "what is listed of the reserved folder when asked");
    Ok(())
}

pub(crate) async fn reserved_names_are_hidden_at_the_root_of_the_store(on: Trial) -> Checked {
    let store = on.store();
    let folder = format!(".ifmatch/suite/{}", WriteId::random(store.env()));
    let hidden = BlobKey::internal(format!("{folder}/blob"))?;
    store.put(&hidden, "ours".into(), Precondition::Overwrite).await?;
    // The keys around it are enough: a shared bucket may hold many.
    let before = BlobKey::internal(".ifmatch")?;
    let mut listed = store.list(&BlobPrefix::root(), Some(&before));
    let mut shown = Vec::new();
    while let Some(info) = listed.try_next().await? {
        if info.key.is_reserved() || shown.len() > 100 {
            shown.push(info.key);
            break;
        }
        shown.push(info.key);
    }
    drop(listed);
    let fetched = store.get(&hidden, GetOptions::new()).await;
    store.delete(&hidden, Precondition::Overwrite).await?;
    let found = fetched?.found();
    check!(found.is_some(), "the reserved blob cannot be read by its name");
    check!(!shown.iter().any(BlobKey::is_reserved), "the root lists {shown:?}");
    Ok(())
}
