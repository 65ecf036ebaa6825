//! Transactions in a history.

use ifmatch_meta::{Error, Partition, Result, Transaction, TxId, TxOptions, TxOutcome};

use super::action::InTx;
use super::perform::{Player, key, staged};
use super::script::Script;

fn name(slot: usize) -> Result<TxId> {
    TxId::new(format!("slot-{slot}"))
}

impl Player {
    pub(super) async fn begin(&mut self, partition: &Partition, slot: usize) -> Result<String> {
        let options = TxOptions::default().id(name(slot)?).author("tx");
        let tx = Transaction::begin(self.store.clone(), partition, options).await?;
        self.open[slot] = Some(tx);
        Ok("begun".into())
    }

    pub(super) async fn in_tx(
        &mut self,
        slot: usize,
        what: &InTx,
        script: &Script,
    ) -> Result<String> {
        let none = || Error::invalid("no transaction is in this slot");
        let tx = self.open[slot].as_ref().ok_or_else(none)?;
        Ok(match what {
            InTx::Get(name) => match tx.get(&key(name)).await? {
                Some(found) => self.canon.document(&found),
                None => "absent".into(),
            },
            InTx::Batch(partition, steps) => {
                let ops = self.ops(steps);
                let options = ifmatch_meta::WriteOptions::default().return_document();
                let answer = tx.batch_with(partition, ops, options).await;
                staged(&mut self.canon, partition, answer)?
            }
            InTx::Scan(partition, options) => {
                let page = tx.scan(partition, options.clone()).await?;
                let more = page.next.is_some();
                format!("{} more: {more}", self.canon.documents(&page.documents))
            }
            InTx::Resume => {
                tx.detach().await?;
                self.open[slot] =
                    Some(Transaction::resume(self.store.clone(), &name(slot)?).await?);
                "resumed".into()
            }
            InTx::Commit => {
                let committed = tx.commit().await?;
                let partition = tx.partition().cloned();
                self.open[slot] = None;
                match (committed.position, partition) {
                    (Some(position), Some(partition)) if script.commit_changes(&partition) => {
                        self.canon.committed(&partition, position)
                    }
                    (position, _) => format!("committed {}", position.is_some()),
                }
            }
            InTx::Abort => {
                tx.abort().await?;
                self.open[slot] = None;
                "aborted".into()
            }
            InTx::Outcome => match Transaction::outcome(&*self.store, &name(slot)?).await? {
                TxOutcome::Open => "open".into(),
                other => format!("{other:?}"),
            },
        })
    }
}
