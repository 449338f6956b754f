//! Images or points with labels, compact in memory, turned into floats on the device.

use std::cell::OnceCell;

use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use super::gather::gather;
use crate::files::hex;
use crate::{Error, Result};

/// Labelled images of one size: bytes `[N, P]` and labels `[N]`, on one device. Points of the plane, or of
/// any space, are images of one row whose pixels are floats: see [`Dataset::points`].
///
/// ```
/// # fn main() -> icvae_core::Result<()> {
/// use icvae_core::{data::Dataset, tch::{Kind, Tensor}};
///
/// let images = Tensor::from_slice(&[0_u8, 255, 51, 0]).view([2, 2]); // two images of 1×2 pixels
/// let labels = Tensor::from_slice(&[3_i64, 0]);
/// let data = Dataset::new(images, labels, (1, 2), 10)?;
/// assert_eq!(data.x().size(), [2, 2]);
/// assert_eq!(data.c().size(), [2, 10]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Dataset {
    images: Tensor, // u8 or float [N, P]
    labels: Tensor, // i64 [N]
    image_shape: (i64, i64),
    classes: i64,
    fingerprint: OnceCell<String>,
}

/// Some examples of a [`Dataset`], as a model takes them.
#[derive(Debug)]
pub struct Batch {
    /// Pixels in [0, 1], or a point's coordinates, float `[B, P]`.
    pub x: Tensor,
    /// One-hot labels, float `[B, C]`.
    pub c: Tensor,
    /// Labels, i64 `[B]`.
    pub labels: Tensor,
}

impl Dataset {
    /// Images `[N, P]` of bytes, `image_shape` = (rows, columns) with P = rows · columns, and
    /// labels `[N]` of 64-bit integers in `0..classes`.
    ///
    /// # Errors
    /// If a kind, a shape or a label is not so, or images and labels lie on different devices.
    pub fn new(
        images: Tensor,
        labels: Tensor,
        image_shape: (i64, i64),
        classes: i64,
    ) -> Result<Self> {
        Self::checked("images", Kind::Uint8, images, labels, image_shape, classes)
    }

    /// Points `[N, D]` of finite floats, taken as they are, and labels `[N]` of 64-bit integers in
    /// `0..classes`; a batch holds the coordinates where an image's has the pixels, P = D.
    ///
    /// ```
    /// # fn main() -> icvae_core::Result<()> {
    /// use icvae_core::{data::Dataset, tch::Tensor};
    ///
    /// let corners = Tensor::from_slice2(&[[0.0_f32, 0.0], [-2.0, 1.5]]);
    /// let data = Dataset::points(corners, Tensor::from_slice(&[0_i64, 1]), 2)?;
    /// assert_eq!(data.x().double_value(&[1, 0]), -2.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If a kind, a shape or a label is not so, a coordinate is not finite, or points and labels lie on
    /// different devices.
    pub fn points(points: Tensor, labels: Tensor, classes: i64) -> Result<Self> {
        let dimensions = points.size().get(1).copied().unwrap_or(0);
        let data = Self::checked(
            "points",
            Kind::Float,
            points,
            labels,
            (1, dimensions),
            classes,
        )?;
        if !bool::try_from(data.images.f_isfinite()?.f_all()?)? {
            return Err(Error::Invalid(
                "a coordinate of the points is not a finite number".into(),
            ));
        }
        Ok(data)
    }

    fn checked(
        what: &'static str,
        kind: Kind,
        images: Tensor,
        labels: Tensor,
        image_shape: (i64, i64),
        classes: i64,
    ) -> Result<Self> {
        let (rows, columns) = image_shape;
        if rows < 1 || columns < 1 || classes < 1 {
            return Err(Error::Invalid(format!(
                "a data set needs {what} of at least 1×1 numbers and at least one class, not \
                 {rows}×{columns} and {classes}"
            )));
        }
        for (what, tensor, kind) in [(what, &images, kind), ("labels", &labels, Kind::Int64)] {
            if tensor.kind() != kind {
                return Err(Error::Invalid(format!(
                    "the {what} of a data set must be {kind:?}, but are {:?}: convert them with \
                     to_kind",
                    tensor.kind()
                )));
            }
        }
        let pixels = rows * columns;
        if images.dim() != 2 || images.size()[1] != pixels {
            return Err(Error::Shape {
                what,
                expected: format!("[N, {pixels}]"),
                found: images.size(),
            });
        }
        let n = images.size()[0];
        if labels.size() != [n] {
            return Err(Error::Shape {
                what: "labels",
                expected: format!("[{n}]"),
                found: labels.size(),
            });
        }
        if images.device() != labels.device() {
            return Err(Error::Invalid(format!(
                "the {what} lie on {:?} and the labels on {:?}: bring both to one device",
                images.device(),
                labels.device()
            )));
        }
        check_range("label", &labels, classes)?;
        Ok(Self::of(images.contiguous(), labels, image_shape, classes))
    }

    fn of(images: Tensor, labels: Tensor, image_shape: (i64, i64), classes: i64) -> Self {
        Self {
            images,
            labels,
            image_shape,
            classes,
            fingerprint: OnceCell::new(),
        }
    }

    /// N, the number of examples.
    pub fn len(&self) -> usize {
        self.images.size()[0] as usize
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// P, the number of pixels of an image.
    pub fn pixels(&self) -> i64 {
        self.image_shape.0 * self.image_shape.1
    }

    /// C, the number of classes.
    pub fn classes(&self) -> i64 {
        self.classes
    }

    /// (rows, columns) of an image.
    pub fn image_shape(&self) -> (i64, i64) {
        self.image_shape
    }

    /// Where the tensors lie.
    pub fn device(&self) -> Device {
        self.images.device()
    }

    /// The bytes, `[N, P]`; floats where the examples are points.
    pub fn images(&self) -> &Tensor {
        &self.images
    }

    /// The labels, i64 `[N]`.
    pub fn labels(&self) -> &Tensor {
        &self.labels
    }

    /// The first `n` examples, or all where there are fewer. Shares memory with `self`.
    pub fn head(&self, n: usize) -> Dataset {
        let n = n.min(self.len()) as i64;
        Self::of(
            self.images.narrow(0, 0, n),
            self.labels.narrow(0, 0, n),
            self.image_shape,
            self.classes,
        )
    }

    /// The examples of one class, in order; possibly none.
    ///
    /// # Errors
    /// If there is no such class.
    pub fn of_class(&self, class: i64) -> Result<Dataset> {
        self.of_classes([class])
    }

    /// The examples of some classes, in order; there may be none. The number of classes stays, so models and one-hot
    /// labels still fit.
    ///
    /// ```
    /// # fn main() -> icvae_core::Result<()> {
    /// let (digits, _) = icvae_core::data::synthetic::draw(100, 0)?;
    /// let small = digits.of_classes(0..5)?;
    /// assert!(small.len() < 100 && small.classes() == 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no such class, or none is named.
    pub fn of_classes(&self, classes: impl IntoIterator<Item = i64>) -> Result<Dataset> {
        let classes: Vec<i64> = classes.into_iter().collect();
        if classes.is_empty() {
            return Err(Error::Invalid(
                "no class is named: name at least one, as in of_classes(0..5)".into(),
            ));
        }
        if let Some(class) = classes
            .iter()
            .find(|class| !(0..self.classes).contains(class))
        {
            return Err(Error::Invalid(format!(
                "there is no class {class}: the classes are 0 to {}",
                self.classes - 1
            )));
        }
        self.filter(|_, label| classes.contains(&label))
    }

    /// The examples that a question about their number (from 0) and their label is answered with yes, in order.
    ///
    /// ```
    /// # fn main() -> icvae_core::Result<()> {
    /// let (digits, _) = icvae_core::data::synthetic::draw(100, 0)?;
    /// assert_eq!(digits.filter(|i, _| i % 10 == 0)?.len(), 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If libtorch has no memory for them.
    pub fn filter(&self, mut wanted: impl FnMut(usize, i64) -> bool) -> Result<Dataset> {
        let labels = Vec::<i64>::try_from(self.labels.to_device(Device::Cpu).contiguous())?;
        let indices: Vec<i64> = labels
            .iter()
            .enumerate()
            .filter(|&(i, &label)| wanted(i, label))
            .map(|(i, _)| i as i64)
            .collect();
        self.select(&Tensor::f_from_slice(&indices)?)
    }

    /// The examples at `indices`, i64 `[n]`, in their order.
    ///
    /// # Errors
    /// If `indices` are not of that kind and shape, or point outside.
    pub fn select(&self, indices: &Tensor) -> Result<Dataset> {
        if indices.kind() != Kind::Int64 || indices.dim() != 1 {
            return Err(Error::Invalid(format!(
                "the indices of examples must be Int64 of the shape [n], but are {:?} of the shape {:?}",
                indices.kind(),
                indices.size()
            )));
        }
        check_range("index", indices, self.images.size()[0])?;
        let indices = indices.to_device(self.device());
        Ok(Self::of(
            self.images.f_index_select(0, &indices)?,
            self.labels.f_index_select(0, &indices)?,
            self.image_shape,
            self.classes,
        ))
    }

    /// The same examples on another device. Shares memory with `self` where it is the same device.
    pub fn to_device(&self, device: Device) -> Dataset {
        Self {
            images: self.images.to_device(device),
            labels: self.labels.to_device(device),
            fingerprint: self.fingerprint.clone(),
            ..*self
        }
    }

    /// All pixels in [0, 1], or all coordinates, float `[N, P]`: four times the memory of images.
    pub fn x(&self) -> Tensor {
        scaled(&self.images)
    }

    /// All labels one-hot, float `[N, C]`.
    pub fn c(&self) -> Tensor {
        hot(&self.labels, self.classes)
    }

    /// The examples at `indices`, i64 `[B]`, on the data set's device.
    ///
    /// # Errors
    /// If `indices` are not of that kind and shape, are none, or point outside.
    pub fn batch(&self, indices: &Tensor) -> Result<Batch> {
        if indices.kind() != Kind::Int64 {
            return Err(Error::Invalid(format!(
                "the indices of a batch must be Int64, but are {:?}",
                indices.kind()
            )));
        }
        if indices.dim() != 1 || indices.size()[0] == 0 {
            return Err(Error::Shape {
                what: "the indices of a batch",
                expected: "[B] with B ≥ 1".into(),
                found: indices.size(),
            });
        }
        check_range("index", indices, self.images.size()[0])?;
        let all = (&self.images, &self.labels);
        if let Some(batch) = gather(all, self.classes, indices)? {
            return Ok(batch);
        }
        let indices = indices.to_device(self.device());
        let labels = self.labels.f_index_select(0, &indices)?;
        Ok(Batch {
            x: scaled(&self.images.f_index_select(0, &indices)?),
            c: hot(&labels, self.classes),
            labels,
        })
    }

    /// SHA-256 of shape, contents and labels, in hexadecimal: tells whether two models saw the same
    /// data. Computed once.
    pub fn fingerprint(&self) -> String {
        self.fingerprint
            .get_or_init(|| {
                let mut hash = Sha256::new();
                let (rows, columns) = self.image_shape;
                for number in [self.images.size()[0], rows, columns, self.classes] {
                    hash.update(number.to_le_bytes());
                }
                // A slice at a time, so that no second copy of the data set is made.
                for start in (0..self.images.size()[0]).step_by(4096) {
                    let n = 4096.min(self.images.size()[0] - start);
                    for part in [&self.images, &self.labels] {
                        hash.update(bytes_of(&part.narrow(0, start, n)));
                    }
                }
                hex(&hash.finalize())
            })
            .clone()
    }
}

impl Clone for Dataset {
    /// Shares memory with `self`: nothing here changes the bytes of a data set.
    fn clone(&self) -> Self {
        Self {
            images: self.images.shallow_clone(),
            labels: self.labels.shallow_clone(),
            fingerprint: self.fingerprint.clone(),
            ..*self
        }
    }
}

/// Labels `[N]` as float `[N, C]` with a single 1 a row, on the labels' device.
///
/// # Errors
/// If the labels are not i64 `[N]` in `0..classes`.
pub fn one_hot(labels: &Tensor, classes: i64) -> Result<Tensor> {
    check_labels(labels, classes)?;
    Ok(hot(labels, classes))
}

/// Refuses what are no labels `[N]` in `0..classes`.
pub(crate) fn check_labels(labels: &Tensor, classes: i64) -> Result<()> {
    if labels.kind() != Kind::Int64 {
        return Err(Error::Invalid(format!(
            "labels must be Int64, but are {:?}: convert them with to_kind",
            labels.kind()
        )));
    }
    if labels.dim() != 1 {
        return Err(Error::Shape {
            what: "labels",
            expected: "[N]".into(),
            found: labels.size(),
        });
    }
    check_range("label", labels, classes)
}

/// `one_hot` of labels that were checked before.
fn hot(labels: &Tensor, classes: i64) -> Tensor {
    let c = Tensor::zeros([labels.size()[0], classes], (Kind::Float, labels.device()));
    c.scatter_value(1, &labels.unsqueeze(1), 1.0)
}

/// Bytes as floats in [0, 1]; coordinates as they are, copied so that nobody changes the data set.
fn scaled(images: &Tensor) -> Tensor {
    match images.kind() {
        Kind::Uint8 => images.to_kind(Kind::Float).g_div_scalar_(255.0),
        _ => images.copy(),
    }
}

fn check_range(what: &str, values: &Tensor, end: i64) -> Result<()> {
    if values.numel() == 0 {
        return Ok(());
    }
    let (low, high) = match super::gather::indices(values) {
        Some(values) => {
            let first = (values[0], values[0]);
            let wider = |(low, high): (i64, i64), &v: &i64| (low.min(v), high.max(v));
            values.iter().fold(first, wider)
        }
        None => {
            let (low, high) = values.f_aminmax(None::<i64>, false)?;
            (low.f_int64_value(&[])?, high.f_int64_value(&[])?)
        }
    };
    for value in [low, high] {
        if !(0..end).contains(&value) {
            return Err(Error::Invalid(format!(
                "there is a {what} {value}, but each must be from 0 to {}",
                end - 1
            )));
        }
    }
    Ok(())
}

/// The memory of a small tensor, whatever its kind and device.
fn bytes_of(tensor: &Tensor) -> Vec<u8> {
    let tensor = tensor.to_device(Device::Cpu).contiguous();
    let mut bytes = vec![0_u8; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    bytes
}
