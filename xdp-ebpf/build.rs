//! Compiles the BPF programs, turns abi.h into Rust, and, with the feature `host`, the
//! pure headers into functions of this process.

use libbpf_cargo::SkeletonBuilder;
use std::{env, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let host = env::var_os("CARGO_FEATURE_HOST").is_some();
    println!("cargo::rerun-if-changed=src/bpf");

    bindgen::Builder::default()
        .header("src/bpf/abi.h")
        .allowlist_file(".*/abi(_\\w+)?\\.h")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(false)
        .derive_default(true)
        .derive_eq(true)
        .generate()
        .expect("abi.h is plain C")
        .write_to_file(out.join("abi.rs"))
        .expect("OUT_DIR is writable");

    // Where multiarch systems keep <asm/types.h>; clang for BPF does not look there.
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
    let asm_headers = format!("-I/usr/include/{arch}-linux-gnu");
    let bench: &[&str] = if host {
        &["analyser_bench", "analyser_clock", "baseline", "counter_bench", "sender_bench"]
    } else {
        &[]
    };
    let programs =
        ["analyser", "analyser_nic", "matcher", "capture", "generator", "redirects", "responder"];
    for program in programs.iter().chain(bench) {
        SkeletonBuilder::new()
            .source(format!("src/bpf/{program}.bpf.c"))
            .obj(out.join(format!("{program}.bpf.o")))
            // v3 has compare-exchange.
            .clang_args([
                "-mcpu=v3",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-unused-function",
                &asm_headers,
            ])
            .build()
            .unwrap_or_else(|error| panic!("{program}.bpf.c does not compile: {error:#}"));
    }
    if host {
        bindgen::Builder::default()
            .header("src/bpf/host.h")
            .allowlist_file(".*/host\\.h")
            .blocklist_file(".*/abi(_\\w+)?\\.h")
            .raw_line("use crate::abi::{lane, live_stream, nic_fit, record, size_variant, slab};")
            .raw_line("use crate::abi::window;")
            .derive_default(true)
            .layout_tests(false)
            .generate()
            .expect("host.h is plain C")
            .write_to_file(out.join("host.rs"))
            .expect("OUT_DIR is writable");
        cc::Build::new()
            .file("src/bpf/host.c")
            .flags(["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"])
            .compile("linerate_host");
    }
}
