//! The rules of garbage collection, as pure functions. All times are the
//! store's.

/// The store's clock.
pub(super) type Time = u16;

/// How old an object is, at least, that no head ever named and that is listed.
pub(super) const GRACE: Time = 2;
/// How long an object stays, at least, after a head stopped to name it.
pub(super) const RETENTION: Time = 2;

/// Whether an object that the head does not name may be listed: it is older
/// than the grace by the head's own time.
pub(super) fn may_list(created: Time, head: Time) -> bool {
    head >= created + GRACE
}

/// Whether a listed object may be deleted: counted from its drop, not from its
/// own age.
pub(super) fn may_delete(dropped: Time, was_named: bool, now: Time) -> bool {
    now > dropped + if was_named { RETENTION } else { GRACE }
}

/// Whether an object uploaded for an earlier base may be named on a newer one.
pub(super) fn may_keep(created: Time, is_listed: bool, base: Time) -> bool {
    !is_listed && base < created + GRACE
}
