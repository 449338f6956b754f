//! The `ICVAE_` variables: defaults, and one sentence for a value that isn't one.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use icvae_core::settings::{DataSource, Settings};
use icvae_core::tch::{Cuda, Device};

fn settings(variables: &[(&str, &str)]) -> icvae_core::Result<Settings> {
    Settings::from_lookup(|name| {
        variables
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn an_empty_environment_means_mnist_in_full_on_the_best_device() {
    let found = settings(&[]).unwrap();
    assert_eq!(
        (found.data, found.mnist_dir.clone(), found.smoke),
        (DataSource::Mnist, None, false)
    );
    // Asked of the machine, not of the code under test.
    let cuda = std::path::Path::new("/dev/nvidiactl").exists() && Cuda::device_count() > 0;
    assert_eq!(
        found.device,
        if cuda { Device::Cuda(0) } else { Device::Cpu }
    );
    let empty = settings(&[
        ("ICVAE_DATA", ""),
        ("ICVAE_SMOKE", ""),
        ("ICVAE_DEVICE", ""),
    ])
    .unwrap();
    assert_eq!(empty, found, "an empty variable counts as unset");
}

#[test]
fn every_variable_is_read() {
    let found = settings(&[
        ("ICVAE_DATA", "synthetic"),
        ("ICVAE_MNIST_DIR", "digits"),
        ("ICVAE_TABULAR_DIR", "tables"),
        ("ICVAE_SMOKE", "1"),
        ("ICVAE_DEVICE", "cpu"),
    ])
    .unwrap();
    let expected = Settings {
        data: DataSource::Synthetic,
        mnist_dir: Some(PathBuf::from("digits")),
        tabular_dir: Some(PathBuf::from("tables")),
        smoke: true,
        device: Device::Cpu,
    };
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_value_is_refused_with_the_values_there_are() {
    for (variable, value, words) in [
        (
            "ICVAE_DATA",
            "fashion",
            "ICVAE_DATA is \"fashion\", but must be mnist or synthetic",
        ),
        (
            "ICVAE_SMOKE",
            "yes",
            "ICVAE_SMOKE is \"yes\", but must be 0 or 1",
        ),
        (
            "ICVAE_DEVICE",
            "gpu",
            "\"gpu\" is unknown: use cpu, cuda or cuda:N",
        ),
        ("ICVAE_DEVICE", "cuda:x", "\"cuda:x\" is unknown"),
    ] {
        let error = settings(&[(variable, value)]).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn a_cuda_device_that_is_not_there_is_refused() {
    let missing = format!("cuda:{}", Cuda::device_count());
    let error = settings(&[("ICVAE_DEVICE", &missing)])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("libtorch sees") && error.contains("cargo kernel doctor"),
        "{error}"
    );
}
