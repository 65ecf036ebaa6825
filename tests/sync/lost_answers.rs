//! Answers that never arrive.
