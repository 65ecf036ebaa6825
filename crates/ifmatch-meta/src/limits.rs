//! How large things may be.

use crate::error::{Error, Result};
use crate::json::Json;
use crate::key::{DocKey, Partition};
use crate::ops::Op;
use crate::precondition::DocPrecondition;

/// The limits of a store. Backends check them, and everything else that can be
/// known of a write beforehand, before anything is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Largest body, in bytes; 1 MiB unless set.
    pub document: usize,
    /// Most operations in one batch; 1,000 unless set.
    pub batch_operations: usize,
    /// Most bytes of ids and bodies in one batch; 4 MiB unless set.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document: 1 << 20, batch_operations: 1_000, batch_bytes: 4 << 20 }
    }
}

impl Limits {
    /// These limits with another one for documents.
    pub fn document(mut self, bytes: usize) -> Self {
        self.document = bytes;
        self
    }

    /// Checks a put.
    ///
    /// # Errors
    /// `TooLarge`, or `Invalid` as [`DocPrecondition::validate`].
    pub fn check_put(&self, key: &DocKey, body: &Json, pre: &DocPrecondition) -> Result<()> {
        pre.validate()?;
        if body.len() > self.document {
            return Err(Error::too_large(key.to_string(), body.len(), self.document));
        }
        Ok(())
    }

    /// Checks a delete.
    ///
    /// # Errors
    /// `Invalid` under `IfAbsent`, or as [`DocPrecondition::validate`].
    pub fn check_delete(&self, key: &DocKey, pre: &DocPrecondition) -> Result<()> {
        pre.validate()?;
        self.check_present(key, "delete", pre)
    }

    #[allow(clippy::unused_self)] // A limit like the others.
    fn check_present(&self, key: &DocKey, what: &str, pre: &DocPrecondition) -> Result<()> {
        if matches!(pre, DocPrecondition::IfAbsent) {
            return Err(Error::invalid(format!("{what} of {key} if it is absent")));
        }
        Ok(())
    }

    /// Checks a batch.
    ///
    /// # Errors
    /// `TooLarge` (kind) for the batch as a whole; what is wrong with one
    /// operation names its index.
    pub fn check_batch(&self, partition: &Partition, ops: &[Op]) -> Result<()> {
        if ops.len() > self.batch_operations {
            let limit = self.batch_operations;
            return Err(Error::TooManyOperations { count: ops.len(), limit });
        }
        for (index, op) in ops.iter().enumerate() {
            let Some(id) = op.id() else { continue };
            let key = DocKey { partition: partition.clone(), id: id.clone() };
            match op {
                Op::Put { body, precondition, .. } => self.check_put(&key, body, precondition),
                Op::Patch { patch, precondition, .. } => {
                    let checked = self.check_put(&key, patch, precondition);
                    checked.and_then(|()| self.check_present(&key, "patch", precondition))
                }
                Op::Delete { precondition, .. } => self.check_delete(&key, precondition),
                Op::Check { precondition, .. } => precondition.validate(),
                Op::Unchanged { .. } => Ok(()),
            }
            .map_err(|error| error.at_operation(index))?;
        }
        let size: usize = ops.iter().map(Op::size).sum();
        if size > self.batch_bytes {
            let subject = format!("a batch in partition {partition}");
            return Err(Error::too_large(subject, size, self.batch_bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::DocId;

    #[test]
    fn what_is_wrong_with_one_operation_names_its_index() {
        let limits = Limits::default().document(4);
        let (p, id) = (Partition::new("p").unwrap(), DocId::new("a").unwrap());
        let put =
            |text: &str| Op::put(id.clone(), Json::new(text).unwrap(), DocPrecondition::Overwrite);
        let error = limits.check_batch(&p, &[put("1"), put("12345")]).unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("too_large", Some(1)));
        let delete = Op::delete(id.clone(), DocPrecondition::IfAbsent);
        let error = limits.check_batch(&p, &[put("1"), delete]).unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("invalid", Some(1)));
        let error = limits.check_batch(&p, &vec![put("1"); 1_001]).unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("too_large", None));
        let small = Limits { batch_bytes: 5, ..limits };
        assert!(small.check_batch(&p, &[put("1234")]).is_ok());
        let error = small.check_batch(&p, &[put("12"), put("345")]).unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("too_large", None));
    }
}
