//! Filters as JSON.
//!
//! | filter | JSON |
//! |---|---|
//! | everything | `{}` |
//! | and, or, not | `{"and":[..]}`, `{"or":[..]}`, `{"not":{..}}` |
//! | a comparison | `{"field":"/a","op":"gt","value":1}` |
//! | in, `not_in` | `{"field":"/a","op":"in","values":[1,2]}` |
//! | regex | `{"field":"/a","op":"regex","value":"^a"}` |
//! | length | `{"field":"/a","op":"length","is":"gte","value":3}` |
//! | exists, `is_null`, `is_na` | `{"field":"/a","op":"exists"}` |
//! | a list's elements | `{"field":"/tags","any":{..}}`, `{"field":"/tags","all":{..}}` |

mod bounded;
mod read;
mod write;

#[cfg(test)]
mod tests;
