//! The files of which evcxr tells its analyzer: of them only the cell is kept, and that elsewhere.

use ra_ap_paths::AbsPathBuf;

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId;

/// A file's path.
#[derive(Debug, Clone)]
pub struct VfsPath;

impl From<AbsPathBuf> for VfsPath {
    fn from(_: AbsPathBuf) -> Self {
        Self
    }
}

/// Whether a file is left out.
#[derive(Debug, Clone, Copy)]
pub struct FileExcluded;

/// All files.
#[derive(Debug, Default)]
pub struct Vfs;

impl Vfs {
    /// Takes a file's content.
    pub fn set_file_contents(&mut self, _: VfsPath, _: Option<Vec<u8>>) -> bool {
        true
    }

    /// The number of a file.
    pub fn file_id(&self, _: &VfsPath) -> Option<(FileId, FileExcluded)> {
        Some((FileId, FileExcluded))
    }

    /// What is new: nothing that a cell's types depend on.
    pub fn take_changes(&mut self) -> Vec<(FileId, ChangedFile)> {
        Vec::new()
    }
}

/// A file that is new or other.
#[derive(Debug)]
pub struct ChangedFile {
    /// What has changed.
    pub change: Change,
}

/// What has changed, with the file's new content and its hash.
#[derive(Debug)]
pub enum Change {
    /// A new file.
    Create(Vec<u8>, u64),
    /// Another content.
    Modify(Vec<u8>, u64),
}

/// Reading many files.
pub mod loader {
    use ra_ap_paths::AbsPathBuf;

    /// What to read.
    #[derive(Debug)]
    pub enum Entry {
        /// These folders.
        Directories(Directories),
    }

    /// Folders to read.
    #[derive(Debug)]
    pub struct Directories {
        /// The names' endings.
        pub extensions: Vec<String>,
        /// The folders.
        pub include: Vec<AbsPathBuf>,
        /// And what not to read in them.
        pub exclude: Vec<AbsPathBuf>,
    }

    /// All that is to be read.
    #[derive(Debug)]
    pub struct Config {
        /// Its number.
        pub version: u32,
        /// The folders.
        pub load: Vec<Entry>,
        /// Those to be watched.
        pub watch: Vec<usize>,
    }

    /// How far it is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum LoadingProgress {
        /// At the end.
        Finished,
    }

    /// What a reader of files tells.
    #[derive(Debug)]
    pub enum Message {
        /// How far it is.
        Progress {
            /// Of how many files.
            n_total: usize,
            /// How far.
            n_done: LoadingProgress,
            /// The number of what is read.
            config_version: u32,
        },
        /// Files, read.
        Loaded {
            /// Their paths and contents.
            files: Vec<(AbsPathBuf, Option<Vec<u8>>)>,
        },
        /// Files, read again.
        Changed {
            /// Their paths and contents.
            files: Vec<(AbsPathBuf, Option<Vec<u8>>)>,
        },
    }

    /// Where messages go.
    pub type Sender = crossbeam_channel::Sender<Message>;

    /// A reader of files.
    pub trait Handle {
        /// Begins.
        fn spawn(sender: Sender) -> Self;
        /// Says what to read.
        fn set_config(&mut self, config: Config);
    }
}

/// Sets of files.
pub mod file_set {
    /// One of them.
    #[derive(Debug)]
    pub struct FileSet;

    /// What belongs together.
    #[derive(Debug, Default)]
    pub struct FileSetConfig;

    impl FileSetConfig {
        /// The sets.
        pub fn partition(&self, _: &super::Vfs) -> Vec<FileSet> {
            Vec::new()
        }
    }
}
