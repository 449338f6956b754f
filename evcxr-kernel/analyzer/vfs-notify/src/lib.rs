//! A reader of crates' sources that has nothing to read: the compiler knows them.

use ra_ap_vfs::loader::{Config, Handle, LoadingProgress, Message, Sender};

/// It says at once that all is read.
#[derive(Debug)]
pub struct NotifyHandle(Sender);

impl Handle for NotifyHandle {
    fn spawn(sender: Sender) -> Self {
        Self(sender)
    }

    fn set_config(&mut self, config: Config) {
        // Whoever has no ear for it any more has ended.
        let _ = self.0.send(Message::Progress {
            n_total: 0,
            n_done: LoadingProgress::Finished,
            config_version: config.version,
        });
    }
}
