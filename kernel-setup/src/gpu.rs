//! Whether this machine has an NVIDIA GPU that a driver serves.
//!
//! The Windows Subsystem for Linux has no device file, but `nvidia-smi` on the search path.

use std::path::Path;

/// Looks for the driver's own traces; no program is started.
pub fn present() -> bool {
    ["/dev/nvidia0", "/proc/driver/nvidia/version"]
        .iter()
        .any(|path| Path::new(path).exists())
        || which::which("nvidia-smi").is_ok()
}
