//! Choosing between the CPU and a CUDA device.

use tch::{Cuda, Device};

use crate::{Error, Result};

/// The first CUDA device, or the CPU where there is none.
pub fn best() -> Device {
    load_cuda();
    Device::cuda_if_available()
}

/// The device called `cpu`, `cuda` or `cuda:N`.
///
/// # Errors
/// If the name is none of these, or there is no such CUDA device.
pub fn by_name(name: &str) -> Result<Device> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => 0,
        _ => name
            .strip_prefix("cuda:")
            .and_then(|n| n.parse::<usize>().ok())
            .ok_or_else(|| {
                Error::Invalid(format!(
                    "the device {name:?} is unknown: use cpu, cuda or cuda:N"
                ))
            })?,
    };
    load_cuda();
    let count = usize::try_from(Cuda::device_count()).unwrap_or(0);
    if index >= count {
        return Err(Error::Invalid(format!(
            "the device {name:?} was asked for, but libtorch sees {count} CUDA devices: use cpu, or run `cargo kernel doctor`"
        )));
    }
    Ok(Device::Cuda(index))
}

/// Makes libtorch's CUDA half known to the process.
///
/// Rust links with `--as-needed`, so a program that calls no CUDA function itself never loads
/// `libtorch_cuda.so`, and libtorch then reports no device. Loading it by hand registers its kernels.
fn load_cuda() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        #[cfg(target_os = "linux")]
        {
            use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
            // SAFETY: the initialisers of libtorch_cuda.so are meant to run at load time, in any process that
            // uses libtorch.
            if let Ok(library) =
                unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) }
            {
                // Its kernels stay registered, so it must never be unloaded.
                std::mem::forget(library);
            }
        }
    });
}
