//! Whatever the bytes are: every reader answers, with a value or with one sentence.

#![allow(clippy::unwrap_used)]

mod cases;

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use icvae_core::data::{idx, picture};
use icvae_core::model::{Icvae, IcvaeConfig};
use icvae_core::serde_json::{self, json};
use icvae_core::tch::Device;
use icvae_core::train::{Checkpoint, Model, RunState, TrainConfig};
use proptest::prelude::*;

use cases::cases;

/// What is done to a good file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Overwrite(usize, Vec<u8>),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let at = || any::<usize>();
    let bytes = || prop::collection::vec(any::<u8>(), 1..12);
    let one = prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        at().prop_map(Damage::Cut),
        (at(), bytes()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), bytes()).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
    ];
    prop::collection::vec(one, 1..4)
}

fn damaged(good: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for damage in damages {
        let length = bytes.len();
        match damage {
            _ if length == 0 => {}
            Damage::Flip(at, bits) => bytes[at % length] ^= bits,
            Damage::Cut(at) => bytes.truncate(at % length),
            Damage::Insert(at, new) => {
                let at = at % length;
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Overwrite(at, new) => {
                let at = at % length;
                let end = length.min(at + new.len());
                bytes.splice(at..end, new.iter().copied());
            }
        }
    }
    bytes
}

fn one_sentence(error: impl std::fmt::Display) -> Result<(), TestCaseError> {
    let text = error.to_string();
    prop_assert!(
        !text.is_empty() && text.len() < 2000 && !text.contains('\n'),
        "{text:?}"
    );
    Ok(())
}

fn good_idx() -> Vec<u8> {
    let mut file = vec![0, 0, 8, 3];
    for size in [3_u32, 2, 4] {
        file.extend(size.to_be_bytes());
    }
    file.extend((0..24).map(|i| i * 7));
    file
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn idx_files(damages in damages(), anything in prop::collection::vec(any::<u8>(), 0..64)) {
        for bytes in [damaged(&good_idx(), &damages), anything] {
            match idx::Idx::decode("file", bytes, 3) {
                Ok(found) => prop_assert_eq!(found.sizes.iter().product::<usize>(), found.bytes().len()),
                Err(error) => one_sentence(error)?,
            }
        }
    }

    #[test]
    fn gzip_files(damages in damages(), anything in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&good_idx()).unwrap();
        let packed = packer.finish().unwrap();
        let mut begun = vec![0x1f, 0x8b];
        begun.extend(anything);
        for bytes in [damaged(&packed, &damages), begun] {
            let length = bytes.len();
            match idx::unpacked("file", bytes) {
                Ok(content) => prop_assert!(content.len() <= 1100 * length, "{} of {length}", content.len()),
                Err(error) => one_sentence(error)?,
            }
        }
    }

    #[test]
    fn png_files(damages in damages()) {
        let mut good = Vec::new();
        let mut encoder = png::Encoder::new(&mut good, 6, 5);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[9; 30]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digit.png");
        std::fs::write(&path, damaged(&good, &damages)).unwrap();
        match picture::from_png(&path) {
            Ok(image) => prop_assert_eq!(image.size(), [1, 784]),
            Err(error) => one_sentence(error)?,
        }
    }

    #[test]
    fn settings_in_json(damages in damages(), anything in ".{0,60}") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let good = serde_json::to_vec(&IcvaeConfig::default()).unwrap();
        for bytes in [damaged(&good, &damages), anything.into_bytes()] {
            std::fs::write(&path, &bytes).unwrap();
            match IcvaeConfig::from_file(&path) {
                Ok(config) => prop_assert!(config.check().is_ok()),
                Err(error) => one_sentence(error)?,
            }
        }
        let good = serde_json::to_vec(&TrainConfig::default()).unwrap();
        let damaged = serde_json::from_slice::<TrainConfig>(&damaged(&good, &damages));
        if let Some(error) = damaged.ok().and_then(|config| config.check().err()) {
            one_sentence(error)?;
        }
    }
}

/// Every change of a checkpoint is noticed, wherever it is; the file is made once.
#[test]
fn checkpoints() {
    let config = IcvaeConfig {
        pixels: 4,
        classes: 2,
        hidden: vec![3],
        latent: 2,
        ..Default::default()
    };
    let model = Icvae::new(&config, Device::Cpu, 0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let state = RunState {
        partial_sums: vec![1.0, f64::NAN, f64::NEG_INFINITY],
        ..Default::default()
    };
    Checkpoint::save(
        &path,
        model.var_store(),
        &[],
        &state,
        &json!({"model": "small"}),
    )
    .unwrap();
    let good = std::fs::read(&path).unwrap();
    let read = Checkpoint::read(&path).unwrap();
    assert_eq!(format!("{:?}", read.state()), format!("{state:?}"));
    let mut runner = proptest::test_runner::TestRunner::new(cases(512));
    let anything = prop::collection::vec(any::<u8>(), 0..200);
    runner
        .run(&(damages(), anything), |(damages, anything)| {
            for bytes in [damaged(&good, &damages), anything] {
                if bytes == good {
                    continue;
                }
                std::fs::write(&path, &bytes).unwrap();
                match Checkpoint::read(&path) {
                    Ok(_) => prop_assert!(false, "a damaged file was accepted: {damages:?}"),
                    Err(error) => one_sentence(error)?,
                }
            }
            Ok(())
        })
        .unwrap();
}
