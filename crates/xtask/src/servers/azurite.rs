//! azurite: Azure Blob whose conditional writes are atomic.

use std::process::Command;

use anyhow::{Result, bail};

use super::environment::BUCKET;
use super::shared_key::{self, Request};
use super::state::{Home, Record};
use super::{Server, http, install, processes};
use crate::clock;

/// The package that was checked for this use.
pub(super) const PACKAGE: &str = "azurite@3.37.0";

/// The account that azurite knows, and the key that its documentation prints:
/// both are the same for everybody and protect nothing.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const API_VERSION: &str = "2021-08-06";

/// The server of `IFMATCH_TEST_AZURE_URL`.
#[derive(Debug)]
pub(super) struct Azurite;

impl Server for Azurite {
    fn name(&self) -> &'static str {
        "azurite"
    }

    fn package(&self) -> &'static str {
        PACKAGE
    }

    fn start(&self, home: &Home, port: u16) -> Result<Record> {
        let folder = home.join(install::NODE);
        let mut command = Command::new(folder.join("node_modules/.bin/azurite-blob"));
        command.current_dir(&folder);
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        command.args(["--inMemoryPersistence", "--silent", "--skipApiVersionCheck"]);
        command.arg("--disableTelemetry");
        let (pid, line) = processes::spawn(&mut command, &home.log(self.name()))?;
        Ok(Record { pid, port, package: PACKAGE.into(), command: line, data: None })
    }

    fn prepare(&self, record: &Record) -> Result<()> {
        let date = clock::http_date();
        let path = format!("/{ACCOUNT}/{BUCKET}");
        let headers = [("x-ms-date", date.as_str()), ("x-ms-version", API_VERSION)];
        let query = [("restype", "container")];
        let request = Request { method: "PUT", path: &path, query: &query, headers: &headers };
        let authorization = shared_key::authorization(ACCOUNT, KEY, &request)?;
        let [date, version] = headers;
        let headers = [date, version, ("Authorization", authorization.as_str())];
        match http::status(record.port, "PUT", &format!("{path}?restype=container"), &headers)? {
            // Created, or there already.
            201 | 409 => Ok(()),
            status => bail!("creating the container gave status {status}"),
        }
    }

    fn variables(&self, port: u16) -> Vec<(&'static str, String)> {
        let endpoint = format!("http://127.0.0.1:{port}/{ACCOUNT}");
        let query = format!("endpoint={endpoint}&account={ACCOUNT}&allow_http=true");
        vec![
            ("IFMATCH_TEST_AZURE_URL", format!("az://{BUCKET}?{query}")),
            ("AZURE_STORAGE_ACCOUNT_KEY", KEY.into()),
        ]
    }
}
