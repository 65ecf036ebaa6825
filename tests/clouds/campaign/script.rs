//! Which write meets a fault: told by its key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ifmatch::BlobKey;
use ifmatch::testkit::cloud::{CloudServer, Fault, Operation, RequestView};

/// The faults of the keys that are written right now.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<Mutex<HashMap<String, Lane>>>);

struct Lane {
    fault: Fault,
    for_ever: bool,
    /// Somebody else is writing, who meets no faults.
    suspended: bool,
}

impl Script {
    /// A script that the server follows.
    pub(super) fn install(server: &CloudServer) -> Self {
        let script = Self::default();
        let plan = script.clone();
        server.plan(move |request| plan.fault(request));
        script
    }

    /// Gives `fault` to the next write of `key`, or to all of them.
    pub(super) fn arm(&self, key: &BlobKey, fault: Fault, for_ever: bool) {
        let lane = Lane { fault, for_ever, suspended: false };
        self.0.lock().unwrap().insert(key.to_string(), lane);
    }

    /// Holds the faults of `key` back, or no longer.
    pub(super) fn suspend(&self, key: &BlobKey, suspended: bool) {
        if let Some(lane) = self.0.lock().unwrap().get_mut(key.as_str()) {
            lane.suspended = suspended;
        }
    }

    /// Forgets the faults of `key`.
    pub(super) fn disarm(&self, key: &BlobKey) {
        self.0.lock().unwrap().remove(key.as_str());
    }

    fn fault(&self, request: &RequestView) -> Option<Fault> {
        if !matches!(request.operation, Operation::Put | Operation::Delete | Operation::DeleteMany)
        {
            return None;
        }
        let mut lanes = self.0.lock().unwrap();
        let lane = lanes.get(request.key()).filter(|lane| !lane.suspended)?;
        let (fault, for_ever) = (lane.fault, lane.for_ever);
        if !for_ever {
            lanes.remove(request.key());
        }
        Some(fault)
    }
}
