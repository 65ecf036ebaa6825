//! Heads as nobody writes them, with a checksum that is right.

use bytes::Bytes;

/// The fields of a head, apart.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) format: u8,
    pub(crate) fields: Vec<(u8, Vec<u8>)>,
}

impl Forged {
    /// Takes a valid head apart.
    pub(crate) fn of(head: &[u8]) -> Self {
        let (mut rest, mut fields) = (&head[12..head.len() - 32], Vec::new());
        while let [tag, a, b, c, d, behind @ ..] = rest {
            let (field, next) = behind.split_at(u32::from_le_bytes([*a, *b, *c, *d]) as usize);
            fields.push((*tag, field.to_vec()));
            rest = next;
        }
        Self { format: head[7], fields }
    }

    /// The same head of another format.
    pub(crate) fn format(mut self, format: u8) -> Self {
        self.format = format;
        self
    }

    /// With a field, or with another value in it.
    pub(crate) fn with(mut self, tag: u8, field: impl Into<Vec<u8>>) -> Self {
        self.fields.retain(|(there, _)| *there != tag);
        self.fields.push((tag, field.into()));
        self.fields.sort();
        self
    }

    /// Without a field.
    pub(crate) fn without(mut self, tag: u8) -> Self {
        self.fields.retain(|(there, _)| *there != tag);
        self
    }

    /// The bytes of the head.
    pub(crate) fn seal(&self) -> Bytes {
        let mut fields = Vec::new();
        for (tag, field) in &self.fields {
            fields.push(*tag);
            fields.extend_from_slice(&u32::try_from(field.len()).unwrap().to_le_bytes());
            fields.extend_from_slice(field);
        }
        self.seal_raw(u32::try_from(fields.len()).unwrap(), &fields)
    }

    /// The bytes of a head with this where its fields are.
    pub(crate) fn seal_raw(&self, length: u32, fields: &[u8]) -> Bytes {
        let mut bytes = b"ifmhead".to_vec();
        bytes.push(self.format);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(fields);
        sum(bytes)
    }
}

/// The bytes with their checksum behind them.
pub(crate) fn sum(mut bytes: Vec<u8>) -> Bytes {
    let sum = blake3::hash(&bytes);
    bytes.extend_from_slice(sum.as_bytes());
    bytes.into()
}
