//! A test runner whose cases say why they are ignored.

use std::future::Future;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::{Builder, Runtime};

/// The cases of this program.
#[derive(Default)]
pub(crate) struct Cases(Vec<Trial>);

impl Cases {
    /// A case that passes if it returns `Ok`.
    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        case: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) {
        self.0.push(Trial::test(name, move || case().map_err(Into::into)));
    }

    /// A case on one thread whose clock only moves when everybody waits.
    pub(crate) fn paused<A: Future<Output = ()>>(
        &mut self,
        name: impl Into<String>,
        case: impl FnOnce() -> A + Send + 'static,
    ) {
        self.add(name, move || {
            paused().block_on(case());
            Ok(())
        });
    }

    /// Lists a case as ignored because a server's address is not set.
    pub(crate) fn ignore(&mut self, name: &str, variable: &str) {
        let name = format!("{name} (needs {variable}: cargo xtask test)");
        self.0.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
    }

    /// Runs what the command line chooses.
    pub(crate) fn run(self) -> ExitCode {
        libtest_mimic::run(&Arguments::from_args(), self.0).exit_code()
    }
}

/// A runtime whose clock only moves when everybody waits.
pub(crate) fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Registers functions of an area as cases on the paused clock, named as they
/// are.
macro_rules! on_paused_clock {
    ($cases:expr, $area:literal, $($case:path),+ $(,)?) => {
        $($cases.paused(concat!($area, "::", stringify!($case)), $case);)+
    };
}
pub(crate) use on_paused_clock;
