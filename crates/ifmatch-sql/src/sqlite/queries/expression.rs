//! What an index is over, as SQL.
//!
//! Built-in functions only, so that any SQLite can write the file; and nothing
//! that could fail or grow large, so that an index never makes a write fail.

use ifmatch_meta::Field;

/// Characters of a text that an index keeps: as many as tell most texts apart.
pub(super) const KEPT: usize = 100;

/// Most names in a pointer that may be members of an object or indices of a
/// list; each doubles the places to look at.
const MOST_EITHER: usize = 2;

/// The expression of a field; `None` where there is none.
///
/// Of the body: `null` for what is missing, `null`, or in a body that is no
/// JSON; numbers as SQLite holds them, whole ones beyond 64 bits as the nearest
/// float; booleans as 0 and 1; the beginning of texts; of lists and objects
/// something.
pub(super) fn expression(field: &Field) -> Option<String> {
    Some(match field {
        Field::Body(pointer) => {
            let mut places = paths(pointer)?.into_iter();
            let extract = |path: String| format!("json_extract(body, '{path}')");
            let first = extract(places.next()?);
            // It is an object or a list, so that at most one of these is there.
            let value =
                places.fold(first, |all, path| format!("coalesce({all}, {})", extract(path)));
            format!(
                "CASE WHEN json_valid(body) THEN CASE typeof({value})
                 WHEN 'text' THEN substr({value}, 1, {KEPT}) ELSE {value} END END"
            )
        }
        Field::Id => "id".into(),
        Field::Partition => "partition".into(),
        Field::ETag => "etag".into(),
        Field::CreatedAt => "created_at".into(),
        Field::UpdatedAt => "updated_at".into(),
        Field::UpdatedBy => format!("substr(updated_by, 1, {KEPT})"),
        _ => return None,
    })
}

/// The paths of a JSON pointer as SQLite writes them, ready for a text literal;
/// `None` where a name cannot be written so that every version reads it alike.
fn paths(pointer: &str) -> Option<Vec<String>> {
    let mut paths = vec![String::from("$")];
    let mut either = 0;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        if name.contains(['"', '\\']) || name.contains(char::is_control) {
            return None;
        }
        let member = format!(".\"{}\"", name.replace('\'', "''"));
        let index = is_index(&name).then(|| format!("[{name}]"));
        either += usize::from(index.is_some());
        if either > MOST_EITHER {
            return None;
        }
        let both = |path: &String| {
            [Some(&member), index.as_ref()]
                .into_iter()
                .flatten()
                .map(|step| format!("{path}{step}"))
                .collect::<Vec<_>>()
        };
        paths = paths.iter().flat_map(both).collect();
    }
    Some(paths)
}

fn is_index(name: &str) -> bool {
    // What is longer is an index of no list.
    let digits = (1..=9).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit());
    digits && (name == "0" || !name.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w21_a_pointer_is_a_path_or_is_refused() {
        for (pointer, expected) in [
            ("", Some(vec!["$"])),
            ("/a/b", Some(vec!["$.\"a\".\"b\""])),
            ("/", Some(vec!["$.\"\""])),
            ("/a.b/c d/$", Some(vec!["$.\"a.b\".\"c d\".\"$\""])),
            ("/it's", Some(vec!["$.\"it''s\""])),
            ("/a~1b~01", Some(vec!["$.\"a/b~1\""])),
            ("/l/0", Some(vec!["$.\"l\".\"0\"", "$.\"l\"[0]"])),
            ("/01/-1", Some(vec!["$.\"01\".\"-1\""])),
            ("/1/2/3", None),
            ("/a\"b", None),
            ("/a\\b", None),
            ("/a\nb", None),
        ] {
            let expected = expected.map(|all| all.into_iter().map(String::from).collect());
            assert_eq!(paths(pointer), expected, "{pointer}");
        }
    }
}
