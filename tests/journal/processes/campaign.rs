//! The parent: starts children, kills them at random moments, starts them again.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::child;
use super::variant::Variant;

pub(crate) const CHILDREN: u32 = 8;
/// How long the last calls may take: a server may stand still for a minute.
const PATIENCE: Duration = Duration::from_mins(8);

/// The children of one campaign, and how often each was killed.
pub(crate) struct Campaign<'a> {
    variant: &'a Variant,
    url: &'a str,
    folder: &'a Path,
    children: Vec<Child>,
    pub(crate) kills: Vec<u64>,
}

impl<'a> Campaign<'a> {
    pub(crate) fn start(
        variant: &'a Variant,
        url: &'a str,
        folder: &'a Path,
    ) -> Result<Self, String> {
        let kills = vec![0; CHILDREN as usize];
        let mut campaign = Self { variant, url, folder, children: Vec::new(), kills };
        for number in 0..CHILDREN {
            campaign.children.push(campaign.spawn(number)?);
        }
        Ok(campaign)
    }

    /// Kills and restarts for as long as the variant says, then lets everybody
    /// come to an end.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        let mut random = fastrand::Rng::with_seed(self.variant.seed);
        let begun = Instant::now();
        while begun.elapsed() < self.variant.time {
            std::thread::sleep(Duration::from_millis(random.u64(self.variant.between.clone())));
            let victim = random.u32(0..CHILDREN);
            self.check()?;
            let process = &mut self.children[victim as usize];
            process.kill().and_then(|()| process.wait()).map_err(|error| error.to_string())?;
            self.kills[victim as usize] += 1;
            self.children[victim as usize] = self.spawn(victim)?;
        }
        std::fs::write(child::stop_file(self.folder), "").map_err(|error| error.to_string())?;
        let stopped = Instant::now();
        while self.running()? > 0 {
            if stopped.elapsed() > PATIENCE {
                return Err(format!("{} children do not end", self.running()?));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn spawn(&self, number: u32) -> Result<Child, String> {
        let failed = |error: std::io::Error| format!("a child does not start: {error}");
        Command::new(std::env::current_exe().map_err(failed)?)
            .env(child::CHILD, number.to_string())
            .env(child::URL, self.url)
            .env(child::FOLDER, self.folder)
            .env(child::TAIL, self.variant.tail.to_string())
            .env(child::PACE, self.variant.pace.to_string())
            // Closed when this process ends, however it does.
            .stdin(Stdio::piped())
            .spawn()
            .map_err(failed)
    }

    /// Nobody has ended by itself.
    fn check(&mut self) -> Result<(), String> {
        for (number, process) in self.children.iter_mut().enumerate() {
            if let Some(status) = process.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("child {number} has ended: {status}"));
            }
        }
        Ok(())
    }

    /// How many still run; an error where one has failed.
    fn running(&mut self) -> Result<usize, String> {
        let mut running = 0;
        for (number, process) in self.children.iter_mut().enumerate() {
            match process.try_wait().map_err(|error| error.to_string())? {
                None => running += 1,
                Some(status) if status.success() => {}
                Some(status) => return Err(format!("child {number} has failed: {status}")),
            }
        }
        Ok(running)
    }
}

impl Drop for Campaign<'_> {
    fn drop(&mut self) {
        for process in &mut self.children {
            // Only these children of ours, by their handles.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
