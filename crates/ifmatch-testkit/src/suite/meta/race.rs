//! Many tasks at once.

use std::future::Future;

use ifmatch_meta::{Error, Result as StoreResult};

use super::trial::Checked;
use crate::suite::Failure;

/// Runs so many tasks, on as many threads as there are, and waits for all.
pub(crate) async fn race<T, F>(racers: usize, racer: impl Fn(usize) -> F) -> Checked<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..racers).map(|number| tokio::spawn(racer(number))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await?);
    }
    Ok(answers)
}

/// The one racer that was told that it won; all others were told of a conflict.
pub(crate) fn winner<T>(answers: &[StoreResult<T>]) -> Checked<usize> {
    let mut winners = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        match answer {
            Ok(_) => winners.push(number),
            Err(error) if error.kind() == "conflict" => {}
            Err(error) => return Err(unexpected(error)),
        }
    }
    match winners[..] {
        [winner] => Ok(winner),
        _ => Err(Failure::new(format!(
            "{} of {} racers were told that they won: {winners:?}",
            winners.len(),
            answers.len()
        ))),
    }
}

/// An error that no racer may get.
pub(crate) fn unexpected(error: &Error) -> Failure {
    Failure::from(error.clone()).during(format_args!("a racer's error of kind {}", error.kind()))
}
