//! The environment variables through which tests find the servers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;

use super::ALL;
use super::state::{Home, State};

/// Names and values, in a fixed order.
pub(crate) type Variables = BTreeMap<&'static str, String>;

/// The bucket or container that every object server holds.
pub(super) const BUCKET: &str = "ifmatch";

/// A URL of an S3 server, with the keys that its clients read.
pub(super) fn s3(name: &'static str, port: u16) -> Vec<(&'static str, String)> {
    let query = format!("endpoint=http://127.0.0.1:{port}&region=us-east-1&allow_http=true");
    vec![
        (name, format!("s3://{BUCKET}?{query}")),
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
    ]
}

/// The variables of the servers whose process runs.
pub(super) fn of_running(home: &Home) -> Result<Variables> {
    let state = State::load(home)?;
    let mut variables = Variables::new();
    for server in ALL {
        if let Some(record) = state.servers.get(server.name()).filter(|r| r.is_running()) {
            variables.extend(server.variables(record.port));
        }
    }
    Ok(variables)
}

/// Lines that a POSIX shell evaluates.
pub(super) fn as_shell(variables: &Variables) -> String {
    variables.iter().fold(String::new(), |mut lines, (name, value)| {
        writeln!(lines, "export {name}={}", quoted(value)).ok();
        lines
    })
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_every_value() {
        for value in ["", "a b", "it's", "$HOME `id` \\ \" & ; #", "s3://b?x=1&y=2"] {
            let script = format!("{}printf %s \"$V\"", as_shell(&[("V", value.into())].into()));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }

    #[test]
    fn tests_find_each_server_under_its_documented_name() {
        let all: Variables = ALL.iter().flat_map(|server| server.variables(1234)).collect();
        assert_eq!(
            all["IFMATCH_TEST_S3_URL"],
            "s3://ifmatch?endpoint=http://127.0.0.1:1234&region=us-east-1&allow_http=true"
        );
        assert_eq!(all["IFMATCH_TEST_RCLONE_URL"], all["IFMATCH_TEST_S3_URL"]);
        assert_eq!(
            all["IFMATCH_TEST_AZURE_URL"],
            "az://ifmatch?endpoint=http://127.0.0.1:1234/devstoreaccount1\
             &account=devstoreaccount1&allow_http=true"
        );
        assert_eq!(all["IFMATCH_TEST_POSTGRES_URL"], "postgres://postgres@127.0.0.1:1234/postgres");
        assert_eq!((all["AWS_ACCESS_KEY_ID"].as_str(), all.len()), ("test", 7));
    }
}
