//! The write record in an object's metadata.

use ifmatch_core::{Base, Precondition, WriteId, WriteRecord};
use object_store::{Attribute, Attributes};

/// The write's id. Azure allows no dash in a name.
const ID: &str = "ifmatchid";
/// What the write replaced.
const BASE: &str = "ifmatchbase";

/// The metadata that a write leaves.
pub(super) fn attributes(write: WriteId, precondition: &Precondition) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::Metadata(ID.into()), write.to_string().into());
    let base = Base::of(precondition).to_token();
    attributes.insert(Attribute::Metadata(BASE.into()), base.into());
    attributes
}

/// The record of the write that made an object, where it was one of ours.
pub(super) fn record(attributes: &Attributes) -> Option<WriteRecord> {
    let text = |name: &'static str| {
        attributes.get(&Attribute::Metadata(name.into())).map(AsRef::<str>::as_ref)
    };
    let id = text(ID)?.parse().ok()?;
    Some(WriteRecord { id, base: text(BASE).and_then(Base::from_token) })
}
