//! The envelope that every object has.

use bytes::Bytes;
use ifmatch_core::Error as StoreError;

use super::pack::{pack, unpack};
use super::{Folder, ObjectRef, Sealed};
use crate::error::{Error, Result};
use crate::id::Nonce;
use crate::record::wire::{Parse, Reader};
use crate::zoo::{Bug, planted};

const MAGIC: &[u8; 6] = b"ifmobj";
const FORMAT: u8 = 1;
const HEADER: usize = 29;
/// Most plain bytes of one object.
const MAX_PLAIN: usize = 1 << 30;
const RAW: u8 = 0;
const PACKED: u8 = 1;

/// Makes the object that holds `plain`. `nonce` must be new.
pub(crate) fn seal(folder: Folder, nonce: Nonce, plain: &[u8]) -> Result<Sealed> {
    let length = u32::try_from(plain.len()).ok().filter(|_| plain.len() <= MAX_PLAIN);
    let length = length.ok_or_else(|| Error::invalid("an object holds at most 1 GiB"))?;
    let mut bytes = Vec::new();
    bytes.extend_from_slice(MAGIC);
    bytes.push(FORMAT);
    bytes.push(folder.number());
    bytes.extend_from_slice(&nonce.0.to_be_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(PACKED);
    if !pack(plain, &mut bytes) {
        bytes[HEADER - 1] = RAW;
        bytes.extend_from_slice(plain);
    }
    let object = ObjectRef::of(&bytes).map_err(Error::invalid)?;
    Ok(Sealed { folder, object, bytes: bytes.into() })
}

/// The plain contents of an object, after everything about it was checked.
pub(crate) fn unseal(folder: Folder, object: &ObjectRef, bytes: &Bytes) -> Result<Bytes> {
    checked(object, bytes).map_err(corrupt(folder, object))?;
    // From here on the bytes are what somebody wrote on purpose.
    if bytes.get(6).is_some_and(|&format| format != FORMAT) && bytes.starts_with(MAGIC) {
        return Err(Error::Store(StoreError::unsupported(format!(
            "{} has format {}, this version reads {FORMAT}: update ifmatch",
            folder.path(object.id),
            bytes[6]
        ))));
    }
    contents(folder, bytes).map_err(corrupt(folder, object))
}

/// What makes an error of a `detail` about an object.
pub(super) fn corrupt(folder: Folder, object: &ObjectRef) -> impl Fn(&'static str) -> Error {
    let id = object.id;
    move |detail| Error::corrupt(folder.path(id), detail)
}

fn checked(object: &ObjectRef, bytes: &Bytes) -> Parse<()> {
    if u32::try_from(bytes.len()) != Ok(object.bytes) {
        return Err("its size is not the one it was written with");
    }
    if ObjectRef::of(bytes)? != *object && !planted(Bug::UnverifiedSegment) {
        return Err("its contents are not those it is named after");
    }
    Ok(())
}

fn contents(folder: Folder, bytes: &Bytes) -> Parse<Bytes> {
    let mut reader = Reader::new(bytes);
    if reader.take(MAGIC.len())? != MAGIC || reader.u8()? != FORMAT {
        return Err("this is no object of ifmatch");
    }
    if reader.u8()? != folder.number() {
        return Err("it belongs in another folder");
    }
    reader.nonce()?;
    let plain = reader.u32()? as usize;
    let packed = reader.u8()?;
    let left = reader.left();
    match packed {
        RAW if plain > MAX_PLAIN || left != plain => Err("its length does not match"),
        RAW => reader.share(left),
        PACKED => Ok(unpack(reader.take(left)?, plain, MAX_PLAIN)?.into()),
        _ => Err("it is packed in an unknown way"),
    }
}
