use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::eventfd::{EfdFlags, EventFd},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    thread::{self, JoinHandle},
};

/// A thread that waits for file descriptors and ends at once when this value is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

/// What a worker's thread waits with.
#[derive(Debug)]
pub(super) struct Wake(Arc<EventFd>);

impl Worker {
    /// Starts `work`, which returns once [`Wake::wait`] says that it is time.
    pub(super) fn start(name: &str, work: impl FnOnce(Wake) + Send + 'static) -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let stop = Arc::new(EventFd::from_flags(flags)?);
        let wake = Wake(Arc::clone(&stop));
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(wake))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Writing 1 to a fresh eventfd cannot fail, and a panic was printed by its thread.
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Wake {
    /// Waits until one of `sources` can be read (or has an error to tell), and says for
    /// each whether it can; `None` when the worker has to end.
    pub(super) fn wait(&self, sources: &[BorrowedFd<'_>]) -> Option<Vec<bool>> {
        let all = sources.iter().copied().chain([self.0.as_fd()]);
        let mut fds: Vec<PollFd<'_>> = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        loop {
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                // Nothing is left to wait for; ending beats spinning.
                Err(_) => return None,
                Ok(_) => break,
            }
        }
        let mut ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        if ready.pop() == Some(true) { None } else { Some(ready) }
    }
}
