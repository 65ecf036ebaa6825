//! ministack: S3 whose conditional writes are atomic.

use std::process::Command;

use anyhow::{Result, bail};

use super::environment::{self, BUCKET};
use super::state::{Home, Record};
use super::{Server, http, install, processes};

/// The package that was checked for this use.
pub(super) const PACKAGE: &str = "ministack==1.5.33";

/// The server of `IFMATCH_TEST_S3_URL`.
#[derive(Debug)]
pub(super) struct Ministack;

impl Server for Ministack {
    fn name(&self) -> &'static str {
        "ministack"
    }

    fn package(&self) -> &'static str {
        PACKAGE
    }

    fn start(&self, home: &Home, port: u16) -> Result<Record> {
        let mut command = Command::new(home.join(install::PYTHON).join("bin/python"));
        command
            // The script of that name would not survive the folder's renaming.
            .args(["-m", "ministack"])
            // Without it, it listens on every interface.
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SERVICES", "s3")
            // Services beside S3 that would open ports or look for containers.
            .envs([("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0")])
            .env("DOCKER_HOST", "unix:///nonexistent")
            // Everything stays in memory.
            .envs([("S3_PERSIST", "0"), ("PERSIST_STATE", "0")])
            .env_remove("LOCALSTACK_PERSISTENCE")
            .env("LOG_LEVEL", "WARNING");
        let (pid, line) = processes::spawn(&mut command, &home.log(self.name()))?;
        Ok(Record { pid, port, package: PACKAGE.into(), command: line, data: None })
    }

    fn prepare(&self, record: &Record) -> Result<()> {
        match http::status(record.port, "PUT", &format!("/{BUCKET}"), &[])? {
            200 => Ok(()),
            status => bail!("creating the bucket gave status {status}"),
        }
    }

    fn variables(&self, port: u16) -> Vec<(&'static str, String)> {
        environment::s3("IFMATCH_TEST_S3_URL", port)
    }
}
