//! The command as a person and a script use it: what it prints, its JSON and
//! its exit codes. A changed snapshot is a changed interface.

mod blob;
mod db;
mod general;
mod meta;
mod session;
