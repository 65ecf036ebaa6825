//! The four rules of trimming and the start of a search for the newest slot,
//! as pure functions.

/// A slot's number. The floor is one too: the highest slot that may be gone.
pub(super) type Slot = u16;
/// The store's clock.
pub(super) type Time = u16;

/// How long a slot stays, at least.
pub(super) const RETENTION: Time = 2;

/// Whether a slot may be trimmed: never the newest, and none that is younger
/// than the retention.
pub(super) fn may_trim(slot: Slot, newest: Slot, created: Time, now: Time) -> bool {
    slot < newest && now >= created + RETENTION
}

/// Whether the floor may be raised by whoever saw it at `seen`: it is
/// compared and swapped, and never lowered.
pub(super) fn may_raise(seen: Slot, found: Slot, to: Slot) -> bool {
    seen == found && to > found
}

/// Whether what was read of a slot at `now` counts without asking the floor: a
/// slot that was absent at `absent` cannot have come and gone within half the
/// retention.
pub(super) fn is_exempt(absent: Time, now: Time) -> bool {
    now - absent < RETENTION / 2
}

/// Whether what was read of a slot counts, given a floor that was read
/// afterwards: below it the newest state decides.
pub(super) fn counts(slot: Slot, floor: Slot) -> bool {
    floor < slot
}

/// Whether a search may start at a hint: its own slot must be there.
pub(super) fn may_start(content: Option<u16>) -> bool {
    content.is_some()
}
