//! A function of ours as a node of libtorch's autograd.

use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tch::{Kind, Tensor};
use torch_sys::C_tensor;

use crate::{Error, Result};

/// A function of tensors that knows its own derivative.
///
/// Its value is computed before it is [recorded](record). libtorch keeps inputs and output for it, and sees to
/// it that nobody has changed them when the derivative is asked for.
pub(crate) trait Function: 'static {
    /// The gradients with respect to the inputs that are wanted, from the gradient with respect to the output:
    /// one for each input, none where none is wanted.
    ///
    /// # Errors
    /// If libtorch has no memory.
    fn backward(
        &self,
        inputs: &[Tensor],
        output: &Tensor,
        gradient: &Tensor,
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>>;

    /// The same function in libtorch's operations: for whoever derives the derivative.
    ///
    /// # Errors
    /// As libtorch's.
    fn readable(&self, inputs: &[Tensor]) -> Result<Tensor>;
}

unsafe extern "C" {
    fn icvae_is_plain(tensor: *const C_tensor) -> bool;
    fn icvae_is_recorded(inputs: *const *const C_tensor, count: usize) -> bool;
    fn icvae_record(
        function: *mut c_void,
        inputs: *const *const C_tensor,
        count: usize,
        output: *mut C_tensor,
    ) -> *mut c_char;
    fn icvae_identity(tensor: *const C_tensor) -> *const c_void;
    fn icvae_changed(tensor: *const C_tensor);
    fn icvae_bernoulli(
        numbers: *mut f32,
        count: usize,
        probability: f64,
        value: f32,
    ) -> *mut c_char;
}

/// Whether a tensor is plain numbers in memory: float32, contiguous, on the CPU.
pub(crate) fn is_plain(tensor: &Tensor) -> bool {
    // SAFETY: only looked at.
    unsafe { icvae_is_plain(tensor.as_ptr()) }
}

/// What tells a tensor from every other, whatever number of handles it has.
pub(crate) fn identity(tensor: &Tensor) -> usize {
    // SAFETY: only looked at.
    unsafe { icvae_identity(tensor.as_ptr()) as usize }
}

/// Tells autograd that the numbers of a tensor were changed behind its back: whoever still needs the old ones
/// is then refused by libtorch.
pub(crate) fn mark_changed(tensor: &Tensor) {
    // SAFETY: counts, and touches nothing else.
    unsafe { icvae_changed(tensor.as_ptr()) }
}

/// Makes `output` known to autograd as `function` of `inputs`, unless nobody will ever derive it.
///
/// # Errors
/// If libtorch refuses.
pub(crate) fn record(
    function: impl Function,
    inputs: &[&Tensor],
    mut output: Tensor,
) -> Result<Tensor> {
    let pointers: Vec<*const C_tensor> = inputs.iter().map(|t| t.as_ptr()).collect();
    // SAFETY: the tensors live; the node takes the function and gives it back to `icvae_function_drop`.
    unsafe {
        if icvae_is_recorded(pointers.as_ptr(), pointers.len()) {
            let boxed: Box<dyn Function> = Box::new(function);
            let function = Box::into_raw(Box::new(boxed)).cast();
            let error = icvae_record(
                function,
                pointers.as_ptr(),
                pointers.len(),
                output.as_mut_ptr(),
            );
            check(error)?;
        }
    }
    Ok(output)
}

/// Sets each number of a plain tensor that nobody else knows to `value` with this probability, else to 0: the draws of
/// libtorch's `bernoulli_`, in the order of memory.
///
/// # Errors
/// If libtorch refuses.
pub(super) fn set_by_chance(tensor: &mut Tensor, probability: f64, value: f32) -> Result<()> {
    debug_assert!(is_plain(tensor));
    let (numbers, count) = (tensor.data_ptr().cast(), tensor.numel());
    // SAFETY: a plain tensor has so many numbers in a row.
    unsafe { check(icvae_bernoulli(numbers, count, probability, value)) }
}

/// An error's text as one.
///
/// # Safety
/// It must be null or a text that C allocated.
unsafe fn check(text: *const c_char) -> Result<()> {
    if text.is_null() {
        return Ok(());
    }
    // SAFETY: as the caller promises.
    let words = unsafe { CStr::from_ptr(text) };
    Err(Error::Invalid(words.to_string_lossy().into_owned()))
}

/// Called by the node when libtorch derives it.
///
/// # Safety
/// As node.cpp calls it: `count` tensors, the last the output; `wanted` and `gradients` have one less.
#[unsafe(no_mangle)]
unsafe extern "C" fn icvae_function_backward(
    function: *mut c_void,
    saved: *const *mut C_tensor,
    count: usize,
    gradient: *mut C_tensor,
    wanted: *const bool,
    twice: bool,
    gradients: *mut *mut C_tensor,
) -> *mut c_char {
    let work = || -> Result<()> {
        // SAFETY: by the contract.
        unsafe {
            let function = &*function.cast::<Box<dyn Function>>();
            let tensor = |pointer: *mut C_tensor| Tensor::clone_from_ptr(pointer);
            let mut inputs: Vec<_> = (0..count).map(|i| tensor(*saved.add(i))).collect();
            let wanted = std::slice::from_raw_parts(wanted, count - 1);
            let gradient = tensor(gradient);
            let Some(output) = inputs.pop() else {
                return Ok(());
            };
            let found = if twice {
                derivable(function.as_ref(), &inputs, &gradient, wanted)?
            } else {
                function.backward(&inputs, &output, &gradient, wanted)?
            };
            for (i, mut found) in found.into_iter().enumerate() {
                if let Some(found) = found.as_mut() {
                    *gradients.add(i) = Tensor::clone_from_ptr(found.as_mut_ptr()).into_raw();
                }
            }
            Ok(())
        }
    };
    let error = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the derivative of a function of icvae-core panicked".into(),
    };
    CString::new(error.replace('\0', " "))
        .unwrap_or_default()
        .into_raw()
}

/// Gives a tensor's pointer away.
trait IntoRaw {
    fn into_raw(self) -> *mut C_tensor;
}

impl IntoRaw for Tensor {
    fn into_raw(self) -> *mut C_tensor {
        std::mem::ManuallyDrop::new(self).as_mut_ptr()
    }
}

/// The gradients as a graph that can be derived again, from the function's readable form.
fn derivable(
    function: &dyn Function,
    inputs: &[Tensor],
    gradient: &Tensor,
    wanted: &[bool],
) -> Result<Vec<Option<Tensor>>> {
    // A view of each: an input that is given twice is derived twice.
    let inputs = inputs
        .iter()
        .map(|input| input.f_view_as(input))
        .collect::<Result<Vec<_>, _>>()?;
    let weighted = (function.readable(&inputs)? * gradient).f_sum(Kind::Float)?;
    let derived: Vec<&Tensor> = inputs
        .iter()
        .zip(wanted)
        .filter_map(|(input, wanted)| wanted.then_some(input))
        .collect();
    let mut found = Tensor::f_run_backward(&[weighted], &derived, true, true)?.into_iter();
    Ok(wanted
        .iter()
        .map(|wanted| wanted.then(|| found.next()).flatten())
        .collect())
}

/// # Safety
/// As node.cpp calls it: once, with what [`record`] gave it.
#[unsafe(no_mangle)]
unsafe extern "C" fn icvae_function_drop(function: *mut c_void) {
    // SAFETY: by the contract.
    drop(unsafe { Box::from_raw(function.cast::<Box<dyn Function>>()) });
}

/// # Safety
/// As node.cpp calls it: once, with a text of [`icvae_function_backward`].
#[unsafe(no_mangle)]
unsafe extern "C" fn icvae_text_drop(text: *mut c_char) {
    // SAFETY: by the contract.
    drop(unsafe { CString::from_raw(text) });
}
