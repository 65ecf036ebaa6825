//! What cargo says about the workspace's packages.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;
use crate::workspace::Workspace;

/// The packages of the workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    /// In cargo's order.
    pub(super) packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Its manifest file.
    pub(super) manifest_path: PathBuf,
    /// The features that it declares.
    pub(super) features: BTreeMap<String, Vec<String>>,
    /// Its direct dependencies of every kind.
    pub(super) dependencies: Vec<Dependency>,
    /// The registries it may go to; an empty list means that it is unpublished.
    pub(super) publish: Option<Vec<String>>,
}

/// A direct dependency.
#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    /// The package.
    pub(super) name: String,
    /// `dev`, `build`, or nothing for a normal one.
    pub(super) kind: Option<String>,
}

impl Metadata {
    /// The package of that name.
    pub(super) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

/// Asks cargo.
pub(super) fn read(workspace: &Workspace) -> Result<Metadata> {
    let text = process::output(&mut workspace.cargo("metadata --no-deps --format-version 1"))?;
    serde_json::from_str(&text).context("cargo metadata is not understood")
}
