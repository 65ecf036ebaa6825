//! What is asked, and a page of the answer.

use serde::{Deserialize, Serialize};

use super::{Filter, QueryToken, Sort};
use crate::document::Document;
use crate::mark::Mark;
use crate::projection::Projection;

/// Which documents, in which order, and how many of them.
///
/// ```
/// use ifmatch_meta::query::{Query, field};
/// let query = Query::filter(field("/size").gt(3)).sort("-/size").sort("@id").limit(20);
/// query.validate()?;
/// let same: Query = serde_json::from_str(
///     r#"{"filter":{"field":"/size","op":"gt","value":3},"sort":["-/size","@id"],"limit":20}"#,
/// )?;
/// assert_eq!(query, same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Query {
    /// Which; all unless set.
    pub filter: Filter,
    /// In which order. Whatever it says, documents that are equal by it come in
    /// order of partition and id.
    pub sort: Vec<Sort>,
    /// At most so many in one page; 1,000 unless set. A page also ends after
    /// 4 MiB of bodies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// So many are left out at the beginning; not together with a token.
    pub offset: usize,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<QueryToken>,
    /// Which members of the bodies are wanted; all of them unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Projection>,
}

impl Query {
    /// All documents.
    pub fn all() -> Self {
        Self::default()
    }

    /// The documents for which this is true.
    pub fn filter(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// Ordered by this where what was named before is equal: `"/a"`, `"-/a"`,
    /// `"@id"`. Whether it is a field is checked when the query is used.
    pub fn sort(mut self, by: impl Into<Sort>) -> Self {
        self.sort.push(by.into());
        self
    }

    /// At most so many in one page.
    pub fn limit(mut self, documents: usize) -> Self {
        self.limit = Some(documents);
        self
    }

    /// So many left out at the beginning.
    pub fn offset(mut self, documents: usize) -> Self {
        self.offset = documents;
        self
    }

    /// The page that follows the one that answered this token; an offset was
    /// left out before it.
    pub fn after(mut self, token: QueryToken) -> Self {
        self.after = Some(token);
        self.offset = 0;
        self
    }

    /// Only these members of the bodies.
    pub fn fields(mut self, fields: Projection) -> Self {
        self.fields = Some(fields);
        self
    }
}

/// One page of a query: the state at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct QueryPage {
    /// The documents, in the order that was asked for.
    pub documents: Vec<Document>,
    /// What follows, where there is more.
    pub next: Option<QueryToken>,
    /// Which state of the partition this is, where the query was for one
    /// partition.
    pub mark: Option<Mark>,
}
