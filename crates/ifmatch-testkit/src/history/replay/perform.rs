//! One store's part in a history.

use std::sync::Arc;

use ifmatch_meta::{
    Applied, ChangeToken, Changed, DocId, DocKey, DocPrecondition, Error, Mark, MetaStore, Op,
    Partition, Query, Result, ScanOptions, Scope, Transaction, WriteOptions,
};

use super::action::{Action, Name, Pre, Step};
use super::canon::Canon;
use super::script::{SLOTS, Script};

/// A store, and what it has told.
pub(super) struct Player {
    pub(super) store: Arc<dyn MetaStore>,
    pub(super) canon: Canon,
    marks: [Option<Mark>; SLOTS],
    tokens: [Option<ChangeToken>; SLOTS],
    pub(super) open: [Option<Transaction>; SLOTS],
}

pub(super) fn key((partition, id): &Name) -> DocKey {
    DocKey { partition: partition.clone(), id: id.clone() }
}

impl Player {
    pub(super) fn new(store: Arc<dyn MetaStore>) -> Self {
        let (marks, tokens, open) =
            ([const { None }; SLOTS], [const { None }; SLOTS], [const { None }; SLOTS]);
        Self { store, canon: Canon::default(), marks, tokens, open }
    }

    pub(super) async fn perform(&mut self, action: &Action, script: &Script) -> String {
        match self.try_to(action, script).await {
            Ok(answer) => answer,
            Err(error) => self.canon.error(&error),
        }
    }

    async fn try_to(&mut self, action: &Action, script: &Script) -> Result<String> {
        let store = self.store.clone();
        Ok(match action {
            Action::Get(name) => match store.get(&key(name)).await? {
                Some(found) => self.canon.document(&found),
                None => "absent".into(),
            },
            Action::GetIfChanged(name, tag) => {
                match store.get_if_changed(&key(name), &self.canon.tag(*tag)).await? {
                    Changed::Unchanged => "unchanged".into(),
                    Changed::Document(found) => self.canon.document(&found),
                    Changed::Absent => "absent".into(),
                }
            }
            Action::Write(partition, step, author) => {
                let commits = script.changes(partition, std::slice::from_ref(step));
                self.write(partition, step, options(*author), commits).await?
            }
            Action::Batch(partition, steps, author) => {
                let ops = self.ops(steps);
                let applied = store.batch_with(partition, ops, options(*author)).await?;
                self.canon.applied(partition, &applied, script.changes(partition, steps))
            }
            Action::Scan(partition, options, pages) => {
                self.scan(partition, options.clone(), *pages).await?
            }
            Action::Mark(partition, slot) => {
                let page = store.scan(partition, ScanOptions::default().limit(1)).await?;
                self.marks[*slot] = Some(page.mark);
                "a mark".into()
            }
            Action::Partitions(after, limit) => {
                format!("{:?}", store.partitions(after.as_ref(), *limit).await?)
            }
            Action::Count(scope) => store.count(scope).await?.to_string(),
            Action::CountWhere(scope, query) => {
                store.count_where(scope, &query.filter).await?.to_string()
            }
            Action::Query(scope, query, pages) => self.query(scope, query.clone(), *pages).await?,
            Action::Aggregate(scope, of) => format!("{:?}", store.aggregate(scope, of).await?),
            Action::Changes(scope, slot, since, limit) => {
                let since = if *since { self.tokens[*slot].clone() } else { None };
                self.changes(scope, *slot, since, *limit).await?
            }
            Action::ChangeToken(scope, slot) => {
                self.tokens[*slot] = Some(store.change_token(scope).await?);
                "a token".into()
            }
            Action::Audit(partition, limit) => self.audit(partition, *limit).await?,
            Action::Begin(partition, slot) => self.begin(partition, *slot).await?,
            Action::InTx(slot, what) => self.in_tx(*slot, what, script).await?,
        })
    }

    async fn write(
        &mut self,
        partition: &Partition,
        step: &Step,
        options: WriteOptions,
        commits: bool,
    ) -> Result<String> {
        let at = |id: &DocId| DocKey { partition: partition.clone(), id: id.clone() };
        let store = self.store.clone();
        match step {
            Step::Put(id, body, pre) => {
                let pre = self.pre(pre);
                let written = store.put_with(&at(id), body.clone(), pre, options).await?;
                Ok(self.canon.written(partition, &written, commits))
            }
            Step::Patch(id, patch, pre) => {
                let pre = self.pre(pre);
                let written = store.patch(&at(id), patch.clone(), pre, options).await?;
                Ok(self.canon.written(partition, &written, commits))
            }
            Step::Delete(id, pre) => {
                let pre = self.pre(pre);
                let deleted = store.delete_with(&at(id), pre, options).await?;
                Ok(self.canon.deleted(partition, &deleted, commits))
            }
            step => {
                let applied = store.batch(partition, self.ops(std::slice::from_ref(step))).await?;
                Ok(self.canon.applied(partition, &applied, commits))
            }
        }
    }

    fn pre(&self, pre: &Pre) -> DocPrecondition {
        match pre {
            Pre::Overwrite => DocPrecondition::Overwrite,
            Pre::Absent => DocPrecondition::IfAbsent,
            Pre::Exists => DocPrecondition::IfExists,
            Pre::Match(tag) => DocPrecondition::IfMatch(self.canon.tag(*tag)),
            Pre::Field(value) => DocPrecondition::field_equals("/n", value.clone()),
        }
    }

    pub(super) fn ops(&self, steps: &[Step]) -> Vec<Op> {
        let op = |step: &Step| match step {
            Step::Put(id, body, pre) => Op::put(id.clone(), body.clone(), self.pre(pre)),
            Step::Patch(id, patch, pre) => Op::patch(id.clone(), patch.clone(), self.pre(pre)),
            Step::Delete(id, pre) => Op::delete(id.clone(), self.pre(pre)),
            Step::Check(id, pre) => Op::check(id.clone(), self.pre(pre)),
            Step::Unchanged(slot) => {
                let since = self.marks[*slot].clone().unwrap_or_else(|| Mark::new("none"));
                Op::Unchanged { since }
            }
        };
        steps.iter().map(op).collect()
    }

    async fn scan(
        &mut self,
        partition: &Partition,
        mut options: ScanOptions,
        pages: usize,
    ) -> Result<String> {
        let mut text = String::new();
        for _ in 0..pages {
            let page = self.store.scan(partition, options.clone()).await?;
            text += &self.canon.documents(&page.documents);
            text.push('|');
            let Some(token) = page.next else { break };
            text += &token.to_string();
            options = options.after(token);
        }
        Ok(text)
    }

    async fn query(&mut self, scope: &Scope, mut query: Query, pages: usize) -> Result<String> {
        let mut text = String::new();
        for _ in 0..pages {
            let page = self.store.query(scope, &query).await?;
            text += &self.canon.documents(&page.documents);
            text.push('|');
            query.after = page.next;
            query.offset = 0;
            if query.after.is_none() {
                break;
            }
            text.push('>');
        }
        Ok(text)
    }

    async fn changes(
        &mut self,
        scope: &Scope,
        slot: usize,
        since: Option<ChangeToken>,
        limit: usize,
    ) -> Result<String> {
        let beginning = since.is_none();
        let (mut at, mut all) = (since, Vec::new());
        loop {
            let page = self.store.changes(scope, at.as_ref(), limit).await?;
            if page.changes.len() > limit || (page.changes.is_empty() && page.more) {
                let (told, more) = (page.changes.len(), page.more);
                return Ok(format!("a page of {told}, the limit is {limit}, more: {more}"));
            }
            all.extend(page.changes);
            at = Some(page.next);
            if !page.more {
                break;
            }
        }
        self.tokens[slot] = at;
        // From the beginning it is told what is there; deletions may be told too.
        all.retain(|change| !beginning || change.document().is_some());
        all.sort_by(|a, b| a.key().partition.cmp(&b.key().partition)); // Stable.
        Ok(all.iter().map(|change| self.canon.change(change)).collect())
    }

    async fn audit(&mut self, partition: &Partition, limit: usize) -> Result<String> {
        let (mut after, mut text) = (None, String::new());
        loop {
            let page = self.store.audit(partition, after, limit).await?;
            for record in &page {
                text += &self.canon.record(partition, record);
            }
            if page.len() < limit {
                return Ok(text);
            }
            after = page.last().map(|record| record.at);
        }
    }
}

fn options(author: Option<&'static str>) -> WriteOptions {
    let options = WriteOptions::default().return_document();
    match author {
        Some(author) => options.author(author),
        None => options,
    }
}

/// The answer of a batch in a transaction: it has no position yet.
pub(super) fn staged(
    canon: &mut Canon,
    partition: &Partition,
    answer: Result<Vec<Applied>, Error>,
) -> Result<String> {
    Ok(canon.applied(partition, &answer?, false))
}
