//! The facade compiles with each of its features alone.

use std::time::Instant;

use anyhow::Result;

use super::metadata;
use crate::process;
use crate::workspace::Workspace;

/// Checks the facade without features, then with each one.
pub(super) fn check(workspace: &Workspace, deadline: Instant) -> Result<()> {
    let metadata = metadata::read(workspace)?;
    let Some(facade) = metadata.package("ifmatch") else {
        println!("there is no facade yet");
        return Ok(());
    };
    let alone = "check --locked -p ifmatch --no-default-features";
    process::run(&mut workspace.cargo(alone), Some(deadline))?;
    for feature in facade.features.keys().filter(|feature| *feature != "default") {
        let words = format!("{alone} --features {feature}");
        process::run(&mut workspace.cargo(&words), Some(deadline))?;
    }
    Ok(())
}
