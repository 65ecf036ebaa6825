//! Two ways of doing one thing, in turns.

use std::time::Duration;

use anyhow::Result;
use ifmatch_core::Env;

use crate::Options;

/// What runs, and how often.
pub(crate) struct Bench {
    options: Options,
    env: Env,
    group: String,
}

/// The rates of one contest, per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    pub(crate) ratio: f64,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, env: Env::real(), group: String::new() }
    }

    /// Whether a group was asked for.
    pub(crate) fn wants(&self, group: &str) -> bool {
        let only = &self.options.only;
        only.is_empty() || only.iter().any(|name| group.starts_with(name.as_str()))
    }

    /// Begins a group: what is measured, and at which durability.
    pub(crate) fn group(&mut self, name: &str, note: &str) {
        name.clone_into(&mut self.group);
        println!("\n{name}: {note}");
    }

    /// A number of things to do, a tenth of it where it is to be quick.
    pub(crate) fn size(&self, size: usize) -> usize {
        if self.options.quick { (size / 10).max(1) } else { size }
    }

    pub(crate) fn rounds(&self, rounds: usize) -> usize {
        if self.options.quick { 2 } else { rounds }
    }

    /// Does `operations` things in our way and in the other, in turns, and prints
    /// the medians. The first round warms up and does not count.
    pub(crate) async fn contest(
        &self,
        name: &str,
        operations: usize,
        rounds: usize,
        mut ours: impl AsyncFnMut(usize) -> Result<()>,
        mut theirs: impl AsyncFnMut(usize) -> Result<()>,
    ) -> Result<Rates> {
        let (mut us, mut them, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=self.rounds(rounds) {
            let first = self.timed(round, &mut ours).await?;
            let second = self.timed(round, &mut theirs).await?;
            if round > 0 {
                us.push(rate(operations, first));
                them.push(rate(operations, second));
                ratios.push(second.as_secs_f64() / first.as_secs_f64());
            }
        }
        let (least, most) = (median(&ratios, 0.0), median(&ratios, 1.0));
        let rates = Rates {
            ours: median(&us, 0.5),
            theirs: median(&them, 0.5),
            ratio: median(&ratios, 0.5),
        };
        println!(
            "  {name:<44} ours {:>12}/s  raw {:>12}/s  ratio {:>6.2} ({least:.2} to {most:.2})",
            grouped(rates.ours),
            grouped(rates.theirs),
            rates.ratio
        );
        Ok(rates)
    }

    async fn timed(
        &self,
        round: usize,
        work: &mut impl AsyncFnMut(usize) -> Result<()>,
    ) -> Result<Duration> {
        let began = self.env.now();
        work(round).await?;
        Ok(self.env.now().saturating_sub(began).max(Duration::from_nanos(1)))
    }
}

#[allow(clippy::cast_precision_loss)]
fn rate(operations: usize, took: Duration) -> f64 {
    operations as f64 / took.as_secs_f64()
}

/// The value below which this part of the others lies.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn median(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1) as f64 * part).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// A whole number with its thousands apart.
fn grouped(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
