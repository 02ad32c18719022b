//! The files of `web/dist` as a table in Rust, each plain and, where that is smaller,
//! compressed with Brotli and gzip. No files: an empty table, for Node is not needed to build.

use flate2::{Compression, write::GzEncoder};
use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

const DIST: &str = "web/dist";

pub(crate) fn build_in() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let dist = root.join(DIST);
    // Cargo takes a folder that is not there for one that changed, at every build.
    if root.join("web/package.json").exists() {
        fs::create_dir_all(&dist)?;
    }
    if dist.exists() || root.join("web").exists() {
        println!("cargo::rerun-if-changed={DIST}");
    }
    let mut files = Vec::new();
    list(&dist, &mut files)?;
    files.sort();
    // Half a table would be pages that do not load.
    if !dist.join("index.html").exists() {
        files.clear();
    }
    let mut table = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let path = file.strip_prefix(&dist).unwrap_or(file).to_string_lossy().into_owned();
        let plain = fs::read(file)?;
        let mut hasher = DefaultHasher::new();
        plain.hash(&mut hasher);
        let encoded = |name: &str, octets: Vec<u8>| -> io::Result<String> {
            if octets.len() >= plain.len() {
                return Ok("None".to_owned());
            }
            let name = format!("page{number}.{name}");
            fs::write(out.join(&name), octets)?;
            Ok(format!("Some(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")))"))
        };
        let (brotli, gzip) = (encoded("br", brotli(&plain)?)?, encoded("gz", gzip(&plain)?)?);
        let _ = writeln!(
            table,
            "Page {{ path: {:?}, tag: \"{:016x}\", plain: include_bytes!({:?}), brotli: {brotli}, gzip: {gzip} }},",
            format!("/{path}"),
            hasher.finish(),
            file.display().to_string(),
        );
    }
    table.push(']');
    fs::write(out.join("pages.rs"), table)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The best that Brotli has (RFC 7932), with a window of 4 MiB.
fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
    writer.write_all(plain)?;
    Ok(writer.into_inner())
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(plain)?;
    writer.finish()
}
