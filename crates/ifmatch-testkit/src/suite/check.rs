//! Claims of a case.

/// Fails the case with a message unless the condition holds.
macro_rules! check {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err($crate::suite::Failure::new(format!($($message)+)));
        }
    };
}

/// Fails the case unless both are equal.
macro_rules! check_eq {
    ($left:expr, $right:expr, $($message:tt)+) => {
        match (&$left, &$right) {
            (left, right) => check!(
                left == right,
                "{}: {left:?} is not {right:?}",
                format_args!($($message)+)
            ),
        }
    };
}
