//! A number between two others.

use std::fmt::{Debug, Display};
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::control::Control;
use super::handle;
use super::model::Model;

/// A number that a slider can hold.
pub trait Number: Copy + PartialOrd + Display + Debug + Send + Sync + 'static {
    /// Whether only whole numbers are meant.
    const WHOLE: bool;
    /// The number as JSON has it.
    fn json(self) -> Value;
    /// The number in JSON, if it is one of this type.
    fn of(value: &Value) -> Option<Self>;
    /// The distance of two values if nothing else is said.
    fn step(range: &RangeInclusive<Self>) -> Self;
}

macro_rules! whole {
    ($($number:ty),*) => {$(
        impl Number for $number {
            const WHOLE: bool = true;
            fn json(self) -> Value {
                json!(self)
            }
            fn of(value: &Value) -> Option<Self> {
                // A frontend may write 3 as 3.0.
                let float = || value.as_f64().filter(|x| x.fract() == 0.0).map(|x| x as i64);
                value.as_i64().or_else(float)?.try_into().ok()
            }
            fn step(_: &RangeInclusive<Self>) -> Self {
                1
            }
        }
    )*};
}
whole!(i32, i64, u8, u32, usize);

macro_rules! real {
    ($($number:ty),*) => {$(
        impl Number for $number {
            const WHOLE: bool = false;
            fn json(self) -> Value {
                json!(self)
            }
            fn of(value: &Value) -> Option<Self> {
                value.as_f64().map(|x| x as Self)
            }
            fn step(range: &RangeInclusive<Self>) -> Self {
                let step = (range.end() - range.start()) / 100.0;
                if step > 0.0 { step } else { 1.0 }
            }
        }
    )*};
}
real!(f32, f64);

/// A number that the reader moves between two others.
#[derive(Debug, Clone)]
pub struct Slider<T: Number> {
    control: Control<T>,
    range: RangeInclusive<T>,
}

/// A slider over the range, at its beginning: [`at`](Slider::at) puts it elsewhere.
///
/// ```
/// let digit = notebook_live::slider("digit", 0..=9).at(3);
/// let scale = notebook_live::slider("scale", 0.0..=1.0).step(0.05);
/// assert_eq!((digit.value(), scale.value()), (3, 0.0));
/// ```
pub fn slider<T: Number>(label: &str, range: RangeInclusive<T>) -> Slider<T> {
    let kind = if T::WHOLE { "IntSlider" } else { "FloatSlider" };
    let format = readout(T::step(&range));
    let state = json!({
        "value": range.start().json(),
        "min": range.start().json(),
        "max": range.end().json(),
        "step": T::step(&range).json(),
        "orientation": "horizontal",
        "readout": true,
        "readout_format": format,
        "continuous_update": true,
        "behavior": "drag-tap",
    });
    let models = Model::control(kind, "SliderStyleModel", label, state);
    let bounds = range.clone();
    let read = move |data: &Value, _: &T| {
        T::of(&data["state"]["value"]).filter(|value| bounds.contains(value))
    };
    Slider {
        control: Control::new(label, models.into(), *range.start(), read),
        range,
    }
}

/// How a value is written: with as many digits as a step changes. What is written is what a reader takes over.
fn readout<T: Number>(step: T) -> String {
    if T::WHOLE {
        return "d".to_owned();
    }
    let step = step.json().as_f64().unwrap_or(1.0).abs();
    let digits = (-step.log10()).ceil().clamp(2.0, 12.0);
    format!(".{digits}f")
}

impl<T: Number> Slider<T> {
    /// Puts it elsewhere before it is shown.
    #[must_use]
    pub fn at(self, value: T) -> Self {
        self.set(value);
        self
    }

    /// The distance of two values; without it 1, or a hundredth of the range.
    #[must_use]
    pub fn step(self, step: T) -> Self {
        self.control
            .update(&json!({"step": step.json(), "readout_format": readout(step)}));
        self
    }

    /// What the reader has set last.
    pub fn value(&self) -> T {
        self.control.value()
    }

    /// Moves it, within its range; its closures hear of it.
    pub fn set(&self, value: T) {
        let (start, end) = (*self.range.start(), *self.range.end());
        let value = match value {
            low if low < start => start,
            high if high > end => end,
            value => value,
        };
        self.control.set(value, &json!({"value": value.json()}));
    }

    fn line(&self) -> String {
        let (start, end) = (self.range.start(), self.range.end());
        format!(
            "{}: {} ({start} to {end})",
            self.control.label(),
            self.value()
        )
    }
}

handle!([<T: Number>] Slider<T>, T);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rich;

    #[test]
    fn a_value_stays_in_its_range_and_shows_as_a_line() {
        let digit = slider("digit", 0..=9).at(12);
        assert_eq!(digit.value(), 9);
        digit.set(-1);
        assert_eq!(digit.rich().as_text(), "digit: 0 (0 to 9)");
        let scale = slider("scale", -1.0..=1.0_f32).at(0.5);
        assert_eq!(scale.rich().as_text(), "scale: 0.5 (-1 to 1)");
        assert_eq!(readout(1), "d");
        assert_eq!(
            (readout(0.01), readout(5.0_f32)),
            (".2f".into(), ".2f".into())
        );
        assert_eq!(readout(0.0001), ".4f");
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        assert_eq!(i32::of(&json!(3)), Some(3));
        assert_eq!(i32::of(&json!(3.0)), Some(3));
        assert_eq!(usize::of(&json!(-3)), None);
        assert_eq!(u8::of(&json!(300)), None);
        assert_eq!(i64::of(&json!("3")), None);
        assert_eq!(f64::of(&json!(3)), Some(3.0));
    }

    #[test]
    fn elsewhere_a_closure_sees_the_first_value() {
        let (tell, told) = std::sync::mpsc::channel();
        slider("digit", 0..=9)
            .at(4)
            .on_change(move |digit| tell.send(digit));
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [4]);
    }
}
