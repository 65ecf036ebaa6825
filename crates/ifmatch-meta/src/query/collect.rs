//! From documents to a page.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::{Plan, Query, QueryPage, QueryToken, SortKey};
use crate::document::Document;
use crate::error::Result;
use crate::mark::Mark;

/// In which order documents are handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums)] // There is no third.
pub enum Given {
    /// In that of the query: of partition and id where no sort is asked for. The
    /// collector says when it has seen enough.
    InOrder,
    /// In any.
    Unordered,
}

/// Makes a page of documents. It keeps no more of them than a page and its
/// offset hold.
#[derive(Debug)]
pub struct Collector {
    plan: Plan,
    given: Given,
    /// Those of the page, in their order.
    taken: Vec<Document>,
    /// The first ones so far, where they come in no order.
    first: BTreeMap<SortKey, Document>,
    /// Bodies of what is kept.
    bytes: usize,
    left_out: usize,
    /// Whether the beginning of the page was passed.
    begun: bool,
    more: bool,
}

impl Collector {
    pub(super) fn new(plan: Plan, given: Given) -> Self {
        let begun = plan.after().is_none();
        Self {
            plan,
            given,
            taken: Vec::new(),
            first: BTreeMap::new(),
            bytes: 0,
            left_out: 0,
            begun,
            more: false,
        }
    }

    /// Takes a document, unless it is none of the query's. `Break`: whatever
    /// follows changes nothing.
    ///
    /// # Errors
    /// `Corrupt` for a stored body that is not JSON.
    pub fn push(&mut self, document: &Document) -> Result<ControlFlow<()>> {
        if !self.plan.matches(document)? {
            return Ok(ControlFlow::Continue(()));
        }
        match self.given {
            Given::InOrder => self.push_in_order(document),
            Given::Unordered => self.push_unordered(document).map(ControlFlow::Continue),
        }
    }

    fn push_in_order(&mut self, document: &Document) -> Result<ControlFlow<()>> {
        if !self.begun && Some(&self.plan.key(document)?) <= self.plan.after() {
            return Ok(ControlFlow::Continue(()));
        }
        self.begun = true;
        if self.left_out < self.plan.offset() {
            self.left_out += 1;
            return Ok(ControlFlow::Continue(()));
        }
        if self.is_full(self.taken.len(), self.bytes) {
            self.more = true;
            return Ok(ControlFlow::Break(()));
        }
        self.bytes += document.body.len();
        self.taken.push(document.clone());
        Ok(ControlFlow::Continue(()))
    }

    fn push_unordered(&mut self, document: &Document) -> Result<()> {
        let key = self.plan.key(document)?;
        if Some(&key) <= self.plan.after() {
            return Ok(());
        }
        let most = self.plan.limit().saturating_add(self.plan.offset());
        if self.first.len() >= most && self.first.last_key_value().is_some_and(|(k, _)| *k < key) {
            self.more = true;
            return Ok(());
        }
        self.bytes += document.body.len();
        if let Some(twice) = self.first.insert(key, document.clone()) {
            self.bytes -= twice.body.len();
        }
        while let Some(last) = self.first.last_entry() {
            let before = self.bytes - last.get().body.len();
            // Those before it fill the page. What is left out at the beginning
            // fills nothing, and which these are is known at the end only.
            let filled = self.plan.offset() == 0 && before >= Query::PAGE_BYTES;
            if self.first.len() <= most && !filled {
                break;
            }
            self.first.pop_last();
            self.bytes = before;
            self.more = true;
        }
        Ok(())
    }

    const fn is_full(&self, documents: usize, bytes: usize) -> bool {
        documents >= self.plan.limit() || bytes >= Query::PAGE_BYTES
    }

    /// The page.
    ///
    /// # Errors
    /// `Corrupt` for a stored body that is not JSON.
    pub fn finish(mut self, mark: Option<Mark>) -> Result<QueryPage> {
        if self.given == Given::Unordered {
            self.take_first();
        }
        let last = self.taken.last().filter(|_| self.more);
        let next = last.map(|last| self.plan.key(last)).transpose()?;
        let next = next.map(|last| QueryToken::new(self.plan.hash(), last));
        let documents = match self.plan.fields() {
            None => self.taken,
            Some(fields) => {
                self.taken.into_iter().map(|one| fields.document(one)).collect::<Result<_>>()?
            }
        };
        Ok(QueryPage { documents, next, mark })
    }

    fn take_first(&mut self) {
        let mut bytes = 0;
        for document in std::mem::take(&mut self.first).into_values().skip(self.plan.offset()) {
            if self.is_full(self.taken.len(), bytes) {
                self.more = true;
                return;
            }
            bytes += document.body.len();
            self.taken.push(document);
        }
    }
}
