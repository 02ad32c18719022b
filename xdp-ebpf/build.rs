//! Compiles the BPF programs into skeletons and abi.h into Rust.

use std::{env, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed=src/bpf");
    bindgen::Builder::default()
        .header("src/bpf/abi.h")
        .allowlist_file(".*/abi\\.h")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(false)
        .generate()
        .expect("abi.h is plain C")
        .write_to_file(out.join("abi.rs"))
        .expect("OUT_DIR is writable");
}
