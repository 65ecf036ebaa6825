//! Pages of a partition as a transaction sees them.

use std::iter::Peekable;
use std::ops::Bound;
use std::vec::IntoIter;

use super::overlay::Overlay;
use crate::document::Document;
use crate::error::Result;
use crate::key::{DocId, Partition};
use crate::scan::{Direction, Page, ScanOptions, ScanToken};
use crate::store::MetaStore;

/// One page of what is committed, with what was written over it. Its mark is
/// that of the committed state.
pub(super) async fn scan(
    store: &dyn MetaStore,
    partition: &Partition,
    written: &Overlay,
    options: ScanOptions,
) -> Result<Page> {
    if written.is_empty() {
        return store.scan(partition, options).await;
    }
    let (limit, direction) = (options.limit.max(1), options.direction);
    let mut at = options;
    let mut documents: Vec<Document> = Vec::new();
    let (mut bytes, mut mark) = (0, None);
    loop {
        let page = store.scan(partition, at.clone()).await?;
        let mark = mark.get_or_insert(page.mark);
        let over = stretch(&at, page.next.as_ref(), written)?;
        for document in merged(page.documents, over, direction) {
            if documents.len() == limit || bytes >= ScanOptions::PAGE_BYTES {
                let last = documents.last().map(|document| document.key.id.clone());
                let next = last.map(|last| ScanToken::new(direction, last));
                return Ok(Page { documents, next, mark: mark.clone() });
            }
            bytes += document.body.len();
            documents.push(document);
        }
        let Some(next) = page.next else {
            return Ok(Page { documents, next: None, mark: mark.clone() });
        };
        at = at.after(next);
    }
}

/// What was written in the ids that a page covers, in the order of the scan.
fn stretch(
    at: &ScanOptions,
    next: Option<&ScanToken>,
    written: &Overlay,
) -> Result<Vec<(DocId, Option<Document>)>> {
    let (mut lower, mut upper) = at.remaining()?;
    if let Some(token) = next {
        let last = Bound::Included(token.last().as_str());
        match at.direction {
            Direction::Ascending => upper = last,
            Direction::Descending => lower = last,
        }
    }
    let mut rows = Vec::new();
    for (id, document) in written.range(lower, upper) {
        if id.is_reserved() && !at.with_reserved {
            continue;
        }
        let document = match (document, &at.fields) {
            (Some(document), Some(fields)) => Some(fields.document(document.clone())?),
            (document, _) => document.cloned(),
        };
        rows.push((id.clone(), document));
    }
    if at.direction == Direction::Descending {
        rows.reverse();
    }
    Ok(rows)
}

fn merged(
    documents: Vec<Document>,
    over: Vec<(DocId, Option<Document>)>,
    direction: Direction,
) -> Merged {
    let (below, over) = (documents.into_iter().peekable(), over.into_iter().peekable());
    Merged { below, over, direction }
}

/// Two sequences in one order; where both have an id the upper one counts.
struct Merged {
    below: Peekable<IntoIter<Document>>,
    over: Peekable<IntoIter<(DocId, Option<Document>)>>,
    direction: Direction,
}

impl Iterator for Merged {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        loop {
            let over_first = match (self.below.peek(), self.over.peek()) {
                (_, None) => return self.below.next(),
                (None, Some(_)) => true,
                (Some(below), Some((over, _))) => match self.direction {
                    Direction::Ascending => *over <= below.key.id,
                    Direction::Descending => *over >= below.key.id,
                },
            };
            if !over_first {
                return self.below.next();
            }
            let (id, document) = self.over.next()?;
            self.below.next_if(|below| below.key.id == id);
            if document.is_some() {
                return document;
            }
        }
    }
}
