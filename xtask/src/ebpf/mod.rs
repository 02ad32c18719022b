//! The BPF side of the repo verbs, with clang and aya: a second compiler driver
//! and a second loader for the same programs, independent of the libbpf that
//! linerate itself uses.

pub mod btf;
pub mod build;
pub mod inspect;
pub mod kernel;
pub mod load;
pub mod port;
