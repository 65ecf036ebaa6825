//! Writing filters.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::query::Filter;

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(field) = self.field() {
            map.serialize_entry("field", field)?;
        }
        if self.field().is_some() && !matches!(self, Self::List { .. }) {
            map.serialize_entry("op", self.operator())?;
        }
        match self {
            Self::Everything | Self::Exists { .. } | Self::IsNull { .. } | Self::IsNa { .. } => {}
            Self::And(all) | Self::Or(all) => map.serialize_entry(self.operator(), all)?,
            Self::Not(filter) | Self::List { filter, .. } => {
                map.serialize_entry(self.operator(), filter)?;
            }
            Self::Compare { value, .. } => map.serialize_entry("value", value)?,
            Self::In { values, .. } => map.serialize_entry("values", values)?,
            Self::Regex { pattern, .. } => map.serialize_entry("value", pattern)?,
            Self::Length { comparison, value, .. } => {
                map.serialize_entry("is", comparison.as_str())?;
                map.serialize_entry("value", value)?;
            }
        }
        map.end()
    }
}
