//! From other systems to this one.

#[doc = include_str!("cosmos.md")]
pub mod cosmos {}

#[doc = include_str!("autocrud.md")]
pub mod autocrud {}
