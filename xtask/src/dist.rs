//! `cargo xtask dist`: what people download, as one archive: the binary with its pages, the
//! unit file, the licences and the README.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};

use crate::{
    setup::{self, Tier},
    shell, web, workspace,
};

/// What lies beside the binary.
const FILES: [&str; 5] =
    ["README.md", "LICENSE.md", "LICENSE-MIT", "LICENSE-APACHE", "deploy/linerate.service"];

pub fn main() -> Result<()> {
    setup::ensure(Tier::Build)?;
    // A release without pages would be none.
    web::main(&web::Args::always())?;
    let binary = workspace::release_binary()?;
    holds_pages(&binary)?;
    let host = shell::read(&mut workspace::rustc(&["--print=host-tuple"]))?;
    let name = format!("linerate-{}-{}", env!("CARGO_PKG_VERSION"), host.trim());
    let folder = workspace::target().join("dist");
    let tree = folder.join(&name);
    fs::create_dir_all(&tree)?;
    let files = FILES.map(|file| workspace::root().join(file));
    for file in files.iter().chain([&binary]) {
        let to = tree.join(file.file_name().context("a file has a name")?);
        fs::copy(file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    let archive = folder.join(format!("{name}.tar.gz"));
    // The same content is the same archive, whoever makes it.
    let mut tar = shell::command(
        "tar",
        &["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-czf"],
    );
    shell::run(tar.arg(&archive).arg("-C").arg(&folder).arg(&name))?;
    fs::remove_dir_all(&tree)?;
    println!("{}", archive.display());
    Ok(())
}

/// Whether the names of the files that the page loads stand in the binary.
fn holds_pages(binary: &Path) -> Result<()> {
    let page = fs::read_to_string(web::index()).context("the pages were not built")?;
    let binary = fs::read(binary)?;
    let named: Vec<_> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    ensure!(!named.is_empty(), "the page loads no file");
    for file in named {
        let found = binary.windows(file.len()).any(|octets| octets == file.as_bytes());
        ensure!(found, "the binary does not hold {file} of the pages");
    }
    Ok(())
}
