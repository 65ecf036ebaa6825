//! Integration tests of the workspace; what they share.
