//! Ctrl-C and SIGTERM: while programs are at work, what they do is for them and for this one to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// What has been asked of this program since the value was made. When it goes, signals end the program
/// again.
#[derive(Debug)]
pub struct Signals {
    /// Ctrl-C.
    pub interrupted: Arc<AtomicBool>,
    /// SIGTERM, or the terminal is gone.
    pub terminated: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen() -> Result<Self> {
        let signals = Self {
            interrupted: Arc::default(),
            terminated: Arc::default(),
            over: Arc::default(),
        };
        signals.register().context("signals can't be listened to")?;
        Ok(signals)
    }

    fn register(&self) -> io::Result<()> {
        for (signal, flag) in [
            (SIGINT, &self.interrupted),
            (SIGTERM, &self.terminated),
            (SIGHUP, &self.terminated),
        ] {
            flag::register_conditional_default(signal, Arc::clone(&self.over))?;
            flag::register(signal, Arc::clone(flag))?;
        }
        Ok(())
    }

    /// Whether somebody wants this program to end.
    pub fn any(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.terminated.load(Ordering::Relaxed)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
