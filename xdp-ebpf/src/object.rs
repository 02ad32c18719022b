//! From object bytes to a loaded program and its maps.
#![allow(unsafe_code, reason = "a config struct is handed over as octets")]

use crate::{
    Error,
    mapped::{MappedArray, Plain},
};
use libbpf_rs::{
    ErrorKind, MapCore, ObjectBuilder, OpenObject, PrintLevel,
    libbpf_sys::{BPF_F_XDP_DEV_BOUND_ONLY, BPF_F_XDP_HAS_FRAGS},
};
use std::{
    cell::RefCell,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Once,
};

/// An object file as it stands in this binary, aligned as ELF wants it.
#[repr(C, align(8))]
pub(crate) struct Aligned<T: ?Sized>(pub(crate) T);

/// Octets of an object that build.rs compiled.
macro_rules! object {
    ($name:literal) => {{
        static OBJECT: &$crate::object::Aligned<[u8]> = &$crate::object::Aligned(*include_bytes!(
            concat!(env!("OUT_DIR"), "/", $name, ".bpf.o")
        ));
        &OBJECT.0
    }};
}
pub(crate) use object;

/// How an object is to be loaded.
#[derive(Debug, Default)]
pub(crate) struct Load<'a> {
    pub(crate) name: &'static str,
    pub(crate) object: &'static [u8],
    /// Octets of `.rodata`.
    pub(crate) config: Option<&'a [u8]>,
    /// Entries of maps by name.
    pub(crate) entries: &'a [(&'static str, u32)],
    /// A map of another analyser to use instead of a new one, by name.
    pub(crate) shared: Option<(&'static str, BorrowedFd<'a>)>,
    /// The one device whose metadata the program may read.
    pub(crate) device: Option<u32>,
    pub(crate) multi_buffer: bool,
}

/// A program in the kernel, and its maps. Closing these lets go of both.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) program: OwnedFd,
    maps: Vec<LoadedMap>,
}

#[derive(Debug)]
struct LoadedMap {
    name: String,
    fd: OwnedFd,
    entries: u32,
    value_bytes: u32,
}

impl Loaded {
    /// The memory of an array map, or of global variables by the end of their map's name.
    pub(crate) fn map<T: Plain>(&self, name: &str) -> Result<MappedArray<T>, Error> {
        let named = |map: &&LoadedMap| {
            map.name == name || name.starts_with('.') && map.name.ends_with(name)
        };
        match self.maps.iter().find(named) {
            Some(map) if map.value_bytes as usize == size_of::<T>() => {
                MappedArray::new(map.fd.as_fd(), map.entries)
            }
            _ => Err(Error::Setup {
                what: format!("an object whose map `{name}` is not that of abi.h; rebuild it"),
            }),
        }
    }

    /// A map by name, to keep.
    pub(crate) fn keep_fd(&self, name: &str) -> Result<OwnedFd, Error> {
        self.fd(name)?
            .try_clone_to_owned()
            .map_err(|source| Error::System { action: "keep a map of a program", source })
    }

    /// A map by name.
    pub(crate) fn fd(&self, name: &str) -> Result<BorrowedFd<'_>, Error> {
        let map = self.maps.iter().find(|map| map.name == name);
        map.map(|map| map.fd.as_fd()).ok_or_else(|| Error::Setup {
            what: format!("an object without a map `{name}`; rebuild it"),
        })
    }
}

impl Load<'_> {
    /// Gives the program to the kernel.
    pub(crate) fn run(&self) -> Result<Loaded, Error> {
        let _words = Words::collect();
        let mut open = ObjectBuilder::default()
            .open_memory(self.object)
            .map_err(|error| self.refused(&error))?;
        self.prepare(&mut open).map_err(|error| self.refused(&error))?;
        let object = open.load().map_err(|error| self.refused(&error))?;

        let keep = |fd: BorrowedFd<'_>| {
            fd.try_clone_to_owned()
                .map_err(|source| Error::System { action: "keep a map of a program", source })
        };
        let maps = object
            .maps()
            .map(|map| {
                Ok(LoadedMap {
                    name: map.name().to_string_lossy().into_owned(),
                    fd: keep(map.as_fd())?,
                    entries: map.max_entries(),
                    value_bytes: map.value_size(),
                })
            })
            .collect::<Result<_, Error>>()?;
        let program = object.progs().next().ok_or_else(|| Error::Setup {
            what: format!("the object `{}`, which holds no program; rebuild it", self.name),
        })?;
        Ok(Loaded { program: keep(program.as_fd())?, maps })
    }

    fn prepare(&self, open: &mut OpenObject) -> libbpf_rs::Result<()> {
        for mut map in open.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            if let Some((_, map_fd)) = self.shared.filter(|(shared, _)| *shared == name) {
                map.reuse_fd(map_fd)?;
            } else if let Some((_, entries)) = self.entries.iter().find(|(known, _)| *known == name)
            {
                map.set_max_entries(*entries)?;
            } else if name.ends_with(".rodata")
                && let Some(config) = self.config
            {
                map.set_initial_value(config)?;
            }
        }
        for mut program in open.progs_mut() {
            let mut flags = 0;
            if self.multi_buffer {
                flags |= BPF_F_XDP_HAS_FRAGS;
            }
            if let Some(ifindex) = self.device {
                program.set_ifindex(ifindex);
                flags |= BPF_F_XDP_DEV_BOUND_ONLY;
            }
            program.set_flags(flags);
        }
        Ok(())
    }

    fn refused(&self, error: &libbpf_rs::Error) -> Error {
        let words = Words::take();
        if let Some((_, log)) = words.split_once("BEGIN PROG LOAD LOG --") {
            let log = log.split("-- END PROG LOAD LOG").next().unwrap_or(log);
            // Only CAP_PERFMON may take the length of a frame from its ends; Linux 6.1's words
            // are the second.
            let lacks_perfmon = ["pointer -= pointer prohibited", "prohibited for !root"];
            if lacks_perfmon.iter().any(|words| log.contains(words)) {
                return Error::permission("load BPF programs");
            }
            return Error::Verifier { program: self.name, log: log.trim().to_owned() };
        }
        match error.kind() {
            ErrorKind::PermissionDenied => Error::permission("load BPF programs"),
            ErrorKind::OutOfMemory => Error::Memory { bytes: 0 },
            _ => {
                let last =
                    words.lines().last().map_or("", |line| line.trim_start_matches("libbpf: "));
                Error::Kernel { program: self.name, reason: format!("{error:#}; {last}") }
            }
        }
    }
}

/// A config struct as octets.
pub(crate) fn octets<T: Plain>(config: &T) -> &[u8] {
    // SAFETY: a struct of integers without padding, borrowed as long as the slice.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(config).cast(), size_of::<T>()) }
}

thread_local! {
    static WORDS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Collects what libbpf says on this thread, which would otherwise go to stderr.
struct Words;

impl Words {
    fn collect() -> Self {
        static HUSH: Once = Once::new();
        HUSH.call_once(|| {
            libbpf_rs::set_print(Some((PrintLevel::Warn, |_, line| {
                WORDS.with_borrow_mut(|words| {
                    if let Some(words) = words {
                        words.push_str(&line);
                    }
                });
            })));
        });
        WORDS.set(Some(String::new()));
        Self
    }

    fn take() -> String {
        WORDS.with_borrow_mut(|words| words.as_mut().map(std::mem::take)).unwrap_or_default()
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        WORDS.set(None);
    }
}
