//! libtorch's random generator is one for the whole process: tests that draw from it take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the other tests of this file; the turn ends with the value.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
