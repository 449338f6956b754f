//! Data sets and batches: what goes in comes out, and what makes no sense is refused.

#![allow(clippy::unwrap_used)]

use icvae_core::data::{Batches, Dataset, one_hot};
use icvae_core::tch::{Device, Kind, Tensor};

/// Five images of 2×2 pixels.
fn dataset() -> Dataset {
    let images = Tensor::from_slice(&(0..20).map(|v| v * 12).collect::<Vec<u8>>()).view([5, 4]);
    Dataset::new(images, Tensor::from_slice(&[2_i64, 0, 1, 0, 2]), (2, 2), 3).unwrap()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap()
}

fn indices(batches: Batches) -> Vec<i64> {
    batches
        .flat_map(|batch| Vec::<i64>::try_from(batch).unwrap())
        .collect()
}

#[test]
fn a_batch_holds_the_examples_it_was_asked_for() {
    let data = dataset();
    let batch = data.batch(&Tensor::from_slice(&[4_i64, 1, 1])).unwrap();
    let pixel = |v: i64| (v * 12) as f32 / 255.0;
    let expected: Vec<f32> = [16, 17, 18, 19, 4, 5, 6, 7, 4, 5, 6, 7].map(pixel).to_vec();
    assert_eq!(floats(&batch.x), expected);
    assert_eq!(floats(&batch.c), [0., 0., 1., 1., 0., 0., 1., 0., 0.]);
    assert_eq!(Vec::<i64>::try_from(&batch.labels).unwrap(), [2, 0, 0]);

    let all = data
        .batch(&Tensor::arange(5, (Kind::Int64, data.device())))
        .unwrap();
    assert_eq!(
        (floats(&data.x()), floats(&data.c())),
        (floats(&all.x), floats(&all.c))
    );
}

#[test]
fn a_batch_is_the_same_however_labels_and_indices_lie() {
    let images = Tensor::arange(256 * 3, (Kind::Int64, Device::Cpu)).to_kind(Kind::Uint8);
    let images = images.view([256, 3]); // every byte
    let doubled = Tensor::arange(512, (Kind::Int64, Device::Cpu)).remainder(7);
    let far_apart = doubled.slice(0, 0, 512, 2);
    let (spread, close) = [far_apart.shallow_clone(), far_apart.contiguous()]
        .map(|labels| Dataset::new(images.copy(), labels, (1, 3), 7).unwrap())
        .into();
    let every_third = Tensor::arange(256, (Kind::Int64, Device::Cpu)).slice(0, 0, 256, 3);
    let found = close.batch(&every_third.contiguous()).unwrap();
    for other in [
        spread.batch(&every_third.contiguous()).unwrap(),
        close.batch(&every_third).unwrap(),
    ] {
        assert_eq!(found.x, other.x);
        assert_eq!(found.c, other.c);
        assert_eq!(found.labels, other.labels);
    }
}

#[test]
fn points_are_taken_as_they_are() {
    let points = || Tensor::from_slice2(&[[-1.5_f32, 0.25], [7.0, 0.0], [0.5, -3.0]]);
    let labels = || Tensor::from_slice(&[1_i64, 0, 1]);
    let data = Dataset::points(points(), labels(), 2).unwrap();
    assert_eq!((data.pixels(), data.image_shape()), (2, (1, 2)));
    let mut batch = data.batch(&Tensor::from_slice(&[2_i64, 0])).unwrap();
    assert_eq!(floats(&batch.x), [0.5, -3.0, -1.5, 0.25]);
    assert_eq!(floats(&data.of_class(0).unwrap().x()), [7.0, 0.0]);
    // Neither a batch nor the whole is the data set's own memory.
    let _ = (batch.x.fill_(9.0), data.x().fill_(9.0));
    assert_eq!(data.x(), points());
    let moved = Dataset::points(points() + 1e-3, labels(), 2).unwrap();
    assert_ne!(moved.fingerprint(), data.fingerprint());

    for (points, expected) in [
        (
            points().to_kind(Kind::Double),
            "must be Float, but are Double",
        ),
        (Tensor::from_slice(&[0.5_f32]), "at least 1×1 numbers"),
        (points().narrow(0, 0, 2), "labels must have the shape [2]"),
        (points() / 0.0, "is not a finite number"),
    ] {
        let error = Dataset::points(points, labels(), 2)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn parts_of_a_data_set() {
    let data = dataset();
    assert_eq!(
        (
            data.head(2).len(),
            data.head(9).len(),
            data.head(0).is_empty()
        ),
        (2, 5, true)
    );
    let zeros = data.of_class(0).unwrap();
    assert_eq!(zeros.len(), 2);
    assert_eq!(zeros.images().get(1), data.images().get(3));
    assert!(data.head(1).of_class(0).unwrap().is_empty());
    assert!(
        data.of_class(3)
            .unwrap_err()
            .to_string()
            .contains("the classes are 0 to 2")
    );
}

#[test]
fn a_fingerprint_tells_data_apart() {
    let data = dataset();
    let print = data.fingerprint();
    assert_eq!(print.len(), 64);
    assert_eq!(print, dataset().fingerprint());
    assert_eq!(print, data.clone().to_device(data.device()).fingerprint());
    let (images, labels) = (data.images(), data.labels());
    let of = |images: &Tensor, labels: &Tensor, shape, classes| {
        Dataset::new(images.copy(), labels.copy(), shape, classes)
            .unwrap()
            .fingerprint()
    };
    let prints = [
        print,
        data.head(4).fingerprint(),
        of(&(images + 1), labels, (2, 2), 3),
        of(images, &labels.roll([1i64], [0i64]), (2, 2), 3),
        of(images, &labels.clamp_max(1), (2, 2), 3),
        of(images, labels, (1, 4), 3),
        of(images, labels, (2, 2), 4),
    ];
    let distinct: std::collections::HashSet<_> = prints.iter().collect();
    assert_eq!(distinct.len(), prints.len());
}

#[test]
fn an_epoch_sees_each_example_once_in_an_order_of_its_own() {
    let epoch = |seed, epoch| indices(Batches::shuffled(100, 32, seed, epoch).unwrap());
    let first = epoch(7, 1);
    assert_eq!(first, epoch(7, 1));
    assert_ne!(first, epoch(7, 2));
    assert_ne!(first, epoch(8, 1));
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    assert_ne!(first, sorted);
    assert_eq!(indices(Batches::in_order(100, 32).unwrap()), sorted);
    // The order must outlive an update of the random crates: resumed runs depend on it.
    assert_eq!(
        indices(Batches::shuffled(8, 3, 0, 1).unwrap()),
        [0, 6, 4, 3, 5, 1, 7, 2]
    );

    // Each place is equally likely to get each example: of 400 epochs about 40 in each of 10 × 10.
    let mut counts = [[0; 10]; 10];
    for e in 0..400 {
        for (place, i) in indices(Batches::shuffled(10, 10, 3, e).unwrap())
            .into_iter()
            .enumerate()
        {
            counts[place][i as usize] += 1;
        }
    }
    assert!(
        counts.iter().flatten().all(|n| (15..70).contains(n)),
        "{counts:?}"
    );
}

#[test]
fn the_last_batch_is_the_rest() {
    let sizes = |n, size| -> Vec<i64> {
        let batches = Batches::in_order(n, size).unwrap();
        assert_eq!(batches.len(), n.div_ceil(size));
        batches.map(|batch| batch.size()[0]).collect()
    };
    assert_eq!(sizes(10, 4), [4, 4, 2]);
    assert_eq!(sizes(8, 4), [4, 4]);
    assert_eq!(sizes(3, usize::MAX), [3]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bytes = |shape: &[i64]| Tensor::zeros(shape, (Kind::Uint8, Device::Cpu));
    let labels = |values: &[i64]| Tensor::from_slice(values);
    let new = |images, labels, shape, classes| Dataset::new(images, labels, shape, classes).err();
    let data = dataset();
    let cases = [
        ("[N, 4]", new(bytes(&[2, 5]), labels(&[0, 1]), (2, 2), 2)),
        ("[N, 4]", new(bytes(&[2, 2, 2]), labels(&[0, 1]), (2, 2), 2)),
        ("[2]", new(bytes(&[2, 4]), labels(&[0, 1, 0]), (2, 2), 2)),
        (
            "[2]",
            new(bytes(&[2, 4]), labels(&[0, 1]).unsqueeze(1), (2, 2), 2),
        ),
        (
            "Uint8",
            new(
                bytes(&[2, 4]).to_kind(Kind::Float),
                labels(&[0, 1]),
                (2, 2),
                2,
            ),
        ),
        (
            "Int64",
            new(
                bytes(&[2, 4]),
                labels(&[0, 1]).to_kind(Kind::Float),
                (2, 2),
                2,
            ),
        ),
        ("label 2", new(bytes(&[2, 4]), labels(&[0, 2]), (2, 2), 2)),
        ("label -1", new(bytes(&[2, 4]), labels(&[-1, 1]), (2, 2), 2)),
        (
            "at least one class",
            new(bytes(&[2, 4]), labels(&[0, 1]), (2, 2), 0),
        ),
        (
            "at least 1×1",
            new(bytes(&[2, 0]), labels(&[0, 1]), (0, 2), 2),
        ),
        ("index 5", data.batch(&labels(&[0, 5])).err()),
        ("index -1", data.batch(&labels(&[-1])).err()),
        ("B ≥ 1", data.batch(&labels(&[])).err()),
        ("B ≥ 1", data.batch(&labels(&[0, 1]).unsqueeze(0)).err()),
        (
            "Int64",
            data.batch(&labels(&[0]).to_kind(Kind::Float)).err(),
        ),
        ("label 3", one_hot(&labels(&[0, 3]), 3).err()),
        (
            "Int64",
            one_hot(&labels(&[0]).to_kind(Kind::Float), 3).err(),
        ),
        ("[N]", one_hot(&labels(&[0]).unsqueeze(0), 3).err()),
        ("batch size is 0", Batches::in_order(5, 0).err()),
        ("batch size is 0", Batches::shuffled(5, 0, 0, 0).err()),
        ("data set is empty", Batches::in_order(0, 5).err()),
    ];
    for (expected, error) in cases {
        let error = error
            .unwrap_or_else(|| panic!("{expected}: accepted"))
            .to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}
