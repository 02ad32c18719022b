//! The BPF side of the repo verbs, with clang and aya: a second loader for the
//! same objects, independent of the libbpf that linerate itself uses.
pub mod build;
pub mod inspect;
pub mod load;
