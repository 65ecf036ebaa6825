//! The outcome rule, tried: one test per rule, and a search through every
//! small history in which a fault and a foreign write can meet.

mod deletes;
mod history;
mod oracle;
mod rules;
mod scripted;
mod search;
mod world;
