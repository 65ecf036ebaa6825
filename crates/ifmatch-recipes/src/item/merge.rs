//! Conflicts, resolved: read again, merge, write again.
