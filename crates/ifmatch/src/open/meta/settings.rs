//! The options of documents in a URL's query.

use ifmatch_meta::{Error, Features, Limits, Result};
use percent_encoding::percent_decode_str;

/// What every document store knows.
pub(super) const COMMON: &str = "transactions, audit, author, max_document";

/// The options of documents that a URL names.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// What stands before the query.
    pub(super) address: String,
    pub(super) transactions: Option<bool>,
    pub(super) audit: bool,
    pub(super) author: Option<String>,
    pub(super) limits: Limits,
    /// The others, in order: name, value, and both as they stand in the URL.
    pub(super) others: Vec<Other>,
}

#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) name: String,
    pub(super) value: String,
    raw: String,
}

impl Settings {
    pub(super) fn read(url: &str) -> Result<Self> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let mut settings = Self { address: address.to_owned(), ..Self::default() };
        for raw in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            match name.as_str() {
                "transactions" => settings.transactions = Some(switch(&name, &value)?),
                "audit" => settings.audit = switch(&name, &value)?,
                "author" => settings.author = Some(value),
                "max_document" => settings.limits = settings.limits.document(size(&value)?),
                _ => settings.others.push(Other { name, value, raw: raw.to_owned() }),
            }
        }
        Ok(settings)
    }

    pub(super) fn transactions(&self) -> bool {
        self.transactions.unwrap_or(false)
    }

    pub(super) fn features(&self) -> Features {
        Features::none().transactions(self.transactions()).audit(self.audit)
    }

    /// Takes the value of an option that is not for all.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let mut value = None;
        self.others.retain(|other| {
            let found = other.name == name;
            if found {
                value = Some(other.value.clone());
            }
            !found
        });
        value
    }

    /// Refuses what is left; `also` are the options that the scheme knows
    /// beyond those of all.
    pub(super) fn all_known(&self, scheme: &str, also: &str) -> Result<()> {
        let Some(Other { name, .. }) = self.others.first() else { return Ok(()) };
        Err(Error::invalid(format!(
            "option {name:?} of a {scheme}: URL is unknown; there are: {COMMON}, {also}"
        )))
    }

    /// The URL with the options that are left.
    pub(super) fn rest(&self) -> String {
        let query: Vec<&str> = self.others.iter().map(|other| other.raw.as_str()).collect();
        if query.is_empty() {
            return self.address.clone();
        }
        format!("{}?{}", self.address, query.join("&"))
    }
}

pub(super) fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| Error::invalid("a URL that is no UTF-8"))?;
    Ok(decoded.into_owned())
}

fn switch(name: &str, value: &str) -> Result<bool> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Error::invalid(format!("{name}={value:?} must be on or off"))),
    }
}

/// `1MiB`, `64KiB` or a number of bytes.
pub(super) fn size(text: &str) -> Result<usize> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        _ => None,
    };
    let bytes = factor.and_then(|factor| number.parse::<usize>().ok()?.checked_mul(factor));
    bytes.ok_or_else(|| Error::invalid(format!("size {text:?} must be like 1MiB, 64KiB or 4096")))
}
