// Run once in every process that evcxr starts for the reader's code, as a cell of its own. Only the
// standard library is at hand, and all is inside one block, so no later cell sees any of it.
{
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::path::Path;

    unsafe extern "C" {
        fn dup2(from: i32, to: i32) -> i32;
        fn kill(process: i32, signal: i32) -> i32;
        fn _exit(status: i32) -> !;
    }

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

    fn end() -> ! {
        // SAFETY: ends the process without the destructors of libraries that are still in use.
        unsafe { _exit(0) }
    }

    fn attach(folder: &'static Path) -> std::io::Result<()> {
        use std::os::fd::AsFd;
        let out = connect(folder, "out")?;
        let err = connect(folder, "err")?;
        let mut flush = connect(folder, "flush")?;
        let mut lines = connect(folder, "lines")?;
        lines.read_exact(&mut [0])?;
        let mut evcxr_out =
            std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        let evcxr_in = std::fs::File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        let (mut input, input_end) = UnixStream::pair()?;
        replace(0, &input_end)?;
        replace(1, &out)?;
        replace(2, &err)?;

        let parent = std::os::unix::process::parent_id();
        // From evcxr to the process; the kernel hears when a cell starts.
        let mut started = lines.try_clone()?;
        std::thread::spawn(move || {
            for line in BufReader::new(evcxr_in).lines() {
                let Ok(line) = line else { break };
                if line.starts_with("LOAD_AND_RUN") {
                    let _ = started.write_all(b"s");
                }
                if writeln!(input, "{line}").is_err() {
                    break;
                }
            }
            // If the kernel is gone too, the thread below has a moment to clean up.
            std::thread::sleep(std::time::Duration::from_millis(200));
            end()
        });
        // From the kernel to evcxr.
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines() {
                let Ok(line) = line else { break };
                if writeln!(evcxr_out, "{line}").is_err() {
                    break;
                }
            }
            // The kernel was killed: nothing of it may stay behind.
            let _ = std::fs::remove_dir_all(folder);
            if std::os::unix::process::parent_id() == parent {
                // SAFETY: the parent is the evcxr_jupyter that the kernel has started.
                unsafe { kill(parent as i32, 9) };
            }
            end()
        });
        // Unfinished lines lie in a buffer of this process until somebody asks for them.
        std::thread::spawn(move || {
            let mut byte = [0];
            while flush.read_exact(&mut byte).is_ok() {
                let _ = std::io::stdout().flush();
                if flush.write_all(&byte).is_err() {
                    break;
                }
            }
        });

        let cells = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            let thread = if thread.id() == cells { "" } else { thread.name().unwrap_or("unnamed") };
            let message = info.payload_as_str().unwrap_or("a panic without a message");
            let (file, line, column) = info
                .location()
                .map_or(("", 0, 0), |place| (place.file(), place.line(), place.column()));
            let tell = || -> std::io::Result<()> {
                let mut stream = connect(folder, "panic")?;
                let fields = [thread, file, &line.to_string(), &column.to_string()];
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
                eprintln!("panicked at {file}:{line}:{column}: {message}");
            }
        }));
        Ok(())
    }

    if let Some(folder) = std::env::var_os("ICVAE_LIVE") {
        let folder: &'static Path = Path::new(Box::leak(folder.into_boxed_os_str()));
        if let Err(error) = attach(folder) {
            eprintln!("the live kernel cannot be reached: {error}");
        }
    }
};
