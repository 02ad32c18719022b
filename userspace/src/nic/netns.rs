use super::{NicError, error::nearest_first};
use nix::sched::{CloneFlags, setns};
use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::MetadataExt,
    },
    thread,
};

/// Where iproute2 keeps named namespaces (ip-netns(8)).
const DIRECTORY: &str = "/run/netns";

/// A network namespace, kept alive as long as this value lives.
#[derive(Debug)]
pub struct Netns {
    name: Option<String>,
    file: File,
    id: NetnsId,
}

/// The device and inode numbers of its nsfs file: equal if and only if the namespace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NetnsId(u64, u64);

impl Netns {
    /// The named namespace, or with `None` that of the calling thread.
    ///
    /// # Errors
    /// [`NicError::UnknownNetns`] with the names that exist.
    pub fn open(name: Option<&str>) -> Result<Self, NicError> {
        let file = match name {
            None => File::open("/proc/thread-self/ns/net")
                .map_err(|error| NicError::kernel("open the current network namespace", error))?,
            Some(name) => {
                File::open(format!("{DIRECTORY}/{name}")).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => NicError::UnknownNetns {
                        name: name.to_owned(),
                        existing: nearest_first(name, Self::names().unwrap_or_default()),
                    },
                    _ => NicError::refused(
                        format!("open the network namespace `{name}`"),
                        "CAP_DAC_OVERRIDE",
                        error,
                    ),
                })?
            }
        };
        let metadata = file
            .metadata()
            .map_err(|error| NicError::kernel("look at a network namespace", error))?;
        let id = NetnsId(metadata.dev(), metadata.ino());
        Ok(Self { name: name.map(str::to_owned), file, id })
    }

    /// The names of all named namespaces, sorted.
    ///
    /// # Errors
    /// [`NicError::Kernel`] if `/run/netns` exists and cannot be read.
    pub fn names() -> Result<Vec<String>, NicError> {
        let failed = |error| NicError::kernel(format!("list {DIRECTORY}"), error);
        let entries = match fs::read_dir(DIRECTORY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        names.sort();
        Ok(names)
    }

    /// Its name; `None` if it was opened as the calling thread's own.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn id(&self) -> NetnsId {
        self.id
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Runs `work` inside the namespace: here if this thread is in it, else on a thread
    /// that enters it and ends with the work.
    ///
    /// # Errors
    /// Those of [`Self::enter`].
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, NicError> {
        if self.is_current()? {
            return Ok(work());
        }
        thread::scope(|scope| {
            let thread = thread::Builder::new()
                .name("netns".to_owned())
                .spawn_scoped(scope, || {
                    self.enter()?;
                    Ok(work())
                })
                .map_err(|error| NicError::kernel("start a thread", error))?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves the calling thread into the namespace, for good.
    ///
    /// # Errors
    /// [`NicError::Privilege`] without `CAP_SYS_ADMIN`; [`NicError::StaleNetns`].
    pub fn enter(&self) -> Result<(), NicError> {
        if self.is_current()? {
            return Ok(());
        }
        setns(&self.file, CloneFlags::CLONE_NEWNET).map_err(|errno| {
            // A file that `ip netns add` left behind, with nothing mounted on it.
            if let (nix::Error::EINVAL, Some(name)) = (errno, &self.name) {
                return NicError::StaleNetns { name: name.clone() };
            }
            let name = self.name.as_deref().unwrap_or("of another thread");
            let action = format!("enter the network namespace `{name}`");
            NicError::refused(action, "CAP_SYS_ADMIN", errno.into())
        })
    }

    /// Its inode, which the kernel calls `ns.inum`.
    pub fn inode(&self) -> u32 {
        self.id.1 as u32
    }

    fn is_current(&self) -> Result<bool, NicError> {
        Ok(Self::open(None)?.id == self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nic::testbed::{Lab, without_capability};
    use caps::Capability;

    #[test]
    fn work_runs_inside_and_the_caller_stays_outside() {
        let lab = Lab::new();
        let netns = Netns::open(Some(&lab.west.netns())).unwrap();
        let before = Netns::open(None).unwrap().id();
        let inside = netns.run(|| Netns::open(None).unwrap().id()).unwrap();
        assert_eq!(inside, netns.id());
        assert_ne!(inside, before);
        assert_eq!(Netns::open(None).unwrap().id(), before);
    }

    #[test]
    fn an_unknown_namespace_is_answered_with_those_that_exist() {
        let lab = Lab::new();
        let name = lab.west.netns();
        let error = Netns::open(Some(&format!("{name}x"))).unwrap_err();
        let NicError::UnknownNetns { existing, .. } = &error else { panic!("{error}") };
        assert_eq!(existing[0], name);
        assert_eq!(error.exit_code(), 64);
    }

    #[test]
    fn entering_without_cap_sys_admin_names_the_capability() {
        let lab = Lab::new();
        let error = without_capability(Capability::CAP_SYS_ADMIN, || {
            Netns::open(Some(&lab.west.netns())).unwrap().run(|| ()).unwrap_err()
        });
        assert!(
            matches!(&error, NicError::Privilege { capability: "CAP_SYS_ADMIN", .. }),
            "{error}"
        );
    }
}
