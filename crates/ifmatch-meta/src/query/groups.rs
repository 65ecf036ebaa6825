//! From documents to groups.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::field::Place;
use super::key::{find, write_sorted};
use super::order::{json_order, members};
use super::sum::Sum;
use super::{AggregateOf, AggregateRow, Aggregation, Field, Prepared, SortOrder};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::json::whole;
use crate::scan::Scope;

/// Most fields to group by.
const MOST_BY: usize = 8;
/// Most computed values.
const MOST_OF: usize = 32;

impl Aggregation {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// As [`aggregator`](Self::aggregator).
    pub fn validate(&self) -> Result<()> {
        self.aggregator(&Scope::All).map(drop)
    }

    /// Checks it and makes what computes it from documents, in any order.
    ///
    /// # Errors
    /// As [`Filter::prepare`](super::Filter::prepare); `Invalid` for what is no
    /// field, more than 8 fields to group by, more than 32 computed values, a
    /// limit of 0 groups.
    pub fn aggregator(&self, scope: &Scope) -> Result<Aggregator> {
        let broken = |what: String| Err(Error::invalid(format!("aggregation: {what}")));
        if self.by.len() > MOST_BY {
            return broken(format!("by more than {MOST_BY} fields"));
        }
        if self.of.len() > MOST_OF {
            return broken(format!("more than {MOST_OF} computed values"));
        }
        if self.limit == Some(0) {
            return broken("a limit of 0 groups".into());
        }
        let by = self.by.iter().map(Place::new).collect::<Result<_>>()?;
        let of = self.of.iter().map(field).map(|field| field.map(Place::new).transpose());
        Ok(Aggregator {
            scope: scope.clone(),
            filter: self.filter.prepare()?,
            by,
            of: of.collect::<Result<_>>()?,
            empty: self.of.iter().map(State::new).collect(),
            limit: self.limit.unwrap_or(Self::GROUPS),
            groups: BTreeMap::new(),
        })
    }
}

const fn field(of: &AggregateOf) -> Option<&Field> {
    match of {
        AggregateOf::Count => None,
        AggregateOf::Sum(field) | AggregateOf::Min(field) | AggregateOf::Max(field) => Some(field),
    }
}

/// Computes an aggregation from documents.
#[derive(Debug)]
pub struct Aggregator {
    scope: Scope,
    filter: Prepared,
    by: Vec<Place>,
    of: Vec<Option<Place>>,
    empty: Vec<State>,
    limit: usize,
    /// By their values as a sort key.
    groups: BTreeMap<Vec<u8>, Group>,
}

#[derive(Debug)]
struct Group {
    by: Vec<Value>,
    of: Vec<State>,
}

impl Aggregator {
    /// Which documents: for a backend that leaves out others itself.
    pub const fn filter(&self) -> &Prepared {
        &self.filter
    }

    /// Takes a document, unless it is of another scope or does not match.
    ///
    /// # Errors
    /// `TooLarge` for more groups than asked for; `Corrupt` for a stored body
    /// that is not JSON.
    pub fn push(&mut self, document: &Document) -> Result<()> {
        if !self.scope.holds(&document.key) || !self.filter.matches(document)? {
            return Ok(());
        }
        let by = self.by.iter().map(|place| find(place, document)).collect::<Result<Vec<_>>>()?;
        let mut key = Vec::new();
        for value in &by {
            write_sorted(value.as_deref(), SortOrder::Ascending, &mut key);
        }
        if !self.groups.contains_key(&key) {
            if self.groups.len() >= self.limit {
                let (count, limit) = (self.groups.len() + 1, self.limit);
                return Err(Error::TooMany { what: "groups of an aggregation", count, limit });
            }
            let by = by.iter().map(|value| value.as_deref().map_or(Value::Null, simplest));
            let group = Group { by: by.collect(), of: self.empty.clone() };
            self.groups.insert(key.clone(), group);
        }
        if let Some(group) = self.groups.get_mut(&key) {
            for (place, state) in self.of.iter().zip(&mut group.of) {
                let found = match place {
                    Some(place) => find(place, document)?,
                    None => None,
                };
                state.add(found);
            }
        }
        Ok(())
    }

    /// The groups.
    ///
    /// # Errors
    /// None so far.
    pub fn finish(mut self) -> Result<Vec<AggregateRow>> {
        if self.by.is_empty() && self.groups.is_empty() {
            let group = Group { by: Vec::new(), of: self.empty };
            self.groups.insert(Vec::new(), group);
        }
        let rows = self.groups.into_values().map(|group| AggregateRow {
            by: group.by,
            of: group.of.into_iter().map(State::value).collect(),
        });
        Ok(rows.collect())
    }
}

/// What is computed so far.
#[derive(Clone, Debug)]
enum State {
    Count(u64),
    Sum(Sum),
    Min(Option<Value>),
    Max(Option<Value>),
}

impl State {
    fn new(of: &AggregateOf) -> Self {
        match of {
            AggregateOf::Count => Self::Count(0),
            AggregateOf::Sum(_) => Self::Sum(Sum::default()),
            AggregateOf::Min(_) => Self::Min(None),
            AggregateOf::Max(_) => Self::Max(None),
        }
    }

    fn add(&mut self, found: Option<Cow<'_, Value>>) {
        match (self, found) {
            (Self::Count(count), _) => *count += 1,
            (Self::Sum(sum), Some(found)) => {
                if let Value::Number(number) = &*found {
                    sum.add(number);
                }
            }
            (Self::Min(least), Some(found)) => {
                if least.as_ref().is_none_or(|least| json_order(&found, least).is_lt()) {
                    *least = Some(simplest(&found));
                }
            }
            (Self::Max(most), Some(found)) => {
                if most.as_ref().is_none_or(|most| json_order(&found, most).is_gt()) {
                    *most = Some(simplest(&found));
                }
            }
            (_, None) => {}
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Count(count) => count.into(),
            Self::Sum(sum) => sum.value(),
            Self::Min(value) | Self::Max(value) => value.unwrap_or_default(),
        }
    }
}

/// A value in the one form that all equal ones share. As deep as a document.
fn simplest(value: &Value) -> Value {
    match value {
        Value::Number(number) => match whole(number) {
            Some(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
                (Ok(whole), _) => whole.into(),
                (_, Ok(whole)) => whole.into(),
                _ => value.clone(),
            },
            None => value.clone(),
        },
        Value::Array(list) => list.iter().map(simplest).collect(),
        Value::Object(object) => {
            let all = members(object).into_iter();
            Value::Object(
                all.map(|(name, one)| (name.clone(), simplest(one))).collect::<Map<_, _>>(),
            )
        }
        plain => plain.clone(),
    }
}
