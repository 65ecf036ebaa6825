//! Test kit.

pub mod cloud;
