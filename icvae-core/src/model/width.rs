//! What a model accepts.

use tch::{Kind, Tensor};

use crate::{Error, Result};

/// Refuses what is not a float matrix of at least one row and so many columns; `letters` name its shape.
pub(super) fn check_width(
    what: &'static str,
    tensor: &Tensor,
    letters: &str,
    width: i64,
) -> Result<()> {
    match tensor.size()[..] {
        [batch, w] if w == width && batch > 0 => {}
        _ => {
            return Err(Error::Shape {
                what,
                expected: format!("{letters} with B ≥ 1 and {width} columns"),
                found: tensor.size(),
            });
        }
    }
    if tensor.kind() != Kind::Float {
        return Err(Error::Invalid(format!(
            "{what} must be Float, but is {:?}: convert it with to_kind",
            tensor.kind()
        )));
    }
    Ok(())
}

/// The condition as the networks take it: none where the model has no classes, whatever was given.
pub(super) fn check_condition(
    c: Option<&Tensor>,
    batch: i64,
    classes: i64,
) -> Result<Option<&Tensor>> {
    if classes == 0 {
        return Ok(None);
    }
    let c = c.ok_or_else(|| {
        Error::Invalid(format!(
            "the model was trained with a condition: give c, [B, C] = [{batch}, {classes}]"
        ))
    })?;
    if c.kind() != Kind::Float {
        return Err(Error::Invalid(format!(
            "the condition c must be Float, but is {:?}: convert it with to_kind",
            c.kind()
        )));
    }
    if c.size() != [batch, classes] {
        return Err(Error::Shape {
            what: "the condition c",
            expected: format!("[B, C] = [{batch}, {classes}]"),
            found: c.size(),
        });
    }
    Ok(Some(c))
}

/// Refuses sizes below 1.
pub(super) fn check_sizes(sizes: &[(&str, i64)]) -> Result<()> {
    match sizes.iter().find(|(_, value)| *value < 1) {
        Some((name, value)) => Err(Error::Invalid(format!(
            "{name} is {value}, but a model needs at least 1"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    #[test]
    fn a_wrong_matrix_is_refused_for_what_is_wrong_with_it() {
        let told = |size: &[i64], kind| {
            let tensor = Tensor::zeros(size, (kind, Device::Cpu));
            match check_width("the image x", &tensor, "[B, P]", 4) {
                Ok(()) => String::new(),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(told(&[1, 4], Kind::Float), "");
        for size in [&[0, 4][..], &[2, 5], &[4], &[2, 2, 4]] {
            let expected = format!(
                "the image x must have the shape [B, P] with B ≥ 1 and 4 columns, but has {size:?}"
            );
            assert_eq!(told(size, Kind::Float), expected);
        }
        assert_eq!(
            told(&[2, 4], Kind::Double),
            "the image x must be Float, but is Double: convert it with to_kind"
        );
    }
}
