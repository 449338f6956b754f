// Run once in every process that evcxr starts for the reader's code, as a cell of its own. Only the
// standard library is at hand, and all is inside one block, so no later cell sees any of it.
{
    use std::ffi::{CStr, CString, OsStr, c_char, c_void};
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::fd::{AsFd, AsRawFd};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};

    #[repr(C)]
    struct DlInfo {
        file: *const c_char,
        base: *mut c_void,
        name: *const c_char,
        address: *mut c_void,
    }

    /// evcxr's own, as it compiles it into each cell.
    struct VariableStore {
        variables: std::collections::HashMap<String, Box<dyn std::any::Any>>,
    }

    /// The way to evcxr.
    static EVCXR: std::sync::OnceLock<std::fs::File> = std::sync::OnceLock::new();

    unsafe extern "C" {
        fn dladdr(address: *const c_void, place: *mut DlInfo) -> i32;
        fn dlopen(file: *const c_char, flags: i32) -> *mut c_void;
        fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
        fn dup2(from: i32, to: i32) -> i32;
        fn fcntl(fd: i32, command: i32, ...) -> i32;
        fn kill(process: i32, signal: i32) -> i32;
        fn _exit(status: i32) -> !;
    }

    type Hook = Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync>;
    type Cell = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

    /// What the loop over the cells needs, from the time it is made until that loop begins.
    struct Cells {
        commands: mpsc::Receiver<String>,
        /// Tells the kernel when a cell begins (`s`) and ends (`e`; `E` if it may not have heard of
        /// a panic).
        tell: UnixStream,
        folder: &'static Path,
        out: UnixStream,
        err: UnixStream,
        hook: usize,
    }
    static CELLS: Mutex<Option<Cells>> = Mutex::new(None);
    /// Whether the thread of the cells has panicked since gradients were last put right.
    static PANICKED: AtomicBool = AtomicBool::new(false);
    /// Whether a panic could not be told.
    static UNTOLD: AtomicBool = AtomicBool::new(false);

    fn connect(folder: &Path, kind: &str) -> std::io::Result<UnixStream> {
        let mut stream = UnixStream::connect(folder.join("side"))?;
        stream.write_all(format!("{kind} {}\n", std::process::id()).as_bytes())?;
        Ok(stream)
    }

    fn replace(fd: i32, by: &impl AsRawFd) -> std::io::Result<()> {
        // SAFETY: both descriptors are open, and nobody holds on to the file behind the old one.
        match unsafe { dup2(by.as_raw_fd(), fd) } {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    fn end(status: i32) -> ! {
        // SAFETY: ends the process without the destructors of libraries that are still in use.
        unsafe { _exit(status) }
    }

    /// Whether the kernel was killed: then nobody listens any more.
    fn kernel_is_gone(folder: &Path) -> bool {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        UnixStream::connect(folder.join("side"))
            .is_err_and(|error| matches!(error.kind(), ConnectionRefused | NotFound))
    }

    /// Ends the process after the kernel, of which nothing may stay behind.
    fn end_after_kernel(folder: &Path) -> ! {
        // A compiler may be writing its last into it.
        for _ in 0..20 {
            if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        end(0)
    }

    /// The places of the cells' programs that lead to here, the nearest first, each as an offset and its file. Only the
    /// relay can find their lines: the standard library sees no library that was loaded after its first look.
    fn way() -> String {
        unsafe extern "C" {
            fn _Unwind_Backtrace(
                each: extern "C" fn(*mut c_void, *mut c_void) -> i32,
                to: *mut c_void,
            ) -> i32;
            fn _Unwind_GetIP(context: *mut c_void) -> usize;
        }
        extern "C" fn each(context: *mut c_void, to: *mut c_void) -> i32 {
            // SAFETY: the unwinder hands over its context, and what was given to it below.
            let (at, to) = unsafe { (_Unwind_GetIP(context), &mut *to.cast::<Vec<usize>>()) };
            to.push(at);
            if to.len() < 256 { 0 } else { 5 }
        }
        let mut stack: Vec<usize> = Vec::new();
        // SAFETY: `each` gets this vector and nothing else does meanwhile.
        unsafe { _Unwind_Backtrace(each, (&raw mut stack).cast()) };
        let file_and_base = |address: usize| {
            let mut place = DlInfo {
                file: std::ptr::null(),
                base: std::ptr::null_mut(),
                name: std::ptr::null(),
                address: std::ptr::null_mut(),
            };
            // SAFETY: fills the place; the name of a loaded library stays.
            let found = unsafe { dladdr(address as *const c_void, (&raw mut place).cast()) };
            // SAFETY: as above.
            (found != 0 && !place.file.is_null())
                .then(|| (unsafe { CStr::from_ptr(place.file) }, place.base as usize))
        };
        let own = file_and_base(each as *const () as usize).map(|(_, base)| base);
        let mut way = String::new();
        for address in stack {
            let Some((file, base)) = file_and_base(address) else { continue };
            let file = file.to_string_lossy();
            let of_a_cell = file.rsplit('/').next().is_some_and(|name| name.contains("code_"));
            if of_a_cell && Some(base) != own {
                way.push_str(&format!("{} {file}\n", address - base));
            }
        }
        way
    }

    /// Standard input by way of the kernel. The byte is never read there: so a reader hears of an
    /// error, and not of an end, when the kernel closes its side.
    fn renew_input(folder: &Path) -> std::io::Result<()> {
        let mut input = connect(folder, "in")?;
        input.write_all(b".")?;
        replace(0, &input)
    }

    /// Counts how often it was asked whether somebody waits for input.
    static LOOKS: AtomicUsize = AtomicUsize::new(0);

    /// Which of the reader's threads wait for standard input can be seen on Linux only.
    #[cfg(target_os = "linux")]
    fn waits_for_input() -> bool {
        #[repr(C)]
        struct Poll(i32, i16, i16);
        unsafe extern "C" {
            fn poll(fds: *mut Poll, count: std::ffi::c_ulong, timeout: i32) -> i32;
        }
        let calls: [&str; 2] = if cfg!(target_arch = "x86_64") { ["0", "19"] } else { ["63", "65"] };
        let reads = |task: &Path| {
            let call = std::fs::read_to_string(task.join("syscall")).unwrap_or_default();
            let mut words = call.split(' ');
            words.next().is_some_and(|word| calls.contains(&word)) && words.next() == Some("0x0")
        };
        // Mostly it is the thread of the cells; the others are looked at now and then.
        let all = LOOKS.fetch_add(1, Ordering::Relaxed) % 8 == 7;
        let cells = Path::new("/proc/self/task").join(std::process::id().to_string());
        let anyone = reads(&cells)
            || all && std::fs::read_dir("/proc/self/task")
                .is_ok_and(|tasks| tasks.flatten().any(|task| reads(&task.path())));
        // Who has an answer already is about to read it.
        let mut input = Poll(0, 1, 0);
        // SAFETY: one descriptor is asked about, without waiting.
        anyone && unsafe { poll(&mut input, 1, 0) } == 0
    }

    #[cfg(not(target_os = "linux"))]
    fn waits_for_input() -> bool {
        false
    }

    /// Runs the cells from here on, in the place of evcxr's own loop, which is left waiting: so
    /// their end is not told by a line that any cell could print, and standard input is theirs.
    #[unsafe(no_mangle)]
    extern "C" fn icvae_cells(mut store: *mut c_void) -> *mut c_void {
        let cells = CELLS.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(mut cells) = cells else { return store };
        if let Err(error) = renew_input(cells.folder) {
            eprintln!("the live kernel cannot be reached: {error}");
        }
        let _ = cells.tell.write_all(b"e");
        while let Ok(line) = cells.commands.recv() {
            let mut words = line.split(' ').skip(1).map(CString::new);
            let (Some(Ok(file)), Some(Ok(name))) = (words.next(), words.next()) else {
                eprintln!("evcxr has sent {line:?}, which is not understood");
                end(99)
            };
            if cells.folder.join("forget").exists() {
                if let Err(error) = forget(cells.folder, store.cast()) {
                    eprintln!("the live kernel cannot drop a variable: {error}");
                }
                let _ = cells.tell.write_all(b"e");
                continue;
            }
            let _ = cells.tell.write_all(b"s");
            cells.mend();
            // SAFETY: evcxr has just compiled this library for this process, and asks for this
            // function of it. Libraries are never closed, since variables hold on to them.
            unsafe {
                let library = dlopen(file.as_ptr(), 1);
                let cell = match library.is_null() {
                    true => library,
                    false => dlsym(library, name.as_ptr()),
                };
                if cell.is_null() {
                    eprintln!("{} cannot be loaded", file.to_string_lossy());
                    end(99)
                }
                store = std::mem::transmute::<*mut c_void, Cell>(cell)(store);
            }
            cells.mend();
            // SAFETY: evcxr passes its own store, which nobody else uses meanwhile.
            if let Some(store) = unsafe { store.cast::<VariableStore>().as_ref() } {
                let _ = note_values(cells.folder, store);
            }
            let heard = cells.hook_is_ours() && !UNTOLD.swap(false, Ordering::Relaxed);
            let done = if heard { b"e" } else { b"E" };
            let _ = cells.tell.write_all(done);
        }
        end(0)
    }

    /// A panic inside `tch::no_grad` leaves libtorch's gradients off in this thread, where libtorch is loaded.
    fn put_gradients_on() {
        // RTLD_NOW, and RTLD_NOLOAD as each system counts it.
        let flags = if cfg!(target_os = "macos") { 0x12 } else { 6 };
        let name = if cfg!(target_os = "macos") { c"libc10.dylib" } else { c"libc10.so" };
        // SAFETY: nothing is loaded that was not there, and the function is C++'s `void set_enabled(bool)`.
        unsafe {
            let library = dlopen(name.as_ptr(), flags);
            if library.is_null() {
                return;
            }
            let set = dlsym(library, c"_ZN3c108GradMode11set_enabledEb".as_ptr());
            if !set.is_null() {
                std::mem::transmute::<*mut c_void, extern "C" fn(bool)>(set)(true);
            }
        }
    }

    impl Cells {
        /// What a cell has closed is opened again, and what its panic has left off is on.
        fn mend(&self) {
            if PANICKED.swap(false, Ordering::Relaxed) {
                put_gradients_on();
            }
            // SAFETY: 1 is F_GETFD, which changes nothing.
            let is_closed = |fd| unsafe { fcntl(fd, 1) } == -1;
            if is_closed(0) {
                let _ = renew_input(self.folder);
            }
            for (fd, stream) in [(1, &self.out), (2, &self.err)] {
                if is_closed(fd) {
                    let _ = replace(fd, stream);
                }
            }
        }

        fn hook_is_ours(&self) -> bool {
            let hook = std::panic::take_hook();
            let ours = (&raw const *hook).cast::<()>() as usize == self.hook;
            std::panic::set_hook(hook);
            ours
        }
    }

    /// Runs in the place of a cell that changes what the named variables are made of: drops them by
    /// the code that made them, and has evcxr forget them. Two orders may follow each other.
    fn forget(folder: &Path, store: *mut VariableStore) -> std::io::Result<()> {
        let Some(mut evcxr) = EVCXR.get() else { return Ok(()) };
        let (order, next) = (folder.join("forget"), folder.join("forget.next"));
        let text = std::fs::read_to_string(&order)?;
        if std::fs::rename(&next, &order).is_err() {
            std::fs::remove_file(&order)?;
        }
        let mut fields = text.splitn(3, '\n').map(str::to_owned);
        let mut field = || fields.next().unwrap_or_default();
        let (kind, names, note) = (field(), field(), field());
        eprint!("{note}");
        for name in names.split_whitespace() {
            // SAFETY: evcxr passes its own store, which nobody else uses meanwhile.
            let value = unsafe { store.as_mut() }.and_then(|store| store.variables.remove(name));
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(value)));
            if kind == "lost" {
                writeln!(evcxr, "EVCXR_VARIABLE_CHANGED_TYPE:{name}")?;
            }
        }
        if kind == "anew" {
            // evcxr keeps the definitions and no variable of the cell, which is sent again.
            writeln!(evcxr, "EVCXR_ERROR_OCCURRED")?;
        }
        Ok(())
    }

    /// Writes down the variables whose value is short, for whoever asks what they hold.
    fn note_values(folder: &Path, store: &VariableStore) -> std::io::Result<()> {
        fn short(value: &dyn std::any::Any) -> Option<String> {
            macro_rules! of {
                ($($plain:ty),*; $($list:ty),*) => {
                    $(if let Some(value) = value.downcast_ref::<$plain>() {
                        return Some(format!("{value:?}"));
                    })*
                    $(if let Some(list) = value.downcast_ref::<Vec<$list>>() {
                        let some = format!("{:?}", &list[..list.len().min(8)]);
                        return Some(match list.len() > 8 {
                            true => format!("{}, … {} in all]", some.trim_end_matches(']'), list.len()),
                            false => some,
                        });
                    })*
                };
            }
            of!(i32, i64, u8, u32, u64, usize, f32, f64, bool, char, String, &'static str;
                i32, i64, usize, f32, f64, String);
            None
        }
        let mut text = String::new();
        for (name, value) in &store.variables {
            if let Some(value) = short(&**value) {
                let line: String = value.chars().take(120).collect();
                text.push_str(&format!("{name} {line}\n"));
            }
        }
        std::fs::write(folder.join("values"), text)
    }

    fn attach(folder: &'static Path) -> std::io::Result<()> {
        let out = connect(folder, "out")?;
        let err = connect(folder, "err")?;
        let mut flush = connect(folder, "flush")?;
        let mut lines = connect(folder, "lines")?;
        lines.read_exact(&mut [0])?;
        let mut evcxr_out =
            std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        let _ = EVCXR.set(evcxr_out.try_clone()?);
        let evcxr_in = std::fs::File::from(std::io::stdin().as_fd().try_clone_to_owned()?);

        // evcxr's loop reads one more command, which leads to the loop above.
        let mut place = DlInfo {
            file: std::ptr::null(),
            base: std::ptr::null_mut(),
            name: std::ptr::null(),
            address: std::ptr::null_mut(),
        };
        let here = icvae_cells as *const c_void;
        // SAFETY: asks for the library of a function in it; its name stays where it is.
        let file = unsafe {
            match dladdr(here, &mut place) {
                0 => return Err(std::io::Error::other("this library has no file")),
                _ => PathBuf::from(OsStr::from_bytes(CStr::from_ptr(place.file).to_bytes())),
            }
        };
        let (mut input, input_end) = UnixStream::pair()?;
        input.write_all(format!("LOAD_AND_RUN {} icvae_cells\n", file.display()).as_bytes())?;
        replace(0, &input_end)?;
        replace(1, &out)?;
        replace(2, &err)?;
        // Nobody else writes to it, and it must not seem to end.
        std::mem::forget(input);

        let parent = std::os::unix::process::parent_id();
        // From evcxr to the process.
        let (commands, command_queue) = mpsc::channel();
        let tell = lines.try_clone()?;
        std::thread::spawn(move || {
            for line in BufReader::new(evcxr_in).lines() {
                let Ok(line) = line else { break };
                if commands.send(line).is_err() {
                    break;
                }
            }
            // evcxr goes with the kernel, and may be gone a moment before it.
            for _ in 0..20 {
                if kernel_is_gone(folder) {
                    end_after_kernel(folder)
                }
                std::thread::sleep(std::time::Duration::from_millis(25));
            }
            end(0)
        });
        // From the kernel to evcxr.
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines() {
                let Ok(line) = line else { break };
                if writeln!(evcxr_out, "{line}").is_err() {
                    break;
                }
            }
            if std::os::unix::process::parent_id() == parent {
                // SAFETY: the parent is the evcxr_jupyter that the kernel has started.
                unsafe { kill(parent as i32, 9) };
            }
            end_after_kernel(folder)
        });
        // Unfinished lines lie in a buffer of this process until somebody asks for them (`f`).
        // Then the kernel also hears whether the code waits for input (`i`), and may have taken
        // the old input back (`r`).
        std::thread::spawn(move || {
            let mut byte = [0];
            while flush.read_exact(&mut byte).is_ok() {
                match &byte {
                    b"r" => drop(renew_input(folder)),
                    _ => {
                        let _ = std::io::stdout().flush();
                        let told = match waits_for_input() {
                            true => flush.write_all(b"if"),
                            false => flush.write_all(b"f"),
                        };
                        if told.is_err() {
                            break;
                        }
                    }
                }
            }
        });

        let cells = std::thread::current().id();
        let hook: Hook = Box::new(move |info| {
            let thread = std::thread::current();
            PANICKED.fetch_or(thread.id() == cells, Ordering::Relaxed);
            let thread = if thread.id() == cells { "" } else { thread.name().unwrap_or("unnamed") };
            let message = info.payload_as_str().unwrap_or("a panic without a message");
            let (file, line, column) = info
                .location()
                .map_or(("", 0, 0), |place| (place.file(), place.line(), place.column()));
            let tell = || -> std::io::Result<()> {
                let way = way();
                let mut stream = connect(folder, "panic")?;
                let fields = [thread, file, &line.to_string(), &column.to_string(), &way];
                for field in fields {
                    stream.write_all(field.replace('\0', " ").as_bytes())?;
                    stream.write_all(b"\0")?;
                }
                stream.write_all(message.as_bytes())?;
                stream.shutdown(std::net::Shutdown::Write)?;
                stream.read_to_end(&mut Vec::new())?;
                Ok(())
            };
            if tell().is_err() {
                // Printing to nobody panics, and a panic in here would end the process at once.
                if kernel_is_gone(folder) {
                    end_after_kernel(folder)
                }
                UNTOLD.store(true, Ordering::Relaxed);
                let _ = writeln!(std::io::stderr(), "panicked at {file}:{line}:{column}: {message}");
            }
        });
        let address = (&raw const *hook).cast::<()>() as usize;
        std::panic::set_hook(hook);
        let cells = Cells { commands: command_queue, tell, folder, out, err, hook: address };
        *CELLS.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(cells);
        Ok(())
    }

    if let Some(temporary) = std::env::var_os("ICVAE_TMPDIR") {
        // SAFETY: no other thread of this process is there yet.
        unsafe { std::env::set_var("TMPDIR", temporary) };
    }
    if let Some(path) = std::env::var_os("ICVAE_PATH") {
        // SAFETY: as above.
        unsafe {
            std::env::set_var("PATH", path);
            std::env::remove_var("CARGO");
            match std::env::var_os("ICVAE_TOOLCHAIN") {
                Some(own) => std::env::set_var("RUSTUP_TOOLCHAIN", own),
                None => std::env::remove_var("RUSTUP_TOOLCHAIN"),
            }
        }
    }
    if let Some(folder) = std::env::var_os("ICVAE_LIVE") {
        let folder: &'static Path = Path::new(Box::leak(folder.into_boxed_os_str()));
        if let Err(error) = attach(folder) {
            eprintln!("the live kernel cannot be reached: {error}");
        }
    }
};
