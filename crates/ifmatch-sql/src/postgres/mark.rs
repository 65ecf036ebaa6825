//! Marks: a snapshot of PostgreSQL, which tells of each transaction whether it
//! was over. `<store>.<xmin>:<xmax>:<in between>`.

use ifmatch_meta::{Error, Mark, Result};

/// The mark of what a statement saw.
pub(super) fn mark(store: u128, snapshot: &str) -> Mark {
    Mark::new(format!("{}.{snapshot}", short(store)))
}

/// The snapshot of a mark of this store.
pub(super) fn snapshot(store: u128, mark: &Mark) -> Result<&str> {
    let parsed = mark.as_str().split_once('.');
    let own = parsed.filter(|(name, snapshot)| *name == short(store) && is_snapshot(snapshot));
    own.map(|(_, snapshot)| snapshot).ok_or_else(|| Error::invalid("a mark of another store"))
}

fn short(store: u128) -> String {
    format!("{:016x}", store >> 64)
}

/// Whether PostgreSQL reads it as a snapshot: numbers in order.
fn is_snapshot(text: &str) -> bool {
    fn number(text: &str) -> Option<i64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
    }
    let mut parts = text.split(':');
    let bounds = (parts.next().and_then(number), parts.next().and_then(number));
    let (Some(lower), Some(upper)) = bounds else { return false };
    let (Some(list), None) = (parts.next(), parts.next()) else { return false };
    let mut before = lower;
    let mut in_order = |xid: i64| {
        let fits = before <= xid && xid < upper;
        before = xid;
        fits
    };
    let all = list.is_empty() || list.split(',').all(|xid| number(xid).is_some_and(&mut in_order));
    lower <= upper && all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_snapshot_of_one_store() {
        let store = 7 << 64;
        for text in ["1:1:", "10:20:10,14,15"] {
            assert_eq!(snapshot(store, &mark(store, text)).unwrap(), text);
            assert_eq!(snapshot(8 << 64, &mark(store, text)).unwrap_err().kind(), "invalid");
        }
        for text in ["", "1", "1:2", "2:1:", "0:1:", "1:2:a", "1:2:2", "5:9:7,6", "1:2::", "-1:2:"]
        {
            assert_eq!(
                snapshot(store, &mark(store, text)).unwrap_err().kind(),
                "invalid",
                "{text}"
            );
        }
    }
}
