//! A test runner whose cases share one runtime and say why they are ignored.

use std::future::Future;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::LazyLock;

use libtest_mimic::{Arguments, Conclusion, Trial};
use tokio::runtime::Runtime;

/// Credentials that the fault server does not look at. A client reads them from
/// the environment, which only a new process can be given.
const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0"),
];

/// Starts this program anew with the credentials that are missing.
pub(crate) fn ensure_credentials() {
    let missing: Vec<_> =
        CREDENTIALS.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    let program = std::env::current_exe().expect("a running program has a file");
    let error = Command::new(program).args(std::env::args_os().skip(1)).envs(missing).exec();
    panic!("this program cannot be started anew: {error}");
}

/// The runtime of all cases: connections in a client's pool live as long as it.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().expect("a runtime"));

/// The cases of a test program.
#[derive(Default)]
pub(crate) struct Cases(Vec<Trial>);

impl Cases {
    /// A case that passes if it returns.
    pub(crate) fn add<F, A>(&mut self, name: impl Into<String>, case: F)
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        self.0.push(Trial::test(name, move || {
            // Each case is a task: its polls are spread over the workers.
            match RUNTIME.block_on(RUNTIME.spawn(case())) {
                Ok(()) => Ok(()),
                Err(failed) => std::panic::resume_unwind(failed.into_panic()),
            }
        }));
    }

    /// A case that needs the server whose URL is in `variable`.
    pub(crate) fn add_with_server<F, A>(
        &mut self,
        name: impl Into<String>,
        variable: &'static str,
        case: F,
    ) where
        F: FnOnce(String) -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        match std::env::var(variable) {
            Ok(url) => self.add(name, move || case(url)),
            Err(_) => self.ignore(name, variable),
        }
    }

    /// Lists a case as ignored because `variable` is not set.
    pub(crate) fn ignore(&mut self, name: impl Into<String>, variable: &'static str) {
        let reason = format!("no {variable}: cargo xtask servers up");
        self.ignore_because(name, &reason);
    }

    /// Lists a case as ignored; one that is run all the same says so and passes.
    pub(crate) fn ignore_because(&mut self, name: impl Into<String>, reason: &str) {
        let name = name.into();
        let said = format!("{name}: skipped ({reason})");
        let trial = Trial::test(name, move || {
            println!("{said}");
            Ok(())
        });
        self.0.push(trial.with_kind(reason).with_ignored_flag(true));
    }

    /// Runs what the command line chooses.
    pub(crate) fn run(self) -> ExitCode {
        self.conclude().exit_code()
    }

    /// The same, for a caller that has something to add.
    pub(crate) fn conclude(self) -> Conclusion {
        libtest_mimic::run(&Arguments::from_args(), self.0)
    }
}
