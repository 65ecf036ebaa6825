//! Fields as SQL expressions.

use ifmatch_meta::{Error, Field, Result};

use super::super::sql::Piece;

/// Characters of a text that an index holds: no text is too long for it.
pub(in super::super) const INDEXED: &str = "200";

/// What a field is in SQL.
#[derive(Clone, Debug)]
pub(in super::super) enum Operand {
    /// A value in a document: the expression of its `jsonb`.
    Json(Piece),
    /// A column of texts, and whether it may be missing.
    Text(Piece, bool),
    /// A column of microseconds, whose value is the text of that time.
    Time(Piece),
}

impl Operand {
    /// The operand of a field; `json` is what pointers begin in, `row` the row of
    /// the other fields.
    pub(in super::super) fn new(field: &Field, json: &Piece, row: &'static str) -> Result<Self> {
        let column = |name: &'static str| Piece::fixed(row).then(name);
        Ok(match field {
            Field::Body(pointer) => Self::Json(at(json, pointer)?),
            Field::Id => Self::Text(column("id"), false),
            Field::Partition => Self::Text(column("partition"), false),
            Field::ETag => {
                let quoted = Piece::fixed("('\"' || ").and(&column("etag")).then(" || '\"')");
                Self::Text(quoted, false)
            }
            Field::CreatedAt => Self::Time(column("created_at")),
            Field::UpdatedAt => Self::Time(column("updated_at")),
            Field::UpdatedBy => Self::Text(column("updated_by"), true),
            _ => return Err(Error::unsupported(format!("field {field} on PostgreSQL"))),
        })
    }

    /// Its text, by Unicode scalar value; NULL where it is none.
    pub(in super::super) fn text(&self) -> Option<Piece> {
        match self {
            Self::Json(value) => {
                let text = Piece::fixed("(").and(value).then(" #>> ARRAY[]::text[])");
                Some(exactly(&when(value, "'string'", &text)))
            }
            Self::Text(column, _) => Some(exactly(column)),
            Self::Time(_) => None,
        }
    }

    /// The beginning of its text, as indexes hold it.
    pub(in super::super) fn start(&self) -> Option<Piece> {
        let text = self.text()?;
        Some(Piece::fixed("left(").and(&text).then(", ").then(INDEXED).then(")"))
    }

    /// Its number; NULL where it is none.
    pub(in super::super) fn number(&self) -> Option<Piece> {
        let Self::Json(value) = self else { return None };
        Some(when(value, "'number'", &value.clone().then("::numeric")))
    }

    /// Its truth value; NULL where it is none.
    pub(in super::super) fn boolean(&self) -> Option<Piece> {
        let Self::Json(value) = self else { return None };
        Some(when(value, "'boolean'", &value.clone().then("::boolean")))
    }

    /// Itself where it is a list or an object (`kind`), else NULL.
    pub(in super::super) fn whole(&self, kind: &'static str) -> Option<Piece> {
        let Self::Json(value) = self else { return None };
        Some(when(value, kind, value))
    }

    /// The rank of its type in sorts; NULL where it is missing or `null`.
    pub(in super::super) fn rank(&self) -> Piece {
        match self {
            Self::Json(value) => Piece::fixed("CASE jsonb_typeof(").and(value).then(
                ") WHEN 'boolean' THEN 1 WHEN 'number' THEN 2 WHEN 'string' THEN 3
                WHEN 'array' THEN 4 WHEN 'object' THEN 5 END",
            ),
            Self::Text(column, _) | Self::Time(column) => {
                Piece::fixed("CASE WHEN ").and(column).then(" IS NOT NULL THEN 3 END")
            }
        }
    }
}

/// A text that is compared by its characters, whatever the database's locale.
fn exactly(text: &Piece) -> Piece {
    Piece::fixed("(").and(text).then(" COLLATE \"C\")")
}

fn when(value: &Piece, kind: &'static str, then: &Piece) -> Piece {
    Piece::fixed("(CASE WHEN jsonb_typeof(")
        .and(value)
        .then(") = ")
        .then(kind)
        .then(" THEN ")
        .and(then)
        .then(" END)")
}

/// The value at a JSON pointer: a name finds a member, and a canonical index
/// finds an element too.
fn at(json: &Piece, pointer: &str) -> Result<Piece> {
    let names: Vec<String> =
        pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    if names.iter().any(|name| name.contains('\0')) {
        return Err(Error::invalid("a field that holds U+0000"));
    }
    // `#>` reads more texts as indexes than JSON pointers do; `->` reads none.
    let literal = |name: &String| Piece::default().literal(name);
    if names.iter().any(|name| is_index_to_postgres_only(name)) {
        let steps = names.iter().map(|name| {
            if is_index(name) {
                Piece::fixed(" #> ARRAY[").and(&literal(name)).then("]::text[]")
            } else {
                Piece::fixed(" -> ").and(&literal(name)).then("::text")
            }
        });
        let steps = Piece::join(&steps.collect::<Vec<_>>(), "");
        return Ok(Piece::fixed("(").and(json).and(&steps).then(")"));
    }
    let names = Piece::join(&names.iter().map(literal).collect::<Vec<_>>(), ", ");
    Ok(Piece::fixed("(").and(json).then(" #> ARRAY[").and(&names).then("]::text[])"))
}

fn is_index(name: &str) -> bool {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    digits && (name == "0" || !name.starts_with('0'))
}

/// What C's `strtol` takes for a number, but for canonical indexes.
fn is_index_to_postgres_only(name: &str) -> bool {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
    let rest = name.trim_start_matches(space);
    let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number && !is_index(name)
}
