//! As many file descriptors as the process may have: each camera, output and viewer takes some.
//! getrlimit(2), RLIMIT_NOFILE: the soft limit is 1024 mostly, for the sake of programs that use select(2).

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{debug, warn};

/// Raises the soft limit of open files to the hard one.
pub fn raise_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        debug!("open files: at most {hard}, was {soft}");
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    });
    if let Err(errno) = raised {
        warn!("the limit of open files stays as it is: {errno}");
    }
}
