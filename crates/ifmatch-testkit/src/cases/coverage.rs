//! What the cases have asked, and of what.

use std::collections::BTreeMap;
use std::fmt;

use ifmatch_meta::{AggregateOf, Comparison, Document, Field, Filter, Json, SortOrder};

use super::case::Case;
use super::values::Kind;

/// Types that a constant can have.
const CONSTANTS: [Kind; 5] = [Kind::Bool, Kind::Number, Kind::Text, Kind::List, Kind::Object];
/// Elements of a list that are looked at.
const ELEMENTS: usize = 3;

/// How often an operator met a pair of types, and what the answer was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Cell {
    /// True; for what has no truth (sorts, groups): how often it was met.
    pub yes: u64,
    /// False.
    pub no: u64,
    /// Unknown.
    pub unknown: u64,
}

/// How often each operator met each pair of types, counted on a sample of the
/// documents of each case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage {
    cells: BTreeMap<(&'static str, Option<Kind>, Kind), Cell>,
}

impl Coverage {
    /// How often an operator met a value of one type with a constant of another;
    /// `None` where it has no constant.
    pub fn cell(&self, operator: &'static str, constant: Option<Kind>, value: Kind) -> Cell {
        self.cells.get(&(operator, constant, value)).copied().unwrap_or_default()
    }

    /// The pairs that are possible and were never met, as `operator constant
    /// value`.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (operator, constant) in rows() {
            for value in Kind::ALL {
                if self.cell(operator, constant, value) == Cell::default() {
                    let constant = constant.map_or("-", Kind::as_str);
                    missing.push(format!("{operator} {constant} {}", value.as_str()));
                }
            }
        }
        missing
    }

    /// Adds what another one has counted.
    pub fn add(&mut self, other: &Self) {
        for (at, more) in &other.cells {
            let cell = self.cells.entry(*at).or_default();
            cell.yes += more.yes;
            cell.no += more.no;
            cell.unknown += more.unknown;
        }
    }

    pub(super) fn record(&mut self, case: &Case, documents: &[Document]) {
        self.filter(&case.query.filter, documents);
        for sort in &case.query.sort {
            let operator = match sort.order {
                SortOrder::Ascending => "sort",
                SortOrder::Descending => "-sort",
            };
            self.met(operator, &sort.field, documents);
        }
        let Some(aggregation) = &case.aggregation else { return };
        for field in &aggregation.by {
            self.met("by", field, documents);
        }
        for of in &aggregation.of {
            match of {
                AggregateOf::Sum(field) => self.met("sum", field, documents),
                AggregateOf::Min(field) => self.met("min", field, documents),
                AggregateOf::Max(field) => self.met("max", field, documents),
                _ => {}
            }
        }
    }

    fn met(&mut self, operator: &'static str, field: &Field, documents: &[Document]) {
        for document in documents {
            let kind = kind_of(field, document);
            self.cells.entry((operator, None, kind)).or_default().yes += 1;
        }
    }

    fn filter(&mut self, filter: &Filter, documents: &[Document]) {
        match filter {
            Filter::And(all) | Filter::Or(all) => {
                for one in all {
                    self.filter(one, documents);
                }
            }
            Filter::Not(one) => self.filter(one, documents),
            leaf => {
                let Some(field) = leaf.field() else { return };
                self.leaf(leaf, field, documents);
                if let Filter::List { filter, .. } = leaf {
                    self.filter(filter, &elements(field, documents));
                }
            }
        }
    }

    fn leaf(&mut self, leaf: &Filter, field: &Field, documents: &[Document]) {
        let Ok(prepared) = leaf.prepare() else { return };
        let mut constants: Vec<Option<Kind>> = match leaf {
            Filter::Compare { value, .. } => vec![Some(Kind::of(Some(value)))],
            Filter::In { values, .. } => {
                values.iter().map(|value| Some(Kind::of(Some(value)))).collect()
            }
            Filter::Regex { .. } => vec![Some(Kind::Text)],
            Filter::Length { .. } => vec![Some(Kind::Number)],
            _ => vec![None],
        };
        constants.sort();
        constants.dedup();
        for document in documents {
            let Ok(truth) = prepared.evaluate(document) else { continue };
            let kind = kind_of(field, document);
            for constant in &constants {
                let cell = self.cells.entry((leaf.operator(), *constant, kind)).or_default();
                match truth {
                    Some(true) => cell.yes += 1,
                    Some(false) => cell.no += 1,
                    None => cell.unknown += 1,
                }
            }
        }
    }
}

fn kind_of(field: &Field, document: &Document) -> Kind {
    field.value(document).map_or(Kind::Missing, |value| Kind::of(value.as_deref()))
}

/// Elements of lists, as if they were documents.
fn elements(field: &Field, documents: &[Document]) -> Vec<Document> {
    let mut all = Vec::new();
    for document in documents {
        let Ok(Some(value)) = field.value(document) else { continue };
        for element in value.as_array().into_iter().flatten().take(ELEMENTS) {
            if let Ok(body) = Json::of(element) {
                all.push(Document { body, ..document.clone() });
            }
        }
    }
    all
}

/// All pairs of an operator and the type of its constant.
fn rows() -> Vec<(&'static str, Option<Kind>)> {
    let mut rows = Vec::new();
    for comparison in Comparison::ALL {
        let all: &[Kind] = match comparison {
            Comparison::StartsWith | Comparison::EndsWith => &[Kind::Text],
            _ => &CONSTANTS,
        };
        rows.extend(all.iter().map(|kind| (comparison.as_str(), Some(*kind))));
    }
    for operator in ["in", "not_in"] {
        rows.extend(CONSTANTS.map(|kind| (operator, Some(kind))));
    }
    rows.extend([("regex", Some(Kind::Text)), ("length", Some(Kind::Number))]);
    for operator in ["exists", "is_null", "is_na", "any", "all"] {
        rows.push((operator, None));
    }
    for operator in ["sort", "-sort", "by", "sum", "min", "max"] {
        rows.push((operator, None));
    }
    rows
}

impl fmt::Display for Coverage {
    /// A table: a row for each operator and type of its constant, a column for
    /// each type of the value; in it how often the answer was true, false and
    /// unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12}{:<9}", "operator", "constant")?;
        for value in Kind::ALL {
            write!(f, "{:>22}", value.as_str())?;
        }
        for (operator, constant) in rows() {
            write!(f, "\n{operator:<12}{:<9}", constant.map_or("-", Kind::as_str))?;
            for value in Kind::ALL {
                let Cell { yes, no, unknown } = self.cell(operator, constant, value);
                write!(f, "{:>22}", format!("{yes}/{no}/{unknown}"))?;
            }
        }
        Ok(())
    }
}
