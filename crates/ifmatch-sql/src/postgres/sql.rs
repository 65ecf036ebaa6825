//! The one place where SQL text is put together: fixed pieces, the checked name
//! of the schema, numbered places for values, and quoted literals. Values are
//! bound; a literal is the name of a member that an index is about, which has to
//! stand in the text for the index to be found.

use ifmatch_meta::{Error, Result};
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Type};

/// The schema of a store: a checked identifier.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    name: String,
}

impl Schema {
    /// 1 to 40 lower-case letters, digits and `_`, a letter first; not `pg_...`.
    pub(super) fn new(name: &str) -> Result<Self> {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if !first || name.len() > 40 || !name.bytes().all(known) || name.starts_with("pg_") {
            let name: String = name.chars().take(41).collect();
            return Err(Error::invalid(format!(
                "schema {name:?}: 1 to 40 lower-case letters, digits and _ are allowed, a letter \
                 first, not pg_"
            )));
        }
        Ok(Self { name: name.into() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A piece of SQL with this schema for `schema.`.
    pub(super) fn fill(&self, template: &'static str) -> String {
        template.replace("schema.", &format!("\"{}\".", self.name))
    }

    /// A script without values.
    pub(super) fn script(&self, template: &'static str) -> AssertSqlSafe<String> {
        AssertSqlSafe(self.fill(template))
    }

    /// A statement that begins like this.
    pub(super) fn statement(&self, begin: &'static str) -> Statement<'_> {
        let (text, arguments) = (String::new(), PgArguments::default());
        Statement { schema: self, text, arguments, failed: None }.push(begin)
    }
}

/// A part of a statement. Made of fixed text, numbers and quoted literals only.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece(String);

impl Piece {
    /// Fixed text.
    pub(super) fn fixed(text: &'static str) -> Self {
        Self(text.into())
    }

    /// Fixed text after this.
    pub(super) fn then(mut self, text: &'static str) -> Self {
        self.0.push_str(text);
        self
    }

    /// Another part after this.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// A number after this.
    pub(super) fn number(mut self, number: usize) -> Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// Part of a quoted identifier after this: plain characters only, others are
    /// left out.
    pub(super) fn identifier(mut self, name: &str) -> Self {
        self.0.extend(name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_'));
        self
    }

    /// A text constant after this, quoted as `quote_literal` does it: right
    /// whatever `standard_conforming_strings` says.
    pub(super) fn literal(mut self, text: &str) -> Self {
        let (mark, text) = if text.contains('\\') {
            (" E'", text.replace('\\', "\\\\"))
        } else {
            ("'", text.to_owned())
        };
        self.0.push_str(mark);
        self.0.push_str(&text.replace('\'', "''"));
        self.0.push('\'');
        self
    }

    /// Parts with fixed text between them.
    pub(super) fn join(parts: &[Self], between: &'static str) -> Self {
        let parts: Vec<&str> = parts.iter().map(|part| part.0.as_str()).collect();
        Self(parts.join(between))
    }
}

/// A statement as it grows.
pub(super) struct Statement<'a> {
    schema: &'a Schema,
    text: String,
    arguments: PgArguments,
    failed: Option<sqlx::Error>,
}

impl Statement<'_> {
    /// Adds a fixed piece; `schema.` in it is the schema's name.
    pub(super) fn push(mut self, piece: &'static str) -> Self {
        self.text.push_str(&self.schema.fill(piece));
        self
    }

    /// Adds `$n` and binds a value to it.
    pub(super) fn value<'q, T>(mut self, value: T) -> Self
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        let place = self.place(value);
        self.piece(&place)
    }

    /// Adds a part.
    pub(super) fn piece(mut self, piece: &Piece) -> Self {
        self.text.push_str(&piece.0);
        self
    }

    /// Binds a value and names its place.
    pub(super) fn place<'q, T>(&mut self, value: T) -> Piece
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.failed = Some(sqlx::Error::Encode(error));
        }
        Piece(format!("${}", self.arguments.len()))
    }

    /// Binds the next value to a place that a fixed piece names.
    pub(super) fn bind<'q, T>(mut self, value: T) -> Self
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        self.place(value);
        self
    }

    /// Its text and its values.
    pub(super) fn finish(self) -> Result<(AssertSqlSafe<String>, PgArguments), sqlx::Error> {
        // Statements are prepared once for each text: with the same values bound.
        let named = |number: usize| self.text.contains(&format!("${number}"));
        debug_assert!(
            (1..=self.arguments.len()).all(named),
            "a value without place: {}",
            self.text
        );
        match self.failed {
            Some(error) => Err(error),
            None => Ok((AssertSqlSafe(self.text), self.arguments)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w21_a_schema_is_a_plain_identifier() {
        for name in ["ifmatch", "a", "a_1", &"x".repeat(40)] {
            assert_eq!(Schema::new(name).unwrap().name(), name);
        }
        let long = "x".repeat(41);
        for name in ["", "A", "1a", "_a", "a b", "a\"b", "a.b", "ä", "pg_x", "a;b", &long] {
            assert_eq!(Schema::new(name).unwrap_err().kind(), "invalid", "{name}");
        }
    }

    #[test]
    fn w21_literals_end_where_they_should() {
        for (text, quoted) in [
            ("a", "'a'"),
            ("", "''"),
            ("it's", "'it''s'"),
            ("a\\'b", " E'a\\\\''b'"),
            ("\\", " E'\\\\'"),
            ("$1;--\"", "'$1;--\"'"),
        ] {
            assert_eq!(Piece::default().literal(text).0, quoted);
        }
    }

    #[test]
    fn values_are_numbered_and_bound() {
        let schema = Schema::new("s").unwrap();
        let statement = schema.statement("SELECT FROM schema.documents WHERE id = ").value("a'b");
        let (text, arguments) = statement.push(" AND n = ").value(1_i64).finish().unwrap();
        assert_eq!(text.0, "SELECT FROM \"s\".documents WHERE id = $1 AND n = $2");
        assert_eq!(arguments.len(), 2);
    }
}
