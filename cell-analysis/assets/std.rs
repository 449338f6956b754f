// The standard library's most used signatures, each with a line in this project's own words. Where
// rustup's documentation is installed, its text is shown instead. `$` stands for each type of the line above.

/// What every cell can name without an import.
pub mod prelude {
    pub use crate::option::Option::{self, None, Some};
    pub use crate::result::Result::{self, Err, Ok};
    pub use crate::string::{String, ToString};
    pub use crate::vec::Vec;
    pub use crate::boxed::Box;
    pub use crate::clone::Clone;
    pub use crate::marker::{Copy, Send, Sized, Sync, Unpin};
    pub use crate::default::Default;
    pub use crate::borrow::ToOwned;
    pub use crate::convert::{AsMut, AsRef, From, Into, TryFrom, TryInto};
    pub use crate::cmp::{Eq, Ord, PartialEq, PartialOrd};
    pub use crate::iter::{DoubleEndedIterator, ExactSizeIterator, Extend, FromIterator, IntoIterator, Iterator};
    pub use crate::ops::{Drop, Fn, FnMut, FnOnce};
    pub use crate::mem::drop;
    pub use crate::future::{Future, IntoFuture};
    pub use crate::macros::*;
    pub use crate::{assert, assert_eq, assert_ne, cfg, column, compile_error, concat, dbg, debug_assert, debug_assert_eq, debug_assert_ne, env, eprint, eprintln, file, format, format_args, include, include_bytes, include_str, line, matches, module_path, option_env, panic, print, println, stringify, thread_local, todo, unimplemented, unreachable, vec, write, writeln};
}
mod macros {}

/// Panics unless a condition holds.
#[macro_export] macro_rules! assert { ($cond:expr $(,)?) => {}; ($cond:expr, $($arg:tt)+) => {}; }
/// Panics unless two values are equal, and shows both.
#[macro_export] macro_rules! assert_eq { ($left:expr, $right:expr $(,)?) => {}; ($left:expr, $right:expr, $($arg:tt)+) => {}; }
/// Panics if two values are equal.
#[macro_export] macro_rules! assert_ne { ($left:expr, $right:expr $(,)?) => {}; ($left:expr, $right:expr, $($arg:tt)+) => {}; }
/// Whether a configuration holds, as a `bool`.
#[macro_export] macro_rules! cfg { ($($cfg:tt)*) => {}; }
/// The column in which it stands.
#[macro_export] macro_rules! column { () => {}; }
/// Stops the compilation with a message.
#[macro_export] macro_rules! compile_error { ($msg:expr $(,)?) => {}; }
/// Joins literals to one text when the code is compiled.
#[macro_export] macro_rules! concat { ($($e:expr),* $(,)?) => {}; }
/// Prints an expression with its value and place to standard error, and gives the value.
#[macro_export] macro_rules! dbg { () => {}; ($val:expr $(,)?) => {}; ($($val:expr),+ $(,)?) => {}; }
/// `assert!` that optimised builds leave out.
#[macro_export] macro_rules! debug_assert { ($($arg:tt)*) => {}; }
/// `assert_eq!` that optimised builds leave out.
#[macro_export] macro_rules! debug_assert_eq { ($($arg:tt)*) => {}; }
/// `assert_ne!` that optimised builds leave out.
#[macro_export] macro_rules! debug_assert_ne { ($($arg:tt)*) => {}; }
/// An environment variable, read when the code is compiled.
#[macro_export] macro_rules! env { ($name:expr $(,)?) => {}; ($name:expr, $error_msg:expr $(,)?) => {}; }
/// Prints to standard error.
#[macro_export] macro_rules! eprint { ($($arg:tt)*) => {}; }
/// Prints a line to standard error.
#[macro_export] macro_rules! eprintln { () => {}; ($($arg:tt)*) => {}; }
/// The file in which it stands.
#[macro_export] macro_rules! file { () => {}; }
/// Makes a `String` of a format text and values: `format!("{x:.2} of {}", total)`.
#[macro_export] macro_rules! format { ($($arg:tt)*) => {}; }
/// A format text with its values, for functions that print.
#[macro_export] macro_rules! format_args { ($fmt:expr) => {}; ($fmt:expr, $($args:tt)*) => {}; }
/// Reads a file as code.
#[macro_export] macro_rules! include { ($file:expr $(,)?) => {}; }
/// The bytes of a file, read when the code is compiled.
#[macro_export] macro_rules! include_bytes { ($file:expr $(,)?) => {}; }
/// The text of a file, read when the code is compiled.
#[macro_export] macro_rules! include_str { ($file:expr $(,)?) => {}; }
/// The line on which it stands.
#[macro_export] macro_rules! line { () => {}; }
/// Whether a value matches a pattern.
#[macro_export] macro_rules! matches { ($expression:expr, $pattern:pat $(if $guard:expr)? $(,)?) => {}; }
/// The path of the module in which it stands.
#[macro_export] macro_rules! module_path { () => {}; }
/// An environment variable that may be missing, read when the code is compiled.
#[macro_export] macro_rules! option_env { ($name:expr $(,)?) => {}; }
/// Stops the thread with a message.
#[macro_export] macro_rules! panic { ($($arg:tt)*) => {}; }
/// Prints to standard output: `print!("{x}")`.
#[macro_export] macro_rules! print { ($($arg:tt)*) => {}; }
/// Prints a line to standard output: `println!("{x:?} of {}", total)`.
#[macro_export] macro_rules! println { () => {}; ($($arg:tt)*) => {}; }
/// The text of what stands in it.
#[macro_export] macro_rules! stringify { ($($t:tt)*) => {}; }
/// A static of which each thread has its own.
#[macro_export] macro_rules! thread_local { ($($t:tt)*) => {}; }
/// Marks code that is not written yet: it panics when it is reached.
#[macro_export] macro_rules! todo { () => {}; ($($arg:tt)+) => {}; }
/// Marks code that is not going to be written for now.
#[macro_export] macro_rules! unimplemented { () => {}; ($($arg:tt)+) => {}; }
/// Marks code that can't be reached.
#[macro_export] macro_rules! unreachable { () => {}; ($($arg:tt)*) => {}; }
/// Makes a `Vec`: `vec![1, 2, 3]`, or `vec![0.0; 100]` of one value many times.
#[macro_export] macro_rules! vec { () => {}; ($elem:expr; $n:expr) => {}; ($($x:expr),+ $(,)?) => {}; }
/// Writes formatted text into something.
#[macro_export] macro_rules! write { ($dst:expr, $($arg:tt)*) => {}; }
/// Writes a formatted line into something.
#[macro_export] macro_rules! writeln { ($dst:expr $(,)?) => {}; ($dst:expr, $($arg:tt)*) => {}; }

/// Types that the language itself has.
pub mod primitive {
    use crate::{string::String, vec::Vec, option::Option, result::Result, boxed::Box, cmp::Ordering, iter::*, collections::*, ops::*, borrow::*, clone::Clone, str::*, slice::*, char::*, num::*, hash::Hash, cmp::*, fmt, default::Default};

    /// `true` or `false`.
    #[primitive] #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)] pub struct bool;
    impl bool {
        /// `Some` of what a closure gives if it is true.
        pub fn then<T, F: FnOnce() -> T>(self, f: F) -> Option<T> {}
        /// `Some(t)` if it is true.
        pub fn then_some<T>(self, t: T) -> Option<T> {}
    }
    impl Not for bool { type Output = bool; }

    /// One character: a Unicode scalar value.
    #[primitive] #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Display)] pub struct char;
    impl char {
        /// Whether it is a letter.
        pub fn is_alphabetic(self) -> bool {}
        /// Whether it is a number.
        pub fn is_numeric(self) -> bool {}
        /// Whether it is a letter or a number.
        pub fn is_alphanumeric(self) -> bool {}
        /// Whether it is white space.
        pub fn is_whitespace(self) -> bool {}
        /// Whether it is an upper-case letter.
        pub fn is_uppercase(self) -> bool {}
        /// Whether it is a lower-case letter.
        pub fn is_lowercase(self) -> bool {}
        /// Whether it is one of 0 to 9.
        pub fn is_ascii_digit(&self) -> bool {}
        /// Whether it is a digit of this radix.
        pub fn is_digit(self, radix: u32) -> bool {}
        /// Its value as a digit of this radix.
        pub fn to_digit(self, radix: u32) -> Option<u32> {}
        /// The digit of this value.
        pub fn from_digit(num: u32, radix: u32) -> Option<char> {}
        /// The character of this code point.
        pub fn from_u32(i: u32) -> Option<char> {}
        /// Its upper-case letters.
        pub fn to_uppercase(self) -> ToUppercase {}
        /// Its lower-case letters.
        pub fn to_lowercase(self) -> ToLowercase {}
        /// Its upper-case letter, if it is ASCII.
        pub fn to_ascii_uppercase(&self) -> char {}
        /// Its lower-case letter, if it is ASCII.
        pub fn to_ascii_lowercase(&self) -> char {}
        /// How many bytes it takes in a text.
        pub fn len_utf8(self) -> usize {}
    }

    // each: i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize
    /// An integer.
    #[primitive] #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Display)] pub struct $;
    impl $ {
        /// The smallest value.
        pub const MIN: $ = 0;
        /// The largest value.
        pub const MAX: $ = 0;
        /// How many bits it has.
        pub const BITS: u32 = 0;
        /// Its value without the sign.
        pub fn abs(self) -> $ {}
        /// The distance from another value.
        pub fn abs_diff(self, other: $) -> $ {}
        /// This to a power.
        pub fn pow(self, exp: u32) -> $ {}
        /// −1, 0 or 1.
        pub fn signum(self) -> $ {}
        /// The quotient of the division whose remainder isn't negative.
        pub fn div_euclid(self, rhs: $) -> $ {}
        /// The remainder that isn't negative.
        pub fn rem_euclid(self, rhs: $) -> $ {}
        /// The quotient, rounded up.
        pub fn div_ceil(self, rhs: $) -> $ {}
        /// The sum, or `None` if it doesn't fit.
        pub fn checked_add(self, rhs: $) -> Option<$> {}
        /// The difference, or `None` if it doesn't fit.
        pub fn checked_sub(self, rhs: $) -> Option<$> {}
        /// The product, or `None` if it doesn't fit.
        pub fn checked_mul(self, rhs: $) -> Option<$> {}
        /// The quotient, or `None` where there is none.
        pub fn checked_div(self, rhs: $) -> Option<$> {}
        /// The sum, held at the ends of the range.
        pub fn saturating_add(self, rhs: $) -> $ {}
        /// The difference, held at the ends of the range.
        pub fn saturating_sub(self, rhs: $) -> $ {}
        /// The product, held at the ends of the range.
        pub fn saturating_mul(self, rhs: $) -> $ {}
        /// The sum, around the end of the range.
        pub fn wrapping_add(self, rhs: $) -> $ {}
        /// The difference, around the end of the range.
        pub fn wrapping_sub(self, rhs: $) -> $ {}
        /// The product, around the end of the range.
        pub fn wrapping_mul(self, rhs: $) -> $ {}
        /// Whether it is a power of two.
        pub fn is_power_of_two(self) -> bool {}
        /// The number of ones in its bits.
        pub fn count_ones(self) -> u32 {}
        /// The number of zeros before its first one.
        pub fn leading_zeros(self) -> u32 {}
        /// The number of zeros behind its last one.
        pub fn trailing_zeros(self) -> u32 {}
        /// Its square root, rounded down.
        pub fn isqrt(self) -> $ {}
        /// Its logarithm to base 2, rounded down.
        pub fn ilog2(self) -> u32 {}
        /// Its logarithm to base 10, rounded down.
        pub fn ilog10(self) -> u32 {}
        /// Reads a number in this radix.
        pub fn from_str_radix(src: &str, radix: u32) -> Result<$, ParseIntError> {}
        /// Its bytes, the lowest first.
        pub fn to_le_bytes(self) -> [u8; 8] {}
        /// The number with these bytes, the lowest first.
        pub fn from_le_bytes(bytes: [u8; 8]) -> $ {}
    }
    impl FromStr for $ { type Err = ParseIntError; }
    impl Add for $ { type Output = $; }
    impl Neg for $ { type Output = $; }
    // end

    // each: f32 f64
    /// A floating-point number.
    #[primitive] #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default, Display)] pub struct $;
    impl $ {
        /// Infinity, ∞.
        pub const INFINITY: $ = 0.0;
        /// Minus infinity.
        pub const NEG_INFINITY: $ = 0.0;
        /// Not a number.
        pub const NAN: $ = 0.0;
        /// The largest finite value.
        pub const MAX: $ = 0.0;
        /// The smallest finite value.
        pub const MIN: $ = 0.0;
        /// The difference between 1 and the next larger number.
        pub const EPSILON: $ = 0.0;
        /// Its value without the sign.
        pub fn abs(self) -> $ {}
        /// Its square root.
        pub fn sqrt(self) -> $ {}
        /// Its cube root.
        pub fn cbrt(self) -> $ {}
        /// e to this power.
        pub fn exp(self) -> $ {}
        /// 2 to this power.
        pub fn exp2(self) -> $ {}
        /// e to this power, less 1, precise near 0.
        pub fn exp_m1(self) -> $ {}
        /// Its natural logarithm.
        pub fn ln(self) -> $ {}
        /// The natural logarithm of 1 plus this, precise near 0.
        pub fn ln_1p(self) -> $ {}
        /// Its logarithm to a base.
        pub fn log(self, base: $) -> $ {}
        /// Its logarithm to base 2.
        pub fn log2(self) -> $ {}
        /// Its logarithm to base 10.
        pub fn log10(self) -> $ {}
        /// This to a whole power.
        pub fn powi(self, n: i32) -> $ {}
        /// This to a power.
        pub fn powf(self, n: $) -> $ {}
        /// Its sine, in radians.
        pub fn sin(self) -> $ {}
        /// Its cosine, in radians.
        pub fn cos(self) -> $ {}
        /// Sine and cosine, in radians.
        pub fn sin_cos(self) -> ($, $) {}
        /// Its tangent, in radians.
        pub fn tan(self) -> $ {}
        /// The angle whose sine it is.
        pub fn asin(self) -> $ {}
        /// The angle whose cosine it is.
        pub fn acos(self) -> $ {}
        /// The angle whose tangent it is.
        pub fn atan(self) -> $ {}
        /// The angle of the point (other, self).
        pub fn atan2(self, other: $) -> $ {}
        /// Its hyperbolic sine.
        pub fn sinh(self) -> $ {}
        /// Its hyperbolic cosine.
        pub fn cosh(self) -> $ {}
        /// Its hyperbolic tangent.
        pub fn tanh(self) -> $ {}
        /// The length of the hypotenuse.
        pub fn hypot(self, other: $) -> $ {}
        /// The largest whole number that isn't larger.
        pub fn floor(self) -> $ {}
        /// The smallest whole number that isn't smaller.
        pub fn ceil(self) -> $ {}
        /// The nearest whole number, halves away from 0.
        pub fn round(self) -> $ {}
        /// Without its fraction.
        pub fn trunc(self) -> $ {}
        /// Its fraction.
        pub fn fract(self) -> $ {}
        /// 1 with its sign.
        pub fn signum(self) -> $ {}
        /// Its value with another's sign.
        pub fn copysign(self, sign: $) -> $ {}
        /// `self * a + b`, rounded once.
        pub fn mul_add(self, a: $, b: $) -> $ {}
        /// 1 / self.
        pub fn recip(self) -> $ {}
        /// The smaller of two; a NaN is passed over.
        pub fn min(self, other: $) -> $ {}
        /// The larger of two; a NaN is passed over.
        pub fn max(self, other: $) -> $ {}
        /// Held between two values.
        pub fn clamp(self, min: $, max: $) -> $ {}
        /// From radians to degrees.
        pub fn to_degrees(self) -> $ {}
        /// From degrees to radians.
        pub fn to_radians(self) -> $ {}
        /// Whether it is not a number.
        pub fn is_nan(self) -> bool {}
        /// Whether it is neither infinite nor NaN.
        pub fn is_finite(self) -> bool {}
        /// Whether it is ∞ or −∞.
        pub fn is_infinite(self) -> bool {}
        /// Orders all values, NaN among them: for sorting.
        pub fn total_cmp(&self, other: &$) -> Ordering {}
        /// Its bits as an integer.
        pub fn to_bits(self) -> u64 {}
        /// The number with these bits.
        pub fn from_bits(v: u64) -> $ {}
    }
    impl FromStr for $ { type Err = ParseFloatError; }
    impl Add for $ { type Output = $; }
    impl Neg for $ { type Output = $; }
    // end

    /// Text, borrowed: mostly as `&str`.
    #[primitive] #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display)] pub struct str;
    impl str {
        /// How many bytes it has.
        pub fn len(&self) -> usize {}
        /// Whether it has no character.
        pub fn is_empty(&self) -> bool {}
        /// Its characters.
        #[taken_for = "impl DoubleEndedIterator<Item = char>"] pub fn chars(&self) -> Chars<'_> {}
        /// Its characters, each with the byte at which it begins.
        #[taken_for = "impl DoubleEndedIterator<Item = (usize, char)>"] pub fn char_indices(&self) -> CharIndices<'_> {}
        /// Its bytes.
        #[taken_for = "impl DoubleEndedIterator<Item = u8>"] pub fn bytes(&self) -> Bytes<'_> {}
        /// Its bytes as a slice.
        pub fn as_bytes(&self) -> &[u8] {}
        /// Its lines.
        #[taken_for = "impl DoubleEndedIterator<Item = &str>"] pub fn lines(&self) -> Lines<'_> {}
        /// Its parts between separators.
        #[taken_for = "impl DoubleEndedIterator<Item = &str>"] pub fn split<P: Pattern>(&self, pat: P) -> Split<'_, P> {}
        /// At most `n` parts between separators.
        #[taken_for = "impl Iterator<Item = &str>"] pub fn splitn<P: Pattern>(&self, n: usize, pat: P) -> SplitN<'_, P> {}
        /// Its words.
        #[taken_for = "impl DoubleEndedIterator<Item = &str>"] pub fn split_whitespace(&self) -> SplitWhitespace<'_> {}
        /// What stands before and behind the first separator.
        pub fn split_once<P: Pattern>(&self, delimiter: P) -> Option<(&str, &str)> {}
        /// What stands before and behind the last separator.
        pub fn rsplit_once<P: Pattern>(&self, delimiter: P) -> Option<(&str, &str)> {}
        /// Both parts at a byte.
        pub fn split_at(&self, mid: usize) -> (&str, &str) {}
        /// Without white space at both ends.
        pub fn trim(&self) -> &str {}
        /// Without white space at the start.
        pub fn trim_start(&self) -> &str {}
        /// Without white space at the end.
        pub fn trim_end(&self) -> &str {}
        /// Without what matches at both ends.
        pub fn trim_matches<P: Pattern>(&self, pat: P) -> &str {}
        /// What follows a prefix, if it is there.
        pub fn strip_prefix<P: Pattern>(&self, prefix: P) -> Option<&str> {}
        /// What stands before a suffix, if it is there.
        pub fn strip_suffix<P: Pattern>(&self, suffix: P) -> Option<&str> {}
        /// Whether a pattern occurs in it.
        pub fn contains<P: Pattern>(&self, pat: P) -> bool {}
        /// Whether it begins so.
        pub fn starts_with<P: Pattern>(&self, pat: P) -> bool {}
        /// Whether it ends so.
        pub fn ends_with<P: Pattern>(&self, pat: P) -> bool {}
        /// The byte at which a pattern is first found.
        pub fn find<P: Pattern>(&self, pat: P) -> Option<usize> {}
        /// The byte at which a pattern is last found.
        pub fn rfind<P: Pattern>(&self, pat: P) -> Option<usize> {}
        /// A new text with every match replaced.
        pub fn replace<P: Pattern>(&self, from: P, to: &str) -> String {}
        /// A new text with the first matches replaced.
        pub fn replacen<P: Pattern>(&self, pat: P, to: &str, count: usize) -> String {}
        /// Reads a value: `"4".parse::<i32>()?`.
        pub fn parse<F: FromStr>(&self) -> Result<F, F::Err> {}
        /// This text many times.
        pub fn repeat(&self, n: usize) -> String {}
        /// In capital letters.
        pub fn to_uppercase(&self) -> String {}
        /// In small letters.
        pub fn to_lowercase(&self) -> String {}
        /// In capital letters, as far as they are ASCII.
        pub fn to_ascii_uppercase(&self) -> String {}
        /// In small letters, as far as they are ASCII.
        pub fn to_ascii_lowercase(&self) -> String {}
        /// Whether both are equal but for ASCII capitals.
        pub fn eq_ignore_ascii_case(&self, other: &str) -> bool {}
        /// A part of it, if that is one.
        pub fn get<I: SliceIndex<str>>(&self, i: I) -> Option<&str> {}
        /// Every place where a pattern matches.
        #[taken_for = "impl Iterator<Item = &str>"] pub fn matches<P: Pattern>(&self, pat: P) -> Matches<'_, P> {}
        /// Whether all of it is ASCII.
        pub fn is_ascii(&self) -> bool {}
        /// Whether a byte is where a character begins.
        pub fn is_char_boundary(&self, index: usize) -> bool {}
    }
    impl ToOwned for str { type Owned = String; }

    /// Values that lie side by side: mostly as `&[T]`.
    #[primitive] #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)] pub struct slice<T>;
    impl<T> slice<T> {
        /// How many values it has.
        pub fn len(&self) -> usize {}
        /// Whether it has none.
        pub fn is_empty(&self) -> bool {}
        /// References to its values, one after the other.
        pub fn iter(&self) -> Iter<'_, T> {}
        /// References through which its values can be changed.
        pub fn iter_mut(&mut self) -> IterMut<'_, T> {}
        /// The first value.
        pub fn first(&self) -> Option<&T> {}
        /// The last value.
        pub fn last(&self) -> Option<&T> {}
        /// The first value, and the others.
        pub fn split_first(&self) -> Option<(&T, &[T])> {}
        /// The last value, and the others.
        pub fn split_last(&self) -> Option<(&T, &[T])> {}
        /// The value at a place, or `None` beyond the end.
        #[taken_for = "Option<&T>"] pub fn get<I: SliceIndex<[T]>>(&self, index: I) -> Option<&I::Output> {}
        /// The value at a place, to be changed.
        #[taken_for = "Option<&mut T>"] pub fn get_mut<I: SliceIndex<[T]>>(&mut self, index: I) -> Option<&mut I::Output> {}
        /// Overlapping parts of a length.
        #[taken_for = "impl DoubleEndedIterator<Item = &[T]>"] pub fn windows(&self, size: usize) -> Windows<'_, T> {}
        /// Parts of a length, the last one perhaps shorter.
        #[taken_for = "impl DoubleEndedIterator<Item = &[T]>"] pub fn chunks(&self, chunk_size: usize) -> Chunks<'_, T> {}
        /// Parts of exactly a length.
        #[taken_for = "impl DoubleEndedIterator<Item = &[T]>"] pub fn chunks_exact(&self, chunk_size: usize) -> ChunksExact<'_, T> {}
        /// Parts of a length, to be changed.
        #[taken_for = "impl DoubleEndedIterator<Item = &mut [T]>"] pub fn chunks_mut(&mut self, chunk_size: usize) -> ChunksMut<'_, T> {}
        /// Both parts at a place.
        pub fn split_at(&self, mid: usize) -> (&[T], &[T]) {}
        /// Both parts at a place, to be changed.
        pub fn split_at_mut(&mut self, mid: usize) -> (&mut [T], &mut [T]) {}
        /// Parts between values for which a closure holds.
        #[taken_for = "impl DoubleEndedIterator<Item = &[T]>"] pub fn split<F: FnMut(&T) -> bool>(&self, pred: F) -> Split<'_, T, F> {}
        /// Exchanges two values.
        pub fn swap(&mut self, a: usize, b: usize) {}
        /// Turns the order around.
        pub fn reverse(&mut self) {}
        /// Sorts; equal values keep their order.
        pub fn sort(&mut self) {}
        /// Sorts by a comparison: `v.sort_by(|a, b| a.total_cmp(b))`.
        pub fn sort_by<F: FnMut(&T, &T) -> Ordering>(&mut self, compare: F) {}
        /// Sorts by a key.
        pub fn sort_by_key<K: Ord, F: FnMut(&T) -> K>(&mut self, f: F) {}
        /// Sorts faster; equal values may change places.
        pub fn sort_unstable(&mut self) {}
        /// Sorts faster by a comparison.
        pub fn sort_unstable_by<F: FnMut(&T, &T) -> Ordering>(&mut self, compare: F) {}
        /// Looks a value up in a sorted slice.
        pub fn binary_search(&self, x: &T) -> Result<usize, usize> {}
        /// Whether a value occurs.
        pub fn contains(&self, x: &T) -> bool {}
        /// Whether it begins so.
        pub fn starts_with(&self, needle: &[T]) -> bool {}
        /// Whether it ends so.
        pub fn ends_with(&self, needle: &[T]) -> bool {}
        /// A `Vec` of copies.
        pub fn to_vec(&self) -> Vec<T> {}
        /// Turned into a `Vec`.
        pub fn into_vec(self: Box<Self>) -> Vec<T> {}
        /// One after the other: vectors to one vector, texts to one text.
        #[taken_for = "Vec<_>"] pub fn concat<Item>(&self) -> <Self as Concat<Item>>::Output {}
        /// One after the other with a separator between: `words.join(", ")`.
        #[taken_for = "String"] pub fn join<Separator>(&self, sep: Separator) -> <Self as Join<Separator>>::Output {}
        /// Sets every value.
        pub fn fill(&mut self, value: T) {}
        /// Copies another slice over this one.
        pub fn copy_from_slice(&mut self, src: &[T]) {}
        /// Clones another slice over this one.
        pub fn clone_from_slice(&mut self, src: &[T]) {}
        /// Moves the first values to the end.
        pub fn rotate_left(&mut self, mid: usize) {}
        /// Moves the last values to the start.
        pub fn rotate_right(&mut self, k: usize) {}
        /// The values many times.
        pub fn repeat(&self, n: usize) -> Vec<T> {}
        /// The address of the first value.
        pub fn as_ptr(&self) -> *const T {}
    }
    impl<T> ToOwned for [T] { type Owned = Vec<T>; }
    impl<'a, T> IntoIterator for &'a [T] { type Item = &'a T; type IntoIter = Iter<'a, T>; }
    impl<'a, T> IntoIterator for &'a mut [T] { type Item = &'a mut T; type IntoIter = IterMut<'a, T>; }

    /// Values side by side, as many as its type says: `[T; N]`.
    #[primitive] #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)] pub struct array<T>;
    impl<T> array<T> {
        /// Another array of what a closure gives for each value.
        #[taken_for = "[U; 1]"] pub fn map<F: FnMut(T) -> U, U>(self, f: F) -> [U; N] {}
        /// As a slice.
        pub fn as_slice(&self) -> &[T] {}
    }
    impl<T> IntoIterator for [T; 1] { type Item = T; type IntoIter = crate::vec::IntoIter<T>; }
    impl<'a, T> IntoIterator for &'a [T; 1] { type Item = &'a T; type IntoIter = Iter<'a, T>; }
    impl<'a, T> IntoIterator for &'a mut [T; 1] { type Item = &'a mut T; type IntoIter = IterMut<'a, T>; }
}

pub mod option {
    //! Values that may be missing.
    use crate::{result::Result, ops::*, iter::Iterator};
    /// A value, or none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Option<T> {
        /// No value.
        None,
        /// A value.
        Some(T),
    }
    impl<T> Default for Option<T> {}
    impl<T> Option<T> {
        /// Whether there is a value.
        pub fn is_some(&self) -> bool {}
        /// Whether there is a value for which a closure holds.
        pub fn is_some_and(self, f: impl FnOnce(T) -> bool) -> bool {}
        /// Whether there is none.
        pub fn is_none(&self) -> bool {}
        /// Whether there is none, or one for which a closure holds.
        pub fn is_none_or(self, f: impl FnOnce(T) -> bool) -> bool {}
        /// The value; panics with this message if there is none.
        pub fn expect(self, msg: &str) -> T {}
        /// The value; panics if there is none.
        pub fn unwrap(self) -> T {}
        /// The value, or another.
        pub fn unwrap_or(self, default: T) -> T {}
        /// The value, or what a closure gives.
        pub fn unwrap_or_else<F: FnOnce() -> T>(self, f: F) -> T {}
        /// The value, or its type's default.
        pub fn unwrap_or_default(self) -> T {}
        /// What a closure makes of the value, if there is one.
        pub fn map<U, F: FnOnce(T) -> U>(self, f: F) -> Option<U> {}
        /// What a closure makes of the value, or another value.
        pub fn map_or<U, F: FnOnce(T) -> U>(self, default: U, f: F) -> U {}
        /// What a closure makes of the value, or what another gives.
        pub fn map_or_else<U, D: FnOnce() -> U, F: FnOnce(T) -> U>(self, default: D, f: F) -> U {}
        /// Shows the value to a closure.
        pub fn inspect<F: FnOnce(&T)>(self, f: F) -> Self {}
        /// A `Result`, with an error for none.
        pub fn ok_or<E>(self, err: E) -> Result<T, E> {}
        /// A `Result`, with the error that a closure gives.
        pub fn ok_or_else<E, F: FnOnce() -> E>(self, err: F) -> Result<T, E> {}
        /// The other option if this has a value.
        pub fn and<U>(self, optb: Option<U>) -> Option<U> {}
        /// What a closure gives for the value, which may be none.
        pub fn and_then<U, F: FnOnce(T) -> Option<U>>(self, f: F) -> Option<U> {}
        /// The value, if a closure holds for it.
        pub fn filter<P: FnOnce(&T) -> bool>(self, predicate: P) -> Self {}
        /// This, or the other if there is none.
        pub fn or(self, optb: Option<T>) -> Option<T> {}
        /// This, or what a closure gives if there is none.
        pub fn or_else<F: FnOnce() -> Option<T>>(self, f: F) -> Option<T> {}
        /// An option of a reference to the value.
        pub fn as_ref(&self) -> Option<&T> {}
        /// An option of a reference through which the value can be changed.
        pub fn as_mut(&mut self) -> Option<&mut T> {}
        /// An option of what the value dereferences to: `Option<String>` to `Option<&str>`.
        #[taken_for = "Option<&T::Target>"] pub fn as_deref(&self) -> Option<&T::Target> {}
        /// Takes the value out, and leaves none.
        pub fn take(&mut self) -> Option<T> {}
        /// Puts a value in, and gives the old one.
        pub fn replace(&mut self, value: T) -> Option<T> {}
        /// The value, put in first if there is none.
        pub fn get_or_insert_with<F: FnOnce() -> T>(&mut self, f: F) -> &mut T {}
        /// An iterator of none or one.
        #[taken_for = "impl Iterator<Item = &T>"] pub fn iter(&self) -> Iter<'_, T> {}
        /// Both values, if both are there.
        pub fn zip<U>(self, other: Option<U>) -> Option<(T, U)> {}
    }
    impl<T> Option<&T> {
        /// An option of the value's copy.
        pub fn copied(self) -> Option<T> {}
        /// An option of the value's clone.
        pub fn cloned(self) -> Option<T> {}
    }
    impl<T> Option<Option<T>> {
        /// One option of two.
        pub fn flatten(self) -> Option<T> {}
    }
    impl<T> crate::iter::IntoIterator for Option<T> { type Item = T; type IntoIter = crate::vec::IntoIter<T>; }
}

pub mod result {
    //! Values, or errors.
    use crate::{option::Option, ops::*, iter::Iterator};
    /// A value, or an error.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Result<T, E> {
        /// A value.
        Ok(T),
        /// An error.
        Err(E),
    }
    impl<T, E> Result<T, E> {
        /// Whether it is a value.
        pub fn is_ok(&self) -> bool {}
        /// Whether it is a value for which a closure holds.
        pub fn is_ok_and(self, f: impl FnOnce(T) -> bool) -> bool {}
        /// Whether it is an error.
        pub fn is_err(&self) -> bool {}
        /// The value, as an option.
        pub fn ok(self) -> Option<T> {}
        /// The error, as an option.
        pub fn err(self) -> Option<E> {}
        /// What a closure makes of the value.
        pub fn map<U, F: FnOnce(T) -> U>(self, op: F) -> Result<U, E> {}
        /// What a closure makes of the error.
        pub fn map_err<F, O: FnOnce(E) -> F>(self, op: O) -> Result<T, F> {}
        /// What a closure makes of the value, or another value.
        pub fn map_or<U, F: FnOnce(T) -> U>(self, default: U, f: F) -> U {}
        /// What one closure makes of the error, or another of the value.
        pub fn map_or_else<U, D: FnOnce(E) -> U, F: FnOnce(T) -> U>(self, default: D, f: F) -> U {}
        /// What a closure gives for the value, which may be an error.
        pub fn and_then<U, F: FnOnce(T) -> Result<U, E>>(self, op: F) -> Result<U, E> {}
        /// This, or what a closure gives for the error.
        pub fn or_else<F, O: FnOnce(E) -> Result<T, F>>(self, op: O) -> Result<T, F> {}
        /// The value; panics if it is an error.
        pub fn unwrap(self) -> T {}
        /// The value; panics with this message if it is an error.
        pub fn expect(self, msg: &str) -> T {}
        /// The error; panics if it is a value.
        pub fn unwrap_err(self) -> E {}
        /// The value, or another.
        pub fn unwrap_or(self, default: T) -> T {}
        /// The value, or what a closure makes of the error.
        pub fn unwrap_or_else<F: FnOnce(E) -> T>(self, op: F) -> T {}
        /// The value, or its type's default.
        pub fn unwrap_or_default(self) -> T {}
        /// A result of references.
        pub fn as_ref(&self) -> Result<&T, &E> {}
        /// A result of references through which the value can be changed.
        pub fn as_mut(&mut self) -> Result<&mut T, &mut E> {}
        /// Shows the value to a closure.
        pub fn inspect<F: FnOnce(&T)>(self, f: F) -> Self {}
        /// An iterator of none or one.
        #[taken_for = "impl Iterator<Item = &T>"] pub fn iter(&self) -> Iter<'_, T> {}
    }
    impl<T, E> crate::iter::IntoIterator for Result<T, E> { type Item = T; type IntoIter = crate::vec::IntoIter<T>; }
}

pub mod string {
    //! Text that owns its characters.
    use crate::{option::Option, result::Result, vec::Vec, boxed::Box, str::*, borrow::Cow, iter::*, ops::*, fmt::Display, convert::From};
    /// Text that can grow.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Display)]
    pub struct String { vec: Vec<u8> }
    impl String {
        /// An empty text.
        pub fn new() -> String {}
        /// An empty text with room for this many bytes.
        pub fn with_capacity(capacity: usize) -> String {}
        /// The text of these bytes, if they are UTF-8.
        pub fn from_utf8(vec: Vec<u8>) -> Result<String, FromUtf8Error> {}
        /// The text of these bytes, with a mark where they aren't UTF-8.
        pub fn from_utf8_lossy(v: &[u8]) -> Cow<'_, str> {}
        /// Appends a text.
        pub fn push_str(&mut self, string: &str) {}
        /// Appends a character.
        pub fn push(&mut self, ch: char) {}
        /// Takes the last character away.
        pub fn pop(&mut self) -> Option<char> {}
        /// Puts a character in at a byte.
        pub fn insert(&mut self, idx: usize, ch: char) {}
        /// Puts a text in at a byte.
        pub fn insert_str(&mut self, idx: usize, string: &str) {}
        /// Takes the character at a byte away.
        pub fn remove(&mut self, idx: usize) -> char {}
        /// Keeps characters for which a closure holds.
        pub fn retain<F: FnMut(char) -> bool>(&mut self, f: F) {}
        /// Cuts it at a byte.
        pub fn truncate(&mut self, new_len: usize) {}
        /// Empties it.
        pub fn clear(&mut self) {}
        /// As a `&str`.
        pub fn as_str(&self) -> &str {}
        /// Its bytes, owned.
        pub fn into_bytes(self) -> Vec<u8> {}
        /// For how many bytes it has room.
        pub fn capacity(&self) -> usize {}
        /// How many bytes it has.
        pub fn len(&self) -> usize {}
        /// Whether it has no character.
        pub fn is_empty(&self) -> bool {}
        /// Takes a part away, and gives its characters.
        #[taken_for = "impl Iterator<Item = char>"] pub fn drain<R: RangeBounds<usize>>(&mut self, range: R) -> Drain<'_> {}
    }
    impl Deref for String { type Target = str; }
    impl From<&str> for String {}
    impl From<char> for String {}
    impl FromIterator<char> for String {}
    impl Extend<char> for String {}
    impl Add<&str> for String { type Output = String; }
    impl FromStr for String { type Err = crate::convert::Infallible; }
    /// The error of bytes that aren't UTF-8.
    #[derive(Clone, Debug, PartialEq, Eq, Display)] pub struct FromUtf8Error {}
    /// Turning values into text.
    pub trait ToString {
        /// Its text, as `{}` shows it.
        fn to_string(&self) -> String;
    }
    impl<T: Display> ToString for T {}
}

pub mod str {
    //! Texts and their parts.
    use crate::{result::Result, iter::*, option::Option};
    /// Reading a value from text.
    pub trait FromStr {
        /// The error if it can't be read.
        type Err;
        /// Reads it.
        fn from_str(s: &str) -> Result<Self, Self::Err>;
    }
    /// The text of bytes, if they are UTF-8.
    pub fn from_utf8(v: &[u8]) -> Result<&str, Utf8Error> {}
    /// The error of bytes that aren't UTF-8.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Display)] pub struct Utf8Error {}
}

pub mod vec {
    //! Values side by side, as many as one likes.
    use crate::{option::Option, boxed::Box, iter::*, ops::*, cmp::*, convert::From};
    /// Values side by side, whose number can change.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct Vec<T> { buf: usize }
    impl<T> Vec<T> {
        /// An empty one.
        pub fn new() -> Vec<T> {}
        /// An empty one with room for this many values.
        pub fn with_capacity(capacity: usize) -> Vec<T> {}
        /// For how many values it has room.
        pub fn capacity(&self) -> usize {}
        /// Makes room for more values.
        pub fn reserve(&mut self, additional: usize) {}
        /// Appends a value.
        pub fn push(&mut self, value: T) {}
        /// Takes the last value away.
        pub fn pop(&mut self) -> Option<T> {}
        /// Puts a value in at a place.
        pub fn insert(&mut self, index: usize, element: T) {}
        /// Takes the value at a place away; those behind it move up.
        pub fn remove(&mut self, index: usize) -> T {}
        /// Takes the value at a place away; the last one takes its place.
        pub fn swap_remove(&mut self, index: usize) -> T {}
        /// Keeps values for which a closure holds.
        pub fn retain<F: FnMut(&T) -> bool>(&mut self, f: F) {}
        /// Takes repeated neighbours away.
        pub fn dedup(&mut self) {}
        /// Takes neighbours with equal keys away.
        pub fn dedup_by_key<F: FnMut(&mut T) -> K, K: PartialEq>(&mut self, key: F) {}
        /// Moves all values of another to its end.
        pub fn append(&mut self, other: &mut Self) {}
        /// Appends clones of a slice's values.
        pub fn extend_from_slice(&mut self, other: &[T]) {}
        /// Empties it.
        pub fn clear(&mut self) {}
        /// Cuts it to a length.
        pub fn truncate(&mut self, len: usize) {}
        /// Cuts or fills it to a length.
        pub fn resize(&mut self, new_len: usize, value: T) {}
        /// Cuts it in two, and gives the second part.
        pub fn split_off(&mut self, at: usize) -> Self {}
        /// Takes a range away, and gives its values.
        #[taken_for = "impl DoubleEndedIterator<Item = T>"] pub fn drain<R: RangeBounds<usize>>(&mut self, range: R) -> Drain<'_, T> {}
        /// How many values it has.
        pub fn len(&self) -> usize {}
        /// Whether it has none.
        pub fn is_empty(&self) -> bool {}
        /// As a slice.
        pub fn as_slice(&self) -> &[T] {}
        /// As a slice whose values can be changed.
        pub fn as_mut_slice(&mut self) -> &mut [T] {}
        /// Turned into a boxed slice.
        pub fn into_boxed_slice(self) -> Box<[T]> {}
    }
    impl<T> Deref for Vec<T> { type Target = [T]; }
    impl<T> From<&[T]> for Vec<T> {}
    impl<T> Extend<T> for Vec<T> {}
    impl<T> FromIterator<T> for Vec<T> {}
    impl<T> IntoIterator for Vec<T> { type Item = T; type IntoIter = IntoIter<T>; }
    impl<'a, T> IntoIterator for &'a Vec<T> { type Item = &'a T; type IntoIter = crate::slice::Iter<'a, T>; }
    impl<'a, T> IntoIterator for &'a mut Vec<T> { type Item = &'a mut T; type IntoIter = crate::slice::IterMut<'a, T>; }
    /// Iterates over the values of a `Vec`, which it uses up.
    #[derive(Clone, Debug)] pub struct IntoIter<T> { buf: usize }
    impl<T> Iterator for IntoIter<T> { type Item = T; }
    impl<T> DoubleEndedIterator for IntoIter<T> {}
    impl<T> ExactSizeIterator for IntoIter<T> {}
}

pub mod slice {
    //! Values side by side.
    use crate::iter::*;
    /// Iterates over references to the values of a slice.
    #[derive(Clone, Debug)] pub struct Iter<'a, T> { ptr: usize }
    impl<'a, T> Iterator for Iter<'a, T> { type Item = &'a T; }
    impl<'a, T> DoubleEndedIterator for Iter<'a, T> {}
    impl<'a, T> ExactSizeIterator for Iter<'a, T> {}
    /// Iterates over the values of a slice, which can be changed.
    #[derive(Debug)] pub struct IterMut<'a, T> { ptr: usize }
    impl<'a, T> Iterator for IterMut<'a, T> { type Item = &'a mut T; }
    impl<'a, T> DoubleEndedIterator for IterMut<'a, T> {}
    impl<'a, T> ExactSizeIterator for IterMut<'a, T> {}
    /// What a slice can be indexed by.
    pub trait SliceIndex<T> { type Output; }
}

pub mod iter {
    //! Values one after the other.
    use crate::{option::Option, result::Result, vec::Vec, ops::*, cmp::*, string::String};
    /// Gives values one after the other.
    pub trait Iterator {
        /// The type of the values.
        type Item;
        /// The next value, or `None` at the end.
        fn next(&mut self) -> Option<Self::Item>;
        /// How many values are left: at least, and at most.
        fn size_hint(&self) -> (usize, Option<usize>) {}
        /// How many values there are; uses it up.
        fn count(self) -> usize {}
        /// The last value.
        fn last(self) -> Option<Self::Item> {}
        /// The value so many places on.
        fn nth(&mut self, n: usize) -> Option<Self::Item> {}
        /// Every so many values.
        #[taken_for = "impl Iterator<Item = Self::Item>"] fn step_by(self, step: usize) -> StepBy<Self> {}
        /// These values, then the other's.
        #[taken_for = "impl DoubleEndedIterator<Item = Self::Item>"] fn chain<U: IntoIterator<Item = Self::Item>>(self, other: U) -> Chain<Self, U::IntoIter> {}
        /// Pairs of these values and the other's.
        #[taken_for = "impl DoubleEndedIterator<Item = (Self::Item, U::Item)>"] fn zip<U: IntoIterator>(self, other: U) -> Zip<Self, U::IntoIter> {}
        /// What a closure makes of each value.
        #[taken_for = "impl DoubleEndedIterator<Item = B>"] fn map<B, F: FnMut(Self::Item) -> B>(self, f: F) -> Map<Self, F> {}
        /// Calls a closure with each value.
        fn for_each<F: FnMut(Self::Item)>(self, f: F) {}
        /// The values for which a closure holds.
        #[taken_for = "impl DoubleEndedIterator<Item = Self::Item>"] fn filter<P: FnMut(&Self::Item) -> bool>(self, predicate: P) -> Filter<Self, P> {}
        /// What a closure makes of values, where it gives something.
        #[taken_for = "impl DoubleEndedIterator<Item = B>"] fn filter_map<B, F: FnMut(Self::Item) -> Option<B>>(self, f: F) -> FilterMap<Self, F> {}
        /// Each value with its number, from 0.
        #[taken_for = "impl DoubleEndedIterator<Item = (usize, Self::Item)>"] fn enumerate(self) -> Enumerate<Self> {}
        /// Lets one look at the next value without taking it.
        #[taken_for = "Peekable<Self>"] fn peekable(self) -> Peekable<Self> {}
        /// The values from the first on for which a closure doesn't hold.
        #[taken_for = "impl Iterator<Item = Self::Item>"] fn skip_while<P: FnMut(&Self::Item) -> bool>(self, predicate: P) -> SkipWhile<Self, P> {}
        /// The values as long as a closure holds.
        #[taken_for = "impl Iterator<Item = Self::Item>"] fn take_while<P: FnMut(&Self::Item) -> bool>(self, predicate: P) -> TakeWhile<Self, P> {}
        /// What a closure makes of values, as long as it gives something.
        #[taken_for = "impl Iterator<Item = B>"] fn map_while<B, P: FnMut(Self::Item) -> Option<B>>(self, predicate: P) -> MapWhile<Self, P> {}
        /// Without the first values.
        #[taken_for = "impl DoubleEndedIterator<Item = Self::Item>"] fn skip(self, n: usize) -> Skip<Self> {}
        /// The first values only.
        #[taken_for = "impl DoubleEndedIterator<Item = Self::Item>"] fn take(self, n: usize) -> Take<Self> {}
        /// What a closure makes of each value and a state.
        #[taken_for = "impl Iterator<Item = B>"] fn scan<St, B, F: FnMut(&mut St, Self::Item) -> Option<B>>(self, initial_state: St, f: F) -> Scan<Self, St, F> {}
        /// The values of all that a closure makes of each value.
        #[taken_for = "impl Iterator<Item = U::Item>"] fn flat_map<U: IntoIterator, F: FnMut(Self::Item) -> U>(self, f: F) -> FlatMap<Self, U, F> {}
        /// The values of all the values.
        #[taken_for = "impl Iterator<Item = <Self::Item as IntoIterator>::Item>"] fn flatten(self) -> Flatten<Self> {}
        /// Shows each value to a closure.
        #[taken_for = "impl DoubleEndedIterator<Item = Self::Item>"] fn inspect<F: FnMut(&Self::Item)>(self, f: F) -> Inspect<Self, F> {}
        /// Lends the iterator, so that it can be used afterwards.
        fn by_ref(&mut self) -> &mut Self {}
        /// Makes a collection: `let v: Vec<_> = it.collect();`.
        fn collect<B: FromIterator<Self::Item>>(self) -> B {}
        /// Two collections: of values for which a closure holds, and of the others.
        fn partition<B: Default + Extend<Self::Item>, F: FnMut(&Self::Item) -> bool>(self, f: F) -> (B, B) {}
        /// One value of all: a closure is called with what it gave before and the next value.
        fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, f: F) -> B {}
        /// `fold` that ends at the first error or none.
        fn try_fold<B, F: FnMut(B, Self::Item) -> R, R: Try<Output = B>>(&mut self, init: B, f: F) -> R {}
        /// `fold` that begins with the first value.
        fn reduce<F: FnMut(Self::Item, Self::Item) -> Self::Item>(self, f: F) -> Option<Self::Item> {}
        /// Whether a closure holds for all values.
        fn all<F: FnMut(Self::Item) -> bool>(&mut self, f: F) -> bool {}
        /// Whether a closure holds for one value at least.
        fn any<F: FnMut(Self::Item) -> bool>(&mut self, f: F) -> bool {}
        /// The first value for which a closure holds.
        fn find<P: FnMut(&Self::Item) -> bool>(&mut self, predicate: P) -> Option<Self::Item> {}
        /// The first thing that a closure makes of a value.
        fn find_map<B, F: FnMut(Self::Item) -> Option<B>>(&mut self, f: F) -> Option<B> {}
        /// The number of the first value for which a closure holds.
        fn position<P: FnMut(Self::Item) -> bool>(&mut self, predicate: P) -> Option<usize> {}
        /// The largest value; floats have no such order, so `max_by(f64::total_cmp)` for them.
        fn max(self) -> Option<Self::Item> {}
        /// The smallest value.
        fn min(self) -> Option<Self::Item> {}
        /// The value with the largest key.
        fn max_by_key<B: Ord, F: FnMut(&Self::Item) -> B>(self, f: F) -> Option<Self::Item> {}
        /// The largest value by a comparison.
        fn max_by<F: FnMut(&Self::Item, &Self::Item) -> Ordering>(self, compare: F) -> Option<Self::Item> {}
        /// The value with the smallest key.
        fn min_by_key<B: Ord, F: FnMut(&Self::Item) -> B>(self, f: F) -> Option<Self::Item> {}
        /// The smallest value by a comparison.
        fn min_by<F: FnMut(&Self::Item, &Self::Item) -> Ordering>(self, compare: F) -> Option<Self::Item> {}
        /// From the last value to the first.
        #[taken_for = "impl DoubleEndedIterator<Item = Self::Item>"] fn rev(self) -> Rev<Self> {}
        /// Two collections of pairs' parts.
        fn unzip<A, B, FromA: Default + Extend<A>, FromB: Default + Extend<B>>(self) -> (FromA, FromB) {}
        /// Copies of values behind references.
        #[taken_for = "impl DoubleEndedIterator<Item = <Self::Item as Deref>::Target>"] fn copied<T>(self) -> Copied<Self> {}
        /// Clones of values behind references.
        #[taken_for = "impl DoubleEndedIterator<Item = <Self::Item as Deref>::Target>"] fn cloned<T>(self) -> Cloned<Self> {}
        /// The values again and again.
        #[taken_for = "impl Iterator<Item = Self::Item>"] fn cycle(self) -> Cycle<Self> {}
        /// The sum: `it.sum::<f64>()`.
        fn sum<S: Sum<Self::Item>>(self) -> S {}
        /// The product: `it.product::<f64>()`.
        fn product<P: Product<Self::Item>>(self) -> P {}
        /// Compares value by value.
        fn cmp<I: IntoIterator<Item = Self::Item>>(self, other: I) -> Ordering {}
        /// Whether both give equal values.
        fn eq<I: IntoIterator>(self, other: I) -> bool {}
    }
    /// An iterator that can also go from the end.
    pub trait DoubleEndedIterator: Iterator {
        /// The last value that is left.
        fn next_back(&mut self) -> Option<Self::Item>;
        /// `fold` from the end.
        fn rfold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, f: F) -> B {}
        /// The last value for which a closure holds.
        fn rfind<P: FnMut(&Self::Item) -> bool>(&mut self, predicate: P) -> Option<Self::Item> {}
    }
    /// An iterator that knows how many values it has.
    pub trait ExactSizeIterator: Iterator {
        /// How many values are left.
        fn len(&self) -> usize {}
    }
    /// What a `for` loop can go over.
    pub trait IntoIterator {
        /// The type of the values.
        type Item;
        /// The iterator.
        type IntoIter: Iterator<Item = Self::Item>;
        /// Makes an iterator of it.
        #[taken_for = "impl DoubleEndedIterator<Item = Self::Item>"] fn into_iter(self) -> Self::IntoIter;
    }
    /// What `collect` can make.
    pub trait FromIterator<A> {
        /// Makes it of an iterator's values.
        fn from_iter<T: IntoIterator<Item = A>>(iter: T) -> Self;
    }
    /// What values can be added to.
    pub trait Extend<A> {
        /// Adds all values of an iterator.
        fn extend<T: IntoIterator<Item = A>>(&mut self, iter: T);
    }
    /// What can be summed up.
    pub trait Sum<A> {}
    /// What can be multiplied.
    pub trait Product<A> {}
    /// An iterator whose next value can be looked at.
    #[derive(Clone, Debug)] pub struct Peekable<I> { iter: I }
    impl<I: Iterator> Peekable<I> {
        /// The next value, which is not taken.
        #[taken_for = "Option<&<I as Iterator>::Item>"] pub fn peek(&mut self) -> Option<&I::Item> {}
        /// The next value, if a closure holds for it.
        #[taken_for = "Option<<I as Iterator>::Item>"] pub fn next_if(&mut self, func: impl FnOnce(&I::Item) -> bool) -> Option<I::Item> {}
    }
    impl<I: Iterator> Iterator for Peekable<I> { type Item = I::Item; }
    /// One value.
    #[taken_for = "impl DoubleEndedIterator<Item = T>"] pub fn once<T>(value: T) -> Once<T> {}
    /// One value again and again.
    #[taken_for = "impl Iterator<Item = T>"] pub fn repeat<T>(elt: T) -> Repeat<T> {}
    /// What a closure gives, again and again.
    #[taken_for = "impl Iterator<Item = A>"] pub fn repeat_with<A, F: FnMut() -> A>(repeater: F) -> RepeatWith<F> {}
    /// No value.
    #[taken_for = "impl DoubleEndedIterator<Item = T>"] pub fn empty<T>() -> Empty<T> {}
    /// Values by a closure, until it gives `None`.
    #[taken_for = "impl Iterator<Item = T>"] pub fn from_fn<T, F: FnMut() -> Option<T>>(f: F) -> FromFn<F> {}
    /// Each value made of the one before.
    #[taken_for = "impl Iterator<Item = T>"] pub fn successors<T, F: FnMut(&T) -> Option<T>>(first: Option<T>, succ: F) -> Successors<T, F> {}
    /// Pairs of two iterators' values.
    #[taken_for = "impl DoubleEndedIterator<Item = (A::Item, B::Item)>"] pub fn zip<A: IntoIterator, B: IntoIterator>(a: A, b: B) -> Zip<A::IntoIter, B::IntoIter> {}
    impl<I: Iterator> Iterator for &mut I { type Item = I::Item; }
    impl<I: Iterator> IntoIterator for I { type Item = I::Item; type IntoIter = I; }
}

pub mod ops {
    //! Operators.
    use crate::{iter::*, option::Option};
    /// A value that can be called again and again.
    pub trait Fn<Args>: FnMut<Args> {}
    /// A value that can be called again and again, and may change what it holds.
    pub trait FnMut<Args>: FnOnce<Args> {}
    /// A value that can be called once.
    pub trait FnOnce<Args> { type Output; }
    /// What is done when a value goes out of scope.
    pub trait Drop { /** Is called then. */ fn drop(&mut self); }
    /// The operator `*`, and methods behind it.
    pub trait Deref { type Target; /** What it leads to. */ fn deref(&self) -> &Self::Target; }
    impl<T> Deref for &T { type Target = T; }
    /// `*` through which values can be changed.
    pub trait DerefMut: Deref { /** What it leads to. */ fn deref_mut(&mut self) -> &mut Self::Target; }
    /// `a[i]`.
    pub trait Index<Idx> { type Output; /** The value there. */ fn index(&self, index: Idx) -> &Self::Output; }
    /// `a[i] = b`.
    pub trait IndexMut<Idx>: Index<Idx> { /** The value there. */ fn index_mut(&mut self, index: Idx) -> &mut Self::Output; }
    /// `a + b`.
    pub trait Add<Rhs = Self> { type Output; /** The sum. */ fn add(self, rhs: Rhs) -> Self::Output; }
    /// `a - b`.
    pub trait Sub<Rhs = Self> { type Output; /** The difference. */ fn sub(self, rhs: Rhs) -> Self::Output; }
    /// `a * b`.
    pub trait Mul<Rhs = Self> { type Output; /** The product. */ fn mul(self, rhs: Rhs) -> Self::Output; }
    /// `a / b`.
    pub trait Div<Rhs = Self> { type Output; /** The quotient. */ fn div(self, rhs: Rhs) -> Self::Output; }
    /// `a % b`.
    pub trait Rem<Rhs = Self> { type Output; /** The remainder. */ fn rem(self, rhs: Rhs) -> Self::Output; }
    /// `-a`.
    pub trait Neg { type Output; /** Its negative. */ fn neg(self) -> Self::Output; }
    /// `!a`.
    pub trait Not { type Output; /** Its opposite. */ fn not(self) -> Self::Output; }
    /// `a & b`.
    pub trait BitAnd<Rhs = Self> { type Output; /** Both. */ fn bitand(self, rhs: Rhs) -> Self::Output; }
    /// `a | b`.
    pub trait BitOr<Rhs = Self> { type Output; /** Either. */ fn bitor(self, rhs: Rhs) -> Self::Output; }
    /// `a ^ b`.
    pub trait BitXor<Rhs = Self> { type Output; /** One of both. */ fn bitxor(self, rhs: Rhs) -> Self::Output; }
    /// `a << b`.
    pub trait Shl<Rhs = Self> { type Output; /** Moved up. */ fn shl(self, rhs: Rhs) -> Self::Output; }
    /// `a >> b`.
    pub trait Shr<Rhs = Self> { type Output; /** Moved down. */ fn shr(self, rhs: Rhs) -> Self::Output; }
    /// `a += b`.
    pub trait AddAssign<Rhs = Self> { /** Adds. */ fn add_assign(&mut self, rhs: Rhs); }
    /// `a -= b`.
    pub trait SubAssign<Rhs = Self> { /** Subtracts. */ fn sub_assign(&mut self, rhs: Rhs); }
    /// `a *= b`.
    pub trait MulAssign<Rhs = Self> { /** Multiplies. */ fn mul_assign(&mut self, rhs: Rhs); }
    /// `a /= b`.
    pub trait DivAssign<Rhs = Self> { /** Divides. */ fn div_assign(&mut self, rhs: Rhs); }
    /// What `a..b` and its like have in common.
    pub trait RangeBounds<T> {}
    /// What `?` can be used on.
    pub trait Try { type Output; }
    /// Numbers from a start to before an end: `0..10`.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Default)] pub struct Range<Idx> { /** The first. */ pub start: Idx, /** Behind the last. */ pub end: Idx }
    impl<Idx> Range<Idx> {
        /// Whether a value lies in it.
        pub fn contains(&self, item: &Idx) -> bool {}
        /// Whether nothing lies in it.
        pub fn is_empty(&self) -> bool {}
    }
    impl<A> Iterator for Range<A> { type Item = A; }
    impl<A> DoubleEndedIterator for Range<A> {}
    impl<A> ExactSizeIterator for Range<A> {}
    /// Numbers from a start to an end: `1..=10`.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)] pub struct RangeInclusive<Idx> { start: Idx }
    impl<Idx> RangeInclusive<Idx> {
        /// The first.
        pub fn start(&self) -> &Idx {}
        /// The last.
        pub fn end(&self) -> &Idx {}
        /// Whether a value lies in it.
        pub fn contains(&self, item: &Idx) -> bool {}
    }
    impl<A> Iterator for RangeInclusive<A> { type Item = A; }
    impl<A> DoubleEndedIterator for RangeInclusive<A> {}
    /// Numbers from a start on: `1..`.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)] pub struct RangeFrom<Idx> { /** The first. */ pub start: Idx }
    impl<A> Iterator for RangeFrom<A> { type Item = A; }
    /// Whether to go on.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)] pub enum ControlFlow<B, C = ()> { /** Go on. */ Continue(C), /** Stop. */ Break(B) }
}

pub mod clone {
    //! Copies that are asked for.
    /// Values of which another can be made.
    pub trait Clone {
        /// Another one like it.
        fn clone(&self) -> Self;
        /// Becomes like another.
        fn clone_from(&mut self, source: &Self) {}
    }
    impl<T> Clone for &T {}
}
pub mod marker {
    //! Properties of types.
    /// Values that are copied instead of moved.
    pub trait Copy: crate::clone::Clone {}
    /// Values that another thread may have.
    pub trait Send {}
    /// Values that threads may share.
    pub trait Sync {}
    /// Values whose size is known when the code is compiled.
    pub trait Sized {}
    /// Values that may be moved although they are pinned.
    pub trait Unpin {}
    /// Acts as if it held a `T`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)] pub struct PhantomData<T>;
}
pub mod default {
    //! Values to begin with.
    /// Types with a value to begin with.
    pub trait Default {
        /// That value: `..Default::default()` fills the other fields of a struct.
        fn default() -> Self;
    }
}
pub mod borrow {
    //! Borrowed and owned.
    use crate::{string::String, ops::Deref, clone::Clone};
    /// Borrowed values of which an owned one can be made.
    pub trait ToOwned {
        /// The owned type.
        type Owned;
        /// An owned one: `"text".to_owned()`.
        fn to_owned(&self) -> Self::Owned;
    }
    /// Types that lend another.
    pub trait Borrow<Borrowed> { /** Lends it. */ fn borrow(&self) -> &Borrowed; }
    /// Borrowed or owned.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display)] pub enum Cow<'a, B> { /** Borrowed. */ Borrowed(&'a B), /** Owned. */ Owned(B) }
    impl<'a, B> Deref for Cow<'a, B> { type Target = B; }
    impl<'a> Cow<'a, str> {
        /// Owned in any case.
        pub fn into_owned(self) -> String {}
    }
}
pub mod convert {
    //! From one type to another.
    use crate::result::Result;
    /// Made of another type.
    pub trait From<T> { /** Makes it. */ fn from(value: T) -> Self; }
    /// Turned into another type.
    pub trait Into<T> { /** Turns it. */ fn into(self) -> T; }
    /// Made of another type, which may fail.
    pub trait TryFrom<T> { type Error; /** Makes it. */ fn try_from(value: T) -> Result<Self, Self::Error>; }
    /// Turned into another type, which may fail.
    pub trait TryInto<T> { type Error; /** Turns it. */ fn try_into(self) -> Result<T, Self::Error>; }
    /// Lends another type.
    pub trait AsRef<T> { /** Lends it. */ fn as_ref(&self) -> &T; }
    /// Lends another type, to be changed.
    pub trait AsMut<T> { /** Lends it. */ fn as_mut(&mut self) -> &mut T; }
    impl<T, U> Into<U> for T {}
    impl<T, U> TryInto<U> for T {}
    /// An error that never happens.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Display)] pub enum Infallible {}
}
pub mod cmp {
    //! Comparing.
    use crate::option::Option;
    /// Values that can be equal.
    pub trait PartialEq<Rhs = Self> { /** `==`. */ fn eq(&self, other: &Rhs) -> bool; /** `!=`. */ fn ne(&self, other: &Rhs) -> bool {} }
    /// Values each of which equals itself.
    pub trait Eq: PartialEq {}
    /// Values some of which have an order.
    pub trait PartialOrd<Rhs = Self> { /** The order, if there is one. */ fn partial_cmp(&self, other: &Rhs) -> Option<Ordering>; }
    /// Values all of which have an order.
    pub trait Ord: Eq + PartialOrd {
        /// The order.
        fn cmp(&self, other: &Self) -> Ordering;
        /// The larger.
        fn max(self, other: Self) -> Self {}
        /// The smaller.
        fn min(self, other: Self) -> Self {}
        /// Held between two values.
        fn clamp(self, min: Self, max: Self) -> Self {}
    }
    /// What a comparison gives.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)] pub enum Ordering { /** Less. */ Less, /** Equal. */ Equal, /** Greater. */ Greater }
    impl Ordering {
        /// The opposite.
        pub fn reverse(self) -> Ordering {}
        /// This, or the other if equal.
        pub fn then(self, other: Ordering) -> Ordering {}
        /// This, or what a closure gives if equal.
        pub fn then_with<F: FnOnce() -> Ordering>(self, f: F) -> Ordering {}
        /// Whether it is `Equal`.
        pub fn is_eq(self) -> bool {}
    }
    /// Turns the order of its value around.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)] pub struct Reverse<T>(pub T);
    /// The smaller of two.
    pub fn min<T: Ord>(v1: T, v2: T) -> T {}
    /// The larger of two.
    pub fn max<T: Ord>(v1: T, v2: T) -> T {}
}
pub mod hash {
    //! Hashing.
    /// Values that can be hashed.
    pub trait Hash { /** Puts it into a hasher. */ fn hash<H: Hasher>(&self, state: &mut H); }
    /// Makes a number of bytes.
    pub trait Hasher { /** The number so far. */ fn finish(&self) -> u64; }
    /// The hasher of maps.
    #[derive(Clone, Debug, Default)] pub struct DefaultHasher {}
    impl DefaultHasher { /** A new one. */ pub fn new() -> DefaultHasher {} }
    impl Hasher for DefaultHasher {}
}
pub mod mem {
    //! Values in memory.
    /// Takes a value out, and leaves its type's default.
    pub fn take<T: crate::default::Default>(dest: &mut T) -> T {}
    /// Puts a value in, and gives the old one.
    pub fn replace<T>(dest: &mut T, src: T) -> T {}
    /// Exchanges two values.
    pub fn swap<T>(x: &mut T, y: &mut T) {}
    /// Ends a value.
    pub fn drop<T>(_x: T) {}
    /// Gives a value up without ending it.
    pub fn forget<T>(t: T) {}
    /// How many bytes a type takes.
    pub fn size_of<T>() -> usize {}
    /// How many bytes a value takes.
    pub fn size_of_val<T>(val: &T) -> usize {}
}
pub mod boxed {
    //! Values on the heap.
    use crate::ops::Deref;
    /// A value on the heap.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Display)] pub struct Box<T> { ptr: usize }
    impl<T> Box<T> {
        /// Puts a value on the heap.
        pub fn new(x: T) -> Box<T> {}
        /// Gives it up: a reference for the rest of the program.
        pub fn leak(b: Box<T>) -> &'static mut T {}
    }
    impl<T> Deref for Box<T> { type Target = T; }
}
pub mod rc {
    //! Values with several owners in one thread.
    use crate::{ops::Deref, option::Option, result::Result};
    /// A value with several owners in one thread.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Display)] pub struct Rc<T> { ptr: usize }
    impl<T> Rc<T> {
        /// Its first owner.
        pub fn new(value: T) -> Rc<T> {}
        /// How many owners it has.
        pub fn strong_count(this: &Self) -> usize {}
        /// A reference that doesn't keep it.
        pub fn downgrade(this: &Self) -> Weak<T> {}
        /// The value, if this is its only owner.
        pub fn try_unwrap(this: Self) -> Result<T, Self> {}
        /// Whether both own the same value.
        pub fn ptr_eq(this: &Self, other: &Self) -> bool {}
    }
    impl<T> Deref for Rc<T> { type Target = T; }
    /// A reference to a value with several owners that doesn't keep it.
    #[derive(Clone, Debug, Default)] pub struct Weak<T> { ptr: usize }
    impl<T> Weak<T> { /** An owner, if the value is still there. */ pub fn upgrade(&self) -> Option<Rc<T>> {} }
}
pub mod cell {
    //! Values that can be changed behind a shared reference.
    use crate::ops::Deref;
    /// A value that is put in and taken out.
    #[derive(Clone, Debug, PartialEq, Eq, Default)] pub struct Cell<T> { value: T }
    impl<T> Cell<T> {
        /// Holds a value.
        pub const fn new(value: T) -> Cell<T> {}
        /// A copy of the value.
        pub fn get(&self) -> T {}
        /// Puts a value in.
        pub fn set(&self, val: T) {}
        /// Puts a value in, and gives the old one.
        pub fn replace(&self, val: T) -> T {}
        /// Takes the value out.
        pub fn take(&self) -> T {}
    }
    /// A value whose borrows are checked while the code runs.
    #[derive(Clone, Debug, PartialEq, Eq, Default)] pub struct RefCell<T> { value: T }
    impl<T> RefCell<T> {
        /// Holds a value.
        pub const fn new(value: T) -> RefCell<T> {}
        /// Lends it; panics while somebody changes it.
        pub fn borrow(&self) -> Ref<'_, T> {}
        /// Lends it to be changed; panics while somebody else has it.
        pub fn borrow_mut(&self) -> RefMut<'_, T> {}
        /// The value itself.
        pub fn into_inner(self) -> T {}
    }
    /// A borrowed value of a `RefCell`.
    #[derive(Debug, Display)] pub struct Ref<'b, T> { value: usize }
    impl<'b, T> Deref for Ref<'b, T> { type Target = T; }
    /// A borrowed value of a `RefCell`, to be changed.
    #[derive(Debug, Display)] pub struct RefMut<'b, T> { value: usize }
    impl<'b, T> Deref for RefMut<'b, T> { type Target = T; }
    /// A value that is set once.
    #[derive(Clone, Debug, Default)] pub struct OnceCell<T> { value: T }
}
pub mod sync {
    //! Between threads.
    use crate::{ops::Deref, result::Result, option::Option};
    /// A value with several owners in several threads.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Display)] pub struct Arc<T> { ptr: usize }
    impl<T> Arc<T> {
        /// Its first owner.
        pub fn new(data: T) -> Arc<T> {}
        /// How many owners it has.
        pub fn strong_count(this: &Self) -> usize {}
        /// Whether both own the same value.
        pub fn ptr_eq(this: &Self, other: &Self) -> bool {}
    }
    impl<T> Deref for Arc<T> { type Target = T; }
    /// A value that one thread at a time can have.
    #[derive(Debug, Default)] pub struct Mutex<T> { data: T }
    impl<T> Mutex<T> {
        /// Holds a value.
        pub const fn new(t: T) -> Mutex<T> {}
        /// Waits until it can be had.
        pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {}
        /// Tries to have it at once.
        pub fn try_lock(&self) -> LockResult<MutexGuard<'_, T>> {}
        /// The value itself.
        pub fn into_inner(self) -> LockResult<T> {}
    }
    /// A mutex that is had.
    #[derive(Debug, Display)] pub struct MutexGuard<'a, T> { lock: usize }
    impl<'a, T> Deref for MutexGuard<'a, T> { type Target = T; }
    /// A lock, or word that a thread panicked while it had it.
    pub type LockResult<T> = Result<T, PoisonError>;
    /// A thread panicked while it had a lock.
    #[derive(Debug, Display)] pub struct PoisonError {}
    /// A value that many threads can read, or one can change.
    #[derive(Debug, Default)] pub struct RwLock<T> { data: T }
    impl<T> RwLock<T> {
        /// Holds a value.
        pub const fn new(t: T) -> RwLock<T> {}
        /// Waits until it can be read.
        pub fn read(&self) -> LockResult<MutexGuard<'_, T>> {}
        /// Waits until it can be changed.
        pub fn write(&self) -> LockResult<MutexGuard<'_, T>> {}
    }
    /// A value that is set once, by any thread.
    #[derive(Clone, Debug, Default)] pub struct OnceLock<T> { value: T }
    impl<T> OnceLock<T> {
        /// Empty.
        pub const fn new() -> OnceLock<T> {}
        /// The value, if it is set.
        pub fn get(&self) -> Option<&T> {}
        /// Sets the value, unless it is set.
        pub fn set(&self, value: T) -> Result<(), T> {}
        /// The value, set first if it isn't.
        pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {}
    }
    /// A value that is made when it is first used.
    #[derive(Debug)] pub struct LazyLock<T> { value: T }
    impl<T> Deref for LazyLock<T> { type Target = T; }
    /// Messages from many threads to one.
    pub mod mpsc {
        use crate::result::Result;
        /// A sender and a receiver.
        pub fn channel<T>() -> (Sender<T>, Receiver<T>) {}
        /// The sending end.
        #[derive(Clone, Debug)] pub struct Sender<T> { inner: T }
        impl<T> Sender<T> { /** Sends a value. */ pub fn send(&self, t: T) -> Result<(), SendError> {} }
        /// The receiving end.
        #[derive(Debug)] pub struct Receiver<T> { inner: T }
        impl<T> Receiver<T> {
            /// Waits for a value.
            pub fn recv(&self) -> Result<T, RecvError> {}
            /// A value, if one is there.
            pub fn try_recv(&self) -> Result<T, RecvError> {}
            /// Values until all senders are gone.
            #[taken_for = "impl Iterator<Item = T>"] pub fn iter(&self) -> Iter<'_, T> {}
        }
        /// All senders are gone.
        #[derive(Debug, Display)] pub struct RecvError;
        /// The receiver is gone.
        #[derive(Debug, Display)] pub struct SendError;
    }
    /// Values that threads change together.
    pub mod atomic {
        /// A `bool` that threads change together.
        #[derive(Debug, Default)] pub struct AtomicBool {}
        /// A `usize` that threads change together.
        #[derive(Debug, Default)] pub struct AtomicUsize {}
        /// What else is seen of other threads at that time.
        #[derive(Clone, Copy, Debug)] pub enum Ordering { Relaxed, Release, Acquire, AcqRel, SeqCst }
    }
}
pub mod thread {
    //! Threads.
    use crate::{result::Result, boxed::Box, time::Duration, option::Option};
    /// Runs a closure in a new thread.
    pub fn spawn<F: FnOnce() -> T, T>(f: F) -> JoinHandle<T> {}
    /// Waits.
    pub fn sleep(dur: Duration) {}
    /// Threads that end before this returns, and so can borrow.
    pub fn scope<F: FnOnce(&Scope) -> T, T>(f: F) -> T {}
    /// How many threads can run at the same time.
    pub fn available_parallelism() -> crate::io::Result<crate::num::NonZeroUsize> {}
    /// A thread that runs.
    #[derive(Debug)] pub struct JoinHandle<T> { native: T }
    impl<T> JoinHandle<T> {
        /// Waits for its end: its result, or what it panicked with.
        pub fn join(self) -> Result<T, Box<dyn crate::any::Any>> {}
        /// Whether it is over.
        pub fn is_finished(&self) -> bool {}
    }
    /// Threads that can borrow.
    #[derive(Debug)] pub struct Scope {}
    impl Scope { /** Runs a closure in a new thread. */ pub fn spawn<F: FnOnce() -> T, T>(&self, f: F) -> JoinHandle<T> {} }
}
pub mod any {
    //! Types while the code runs.
    /// A value of any type.
    pub trait Any {}
    /// A type's name.
    pub fn type_name<T>() -> &'static str {}
    /// The name of a value's type.
    pub fn type_name_of_val<T>(val: &T) -> &'static str {}
}
pub mod future {
    //! Results that come later.
    /// A result that comes later.
    pub trait Future { /** The result. */ type Output; }
    /// What can be waited for.
    pub trait IntoFuture { type Output; }
    /// A future that is there already.
    #[taken_for = "impl Future<Output = T>"] pub fn ready<T>(t: T) -> Ready<T> {}
}
pub mod collections {
    //! Maps, sets, queues.
    use crate::{option::Option, vec::Vec, iter::*, ops::*, hash::*, cmp::*, borrow::Borrow};
    /// Values by key, in no order.
    #[derive(Clone, Debug, PartialEq, Eq, Default)] pub struct HashMap<K, V> { base: usize }
    /// Values by key, in the keys' order.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)] pub struct BTreeMap<K, V> { base: usize }
    // each: HashMap BTreeMap
    impl<K, V> $<K, V> {
        /// An empty map.
        pub fn new() -> $<K, V> {}
        /// How many entries it has.
        pub fn len(&self) -> usize {}
        /// Whether it has none.
        pub fn is_empty(&self) -> bool {}
        /// Puts a value in under a key, and gives the old one.
        pub fn insert(&mut self, k: K, v: V) -> Option<V> {}
        /// The value under a key.
        pub fn get<Q>(&self, k: &Q) -> Option<&V> {}
        /// The value under a key, to be changed.
        pub fn get_mut<Q>(&mut self, k: &Q) -> Option<&mut V> {}
        /// Whether there is a value under a key.
        pub fn contains_key<Q>(&self, k: &Q) -> bool {}
        /// Takes the value under a key away.
        pub fn remove<Q>(&mut self, k: &Q) -> Option<V> {}
        /// The place of a key: `*map.entry(key).or_insert(0) += 1`.
        pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {}
        /// The keys.
        #[taken_for = "impl DoubleEndedIterator<Item = &K>"] pub fn keys(&self) -> Keys<'_, K, V> {}
        /// The values.
        #[taken_for = "impl DoubleEndedIterator<Item = &V>"] pub fn values(&self) -> Values<'_, K, V> {}
        /// The values, to be changed.
        #[taken_for = "impl DoubleEndedIterator<Item = &mut V>"] pub fn values_mut(&mut self) -> ValuesMut<'_, K, V> {}
        /// Keys and values.
        #[taken_for = "impl DoubleEndedIterator<Item = (&K, &V)>"] pub fn iter(&self) -> Iter<'_, K, V> {}
        /// Keys and values, the values to be changed.
        #[taken_for = "impl DoubleEndedIterator<Item = (&K, &mut V)>"] pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {}
        /// Keeps entries for which a closure holds.
        pub fn retain<F: FnMut(&K, &mut V) -> bool>(&mut self, f: F) {}
        /// Empties it.
        pub fn clear(&mut self) {}
        /// The keys, owned.
        #[taken_for = "impl Iterator<Item = K>"] pub fn into_keys(self) -> IntoKeys<K, V> {}
        /// The values, owned.
        #[taken_for = "impl Iterator<Item = V>"] pub fn into_values(self) -> IntoValues<K, V> {}
    }
    impl<K, V> IntoIterator for $<K, V> { type Item = (K, V); type IntoIter = crate::vec::IntoIter<(K, V)>; }
    impl<'a, K, V> IntoIterator for &'a $<K, V> { type Item = (&'a K, &'a V); type IntoIter = crate::vec::IntoIter<(&'a K, &'a V)>; }
    impl<'a, K, V> IntoIterator for &'a mut $<K, V> { type Item = (&'a K, &'a mut V); type IntoIter = crate::vec::IntoIter<(&'a K, &'a mut V)>; }
    impl<K, V> FromIterator<(K, V)> for $<K, V> {}
    impl<K, V> Extend<(K, V)> for $<K, V> {}
    // end
    impl<K, V> HashMap<K, V> {
        /// An empty map with room for this many entries.
        pub fn with_capacity(capacity: usize) -> HashMap<K, V> {}
    }
    impl<K, V> BTreeMap<K, V> {
        /// The entry with the smallest key.
        pub fn first_key_value(&self) -> Option<(&K, &V)> {}
        /// The entry with the largest key.
        pub fn last_key_value(&self) -> Option<(&K, &V)> {}
        /// Takes the entry with the smallest key away.
        pub fn pop_first(&mut self) -> Option<(K, V)> {}
        /// Takes the entry with the largest key away.
        pub fn pop_last(&mut self) -> Option<(K, V)> {}
        /// The entries whose keys lie in a range.
        #[taken_for = "impl DoubleEndedIterator<Item = (&K, &V)>"] pub fn range<T, R: RangeBounds<T>>(&self, range: R) -> Range<'_, K, V> {}
    }
    /// The place of a key in a map.
    #[derive(Debug)] pub enum Entry<'a, K, V> { Occupied(K), Vacant(V) }
    impl<'a, K, V> Entry<'a, K, V> {
        /// The value there, put in first if there is none.
        pub fn or_insert(self, default: V) -> &'a mut V {}
        /// The value there, made by a closure first if there is none.
        pub fn or_insert_with<F: FnOnce() -> V>(self, default: F) -> &'a mut V {}
        /// The value there, its type's default first if there is none.
        pub fn or_default(self) -> &'a mut V {}
        /// Changes the value there, if there is one.
        pub fn and_modify<F: FnOnce(&mut V)>(self, f: F) -> Self {}
    }
    /// Values, each once, in no order.
    #[derive(Clone, Debug, PartialEq, Eq, Default)] pub struct HashSet<T> { base: usize }
    /// Values, each once, in their order.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)] pub struct BTreeSet<T> { base: usize }
    // each: HashSet BTreeSet
    impl<T> $<T> {
        /// An empty set.
        pub fn new() -> $<T> {}
        /// How many values it has.
        pub fn len(&self) -> usize {}
        /// Whether it has none.
        pub fn is_empty(&self) -> bool {}
        /// Puts a value in; whether it is new.
        pub fn insert(&mut self, value: T) -> bool {}
        /// Whether a value is in it.
        pub fn contains<Q>(&self, value: &Q) -> bool {}
        /// Takes a value away; whether it was there.
        pub fn remove<Q>(&mut self, value: &Q) -> bool {}
        /// Its values.
        #[taken_for = "impl DoubleEndedIterator<Item = &T>"] pub fn iter(&self) -> Iter<'_, T> {}
        /// Values of either set.
        #[taken_for = "impl Iterator<Item = &T>"] pub fn union<'a>(&'a self, other: &'a $<T>) -> Union<'a, T> {}
        /// Values of both sets.
        #[taken_for = "impl Iterator<Item = &T>"] pub fn intersection<'a>(&'a self, other: &'a $<T>) -> Intersection<'a, T> {}
        /// Values of this set that the other lacks.
        #[taken_for = "impl Iterator<Item = &T>"] pub fn difference<'a>(&'a self, other: &'a $<T>) -> Difference<'a, T> {}
        /// Whether the other has all of its values.
        pub fn is_subset(&self, other: &$<T>) -> bool {}
        /// Keeps values for which a closure holds.
        pub fn retain<F: FnMut(&T) -> bool>(&mut self, f: F) {}
        /// Empties it.
        pub fn clear(&mut self) {}
    }
    impl<T> IntoIterator for $<T> { type Item = T; type IntoIter = crate::vec::IntoIter<T>; }
    impl<'a, T> IntoIterator for &'a $<T> { type Item = &'a T; type IntoIter = crate::slice::Iter<'a, T>; }
    impl<T> FromIterator<T> for $<T> {}
    impl<T> Extend<T> for $<T> {}
    // end
    /// Values with two ends.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)] pub struct VecDeque<T> { buf: usize }
    impl<T> VecDeque<T> {
        /// An empty one.
        pub fn new() -> VecDeque<T> {}
        /// How many values it has.
        pub fn len(&self) -> usize {}
        /// Whether it has none.
        pub fn is_empty(&self) -> bool {}
        /// Appends a value.
        pub fn push_back(&mut self, value: T) {}
        /// Puts a value before the first.
        pub fn push_front(&mut self, value: T) {}
        /// Takes the last value away.
        pub fn pop_back(&mut self) -> Option<T> {}
        /// Takes the first value away.
        pub fn pop_front(&mut self) -> Option<T> {}
        /// The first value.
        pub fn front(&self) -> Option<&T> {}
        /// The last value.
        pub fn back(&self) -> Option<&T> {}
        /// Its values.
        #[taken_for = "impl DoubleEndedIterator<Item = &T>"] pub fn iter(&self) -> Iter<'_, T> {}
    }
    impl<T> IntoIterator for VecDeque<T> { type Item = T; type IntoIter = crate::vec::IntoIter<T>; }
    impl<T> FromIterator<T> for VecDeque<T> {}
    /// Values of which the largest comes first.
    #[derive(Clone, Debug, Default)] pub struct BinaryHeap<T> { data: usize }
    impl<T: Ord> BinaryHeap<T> {
        /// An empty one.
        pub fn new() -> BinaryHeap<T> {}
        /// Puts a value in.
        pub fn push(&mut self, item: T) {}
        /// Takes the largest value away.
        pub fn pop(&mut self) -> Option<T> {}
        /// The largest value.
        pub fn peek(&self) -> Option<&T> {}
        /// How many values it has.
        pub fn len(&self) -> usize {}
        /// Whether it has none.
        pub fn is_empty(&self) -> bool {}
    }
}
pub mod fmt {
    //! Showing values as text.
    /// Shown by `{}`.
    pub trait Display { /** Writes it. */ fn fmt(&self, f: &mut Formatter<'_>) -> Result; }
    /// Shown by `{:?}`, for programmers.
    pub trait Debug { /** Writes it. */ fn fmt(&self, f: &mut Formatter<'_>) -> Result; }
    /// Where text can be written.
    pub trait Write { /** Writes a text. */ fn write_str(&mut self, s: &str) -> Result; }
    /// What a value is written to, with the wanted width and precision.
    #[derive(Debug)] pub struct Formatter<'a> { buf: usize }
    impl<'a> Formatter<'a> {
        /// Writes a text.
        pub fn write_str(&mut self, data: &str) -> Result {}
        /// Writes a text, padded as is wanted.
        pub fn pad(&mut self, s: &str) -> Result {}
        /// The wanted precision.
        pub fn precision(&self) -> crate::option::Option<usize> {}
    }
    /// Nothing, or an error of formatting.
    pub type Result = crate::result::Result<(), Error>;
    /// An error of formatting.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display)] pub struct Error;
    impl<T: Display> Display for &T {}
}
pub mod error {
    //! Errors.
    /// What errors have in common.
    pub trait Error: crate::fmt::Debug + crate::fmt::Display { /** What caused it. */ fn source(&self) -> crate::option::Option<&(dyn Error)> {} }
}
pub mod num {
    //! Numbers.
    /// A text that is no integer.
    #[derive(Clone, Debug, PartialEq, Eq, Display)] pub struct ParseIntError {}
    /// A text that is no number.
    #[derive(Clone, Debug, PartialEq, Eq, Display)] pub struct ParseFloatError {}
    /// A `usize` that is not 0.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display)] pub struct NonZeroUsize {}
    impl NonZeroUsize { /** As a number. */ pub const fn get(self) -> usize {} }
}
pub mod char {
    //! Characters.
    use crate::iter::Iterator;
    /// Upper-case letters of a character.
    #[derive(Clone, Debug, Display)] pub struct ToUppercase {}
    impl Iterator for ToUppercase { type Item = char; }
    /// Lower-case letters of a character.
    #[derive(Clone, Debug, Display)] pub struct ToLowercase {}
    impl Iterator for ToLowercase { type Item = char; }
    /// The character of a code point.
    pub fn from_u32(i: u32) -> crate::option::Option<char> {}
    /// The digit of a value.
    pub fn from_digit(num: u32, radix: u32) -> crate::option::Option<char> {}
}
pub mod time {
    //! Time.
    use crate::{ops::*, option::Option, result::Result};
    /// A time that passes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)] pub struct Duration {}
    impl Duration {
        /// So many seconds.
        pub const fn from_secs(secs: u64) -> Duration {}
        /// So many milliseconds.
        pub const fn from_millis(millis: u64) -> Duration {}
        /// So many microseconds.
        pub const fn from_micros(micros: u64) -> Duration {}
        /// So many seconds, with a fraction.
        pub fn from_secs_f64(secs: f64) -> Duration {}
        /// Whole seconds.
        pub const fn as_secs(&self) -> u64 {}
        /// Whole milliseconds.
        pub const fn as_millis(&self) -> u128 {}
        /// Whole microseconds.
        pub const fn as_micros(&self) -> u128 {}
        /// Seconds with their fraction.
        pub fn as_secs_f64(&self) -> f64 {}
        /// Seconds with their fraction.
        pub fn as_secs_f32(&self) -> f32 {}
    }
    impl Add for Duration { type Output = Duration; }
    impl Sub for Duration { type Output = Duration; }
    /// A moment, for measuring.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)] pub struct Instant {}
    impl Instant {
        /// Now.
        pub fn now() -> Instant {}
        /// The time since then.
        pub fn elapsed(&self) -> Duration {}
        /// The time since another moment.
        pub fn duration_since(&self, earlier: Instant) -> Duration {}
    }
    impl Sub<Instant> for Instant { type Output = Duration; }
    /// The clock's time.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)] pub struct SystemTime {}
    impl SystemTime { /** Now. */ pub fn now() -> SystemTime {} }
}
pub mod io {
    //! Reading and writing.
    use crate::{string::String, vec::Vec};
    /// A value, or an error of reading or writing.
    pub type Result<T> = crate::result::Result<T, Error>;
    /// An error of reading or writing.
    #[derive(Debug, Display)] pub struct Error {}
    impl Error { /** What kind it is. */ pub fn kind(&self) -> ErrorKind {} }
    /// Kinds of errors.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)] pub enum ErrorKind { NotFound, PermissionDenied, AlreadyExists, Other }
    /// What bytes are read from.
    pub trait Read {
        /// Reads some bytes.
        fn read(&mut self, buf: &mut [u8]) -> Result<usize>;
        /// Reads all as text.
        fn read_to_string(&mut self, buf: &mut String) -> Result<usize> {}
        /// Reads all bytes.
        fn read_to_end(&mut self, buf: &mut Vec<u8>) -> Result<usize> {}
    }
    /// What bytes are written to.
    pub trait Write {
        /// Writes some bytes.
        fn write(&mut self, buf: &[u8]) -> Result<usize>;
        /// Writes all bytes.
        fn write_all(&mut self, buf: &[u8]) -> Result<()> {}
        /// Sends on what is held back.
        fn flush(&mut self) -> Result<()>;
    }
    /// What lines are read from.
    pub trait BufRead {
        /// Reads a line.
        fn read_line(&mut self, buf: &mut String) -> Result<usize> {}
        /// All lines.
        #[taken_for = "impl Iterator<Item = Result<String>>"] fn lines(self) -> Lines<Self> {}
    }
    /// Standard input.
    pub fn stdin() -> Stdin {}
    /// Standard output.
    pub fn stdout() -> Stdout {}
    /// Standard error.
    pub fn stderr() -> Stdout {}
    /// Reads all of standard input as text.
    pub fn read_to_string<R: Read>(reader: R) -> Result<String> {}
    /// Standard input.
    #[derive(Debug)] pub struct Stdin {}
    impl Stdin {
        /// Reads a line.
        pub fn read_line(&self, buf: &mut String) -> Result<usize> {}
        /// All lines.
        #[taken_for = "impl Iterator<Item = Result<String>>"] pub fn lines(self) -> Lines<Stdin> {}
    }
    /// Standard output.
    #[derive(Debug)] pub struct Stdout {}
    impl Write for Stdout {}
}
pub mod fs {
    //! Files.
    use crate::{io::*, string::String, vec::Vec, path::{Path, PathBuf}, convert::AsRef};
    /// An open file.
    #[derive(Debug)] pub struct File {}
    impl File {
        /// Opens a file for reading.
        pub fn open<P: AsRef<Path>>(path: P) -> Result<File> {}
        /// Makes a file, or empties it.
        pub fn create<P: AsRef<Path>>(path: P) -> Result<File> {}
    }
    impl Read for File {}
    impl Write for File {}
    /// The text of a file.
    pub fn read_to_string<P: AsRef<Path>>(path: P) -> Result<String> {}
    /// The bytes of a file.
    pub fn read<P: AsRef<Path>>(path: P) -> Result<Vec<u8>> {}
    /// Writes a whole file.
    pub fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> Result<()> {}
    /// Makes a folder and those above it.
    pub fn create_dir_all<P: AsRef<Path>>(path: P) -> Result<()> {}
    /// Removes a file.
    pub fn remove_file<P: AsRef<Path>>(path: P) -> Result<()> {}
    /// Copies a file.
    pub fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> Result<u64> {}
    /// Renames a file.
    pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> Result<()> {}
}
pub mod path {
    //! Paths of files.
    use crate::{ops::Deref, option::Option, ffi::OsStr, convert::AsRef};
    /// A path, borrowed.
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)] pub struct Path {}
    impl Path {
        /// The path of a text.
        pub fn new<S: AsRef<OsStr>>(s: &S) -> &Path {}
        /// A path below it.
        pub fn join<P: AsRef<Path>>(&self, path: P) -> PathBuf {}
        /// The folder that it is in.
        pub fn parent(&self) -> Option<&Path> {}
        /// Its last part.
        pub fn file_name(&self) -> Option<&OsStr> {}
        /// What follows the last dot of its last part.
        pub fn extension(&self) -> Option<&OsStr> {}
        /// Whether something is there.
        pub fn exists(&self) -> bool {}
        /// Whether it is a file.
        pub fn is_file(&self) -> bool {}
        /// Whether it is a folder.
        pub fn is_dir(&self) -> bool {}
        /// For showing it.
        pub fn display(&self) -> Display<'_> {}
        /// An owned one.
        pub fn to_path_buf(&self) -> PathBuf {}
        /// As text, if it is UTF-8.
        pub fn to_str(&self) -> Option<&str> {}
    }
    /// A path, owned.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)] pub struct PathBuf {}
    impl PathBuf {
        /// An empty path.
        pub fn new() -> PathBuf {}
        /// Goes on to a part.
        pub fn push<P: AsRef<Path>>(&mut self, path: P) {}
        /// Goes up.
        pub fn pop(&mut self) -> bool {}
        /// As a `&Path`.
        pub fn as_path(&self) -> &Path {}
    }
    impl Deref for PathBuf { type Target = Path; }
    /// A path that is shown.
    #[derive(Display)] pub struct Display<'a> {}
}
pub mod ffi {
    //! Texts of the system and of C.
    /// A text of the system, borrowed.
    #[derive(Debug, PartialEq, Eq, Hash)] pub struct OsStr {}
    impl OsStr { /** As text, if it is UTF-8. */ pub fn to_str(&self) -> crate::option::Option<&str> {} }
    /// A text of the system, owned.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Default)] pub struct OsString {}
    impl crate::ops::Deref for OsString { type Target = OsStr; }
}
pub mod env {
    //! The environment of the process.
    use crate::{result::Result, string::String, path::PathBuf};
    /// A variable of the environment.
    pub fn var(key: &str) -> Result<String, VarError> {}
    /// The folder in which the process runs.
    pub fn current_dir() -> crate::io::Result<PathBuf> {}
    /// The arguments of the program.
    #[taken_for = "impl DoubleEndedIterator<Item = String>"] pub fn args() -> Args {}
    /// A folder for temporary files.
    pub fn temp_dir() -> PathBuf {}
    /// Why a variable can't be had.
    #[derive(Clone, Debug, PartialEq, Eq, Display)] pub enum VarError { NotPresent }
}
pub mod process {
    //! Processes.
    /// Ends this process.
    pub fn exit(code: i32) -> ! {}
    /// The number of this process.
    pub fn id() -> u32 {}
    /// A program to be started.
    #[derive(Debug)] pub struct Command {}
    impl Command {
        /// The program.
        pub fn new(program: &str) -> Command {}
        /// An argument.
        pub fn arg(&mut self, arg: &str) -> &mut Command {}
        /// Runs it, and collects what it prints.
        pub fn output(&mut self) -> crate::io::Result<Output> {}
    }
    /// What a program has printed.
    #[derive(Clone, Debug, PartialEq, Eq)] pub struct Output { /** Standard output. */ pub stdout: crate::vec::Vec<u8>, /** Standard error. */ pub stderr: crate::vec::Vec<u8> }
}
pub mod hint {
    //! Hints for the compiler.
    /// Keeps the compiler from knowing a value: for measurements.
    pub fn black_box<T>(dummy: T) -> T {}
}
// each: f32 f64
/// Constants of floating-point numbers.
pub mod $ {
    /// Constants of mathematics.
    pub mod consts {
        /// π.
        pub const PI: $ = 3.14159265358979323846264338327950288;
        /// 2π.
        pub const TAU: $ = 6.28318530717958647692528676655900577;
        /// e.
        pub const E: $ = 2.71828182845904523536028747135266250;
        /// The natural logarithm of 2.
        pub const LN_2: $ = 0.693147180559945309417232121458176568;
        /// The natural logarithm of 10.
        pub const LN_10: $ = 2.30258509299404568401799145468436421;
        /// The square root of 2.
        pub const SQRT_2: $ = 1.41421356237309504880168872420969808;
        /// π/2.
        pub const FRAC_PI_2: $ = 1.57079632679489661923132169163975144;
    }
}
// end
