//! Where there is no more room, the old file stays, nothing half-written lies beside it, and a sentence says so.
//!
//! The room is taken by a limit on the size of a file, set for a process of its own.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use icvae_core::data::Dataset;
use icvae_core::model::{Icvae, IcvaeConfig};
use icvae_core::plot::ImageGrid;
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{Model, Store, TrainConfig, Trainer};

const FOLDER: &str = "ICVAE_TEST_FULL_DISK";

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn without_room_the_old_file_stays_and_a_sentence_says_so() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return without_room(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.safetensors", "figure.png"] {
        fs::write(folder.path().join(name), "old").unwrap();
    }
    // As a full disk does, a write beyond the limit fails; the signal that comes with it is not for us.
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\"";
    let run = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .env("RUST_TEST_THREADS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

fn without_room(folder: &Path) {
    tch::manual_seed(1);
    let config = IcvaeConfig {
        pixels: 784,
        hidden: vec![64],
        latent: 2,
        ..Default::default()
    };
    let model = Icvae::new(&config, Device::Cpu, 0).unwrap();
    let images = Tensor::randint(256, [40, 784], (Kind::Uint8, Device::Cpu));
    let labels = Tensor::randint(10, [40], (Kind::Int64, Device::Cpu));
    let data = Dataset::new(images, labels, (28, 28), 10).unwrap();

    let weights = folder.join("model.safetensors");
    let error = model.save(&weights).unwrap_err().to_string();
    assert!(
        error.contains("model.safetensors") && error.contains("too large"),
        "{error}"
    );
    let figure = ImageGrid::new(&data.x(), data.image_shape(), (5, 8))
        .draw()
        .unwrap();
    let error = figure
        .save(folder.join("figure.png"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("figure.png"), "{error}");

    // A training goes on without its checkpoints, and tells.
    let training = TrainConfig {
        epochs: 2,
        ..Default::default()
    };
    let run = Trainer::new(&training)
        .keep_in(Store::new(folder.join("store")))
        .fit(&model, &data, None)
        .unwrap();
    assert_eq!(run.steps_trained, 4);
    let said = run.to_string();
    assert!(said.contains("the weights could not be kept"), "{said}");

    for name in ["model.safetensors", "figure.png"] {
        assert_eq!(fs::read(folder.join(name)).unwrap(), b"old", "{name}");
    }
    let all = files(folder);
    let left = all.iter().filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(".tmp") || name == "cut-off.safetensors"
    });
    assert_eq!(left.count(), 0, "{all:?}");
}
