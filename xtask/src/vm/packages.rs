//! Kernels and tools from Debian's archive, through an apt state of our own under
//! `target/`: the machine's sources stay as they are, and no kernel is installed on it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::Kernel;
use crate::{shell, workspace};

const VIRTME: &str = "virtme-ng==1.42";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A kernel that can be booted, its modules beside it.
#[derive(Debug)]
pub struct Image {
    /// As `uname -r` says.
    pub version: String,
    pub path: PathBuf,
    /// The folder that holds `lib/modules`.
    pub root: PathBuf,
}

fn folder() -> PathBuf {
    workspace::target().join("vm")
}

/// apt's options for the state of our own, its lists fetched.
pub fn archive() -> Result<Vec<String>> {
    let top = folder().join("apt");
    let sources = top.join("sources.list");
    for part in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(top.join(part))?;
    }
    let options: Vec<String> = [
        ("Dir::Etc::sourcelist", sources.display().to_string()),
        ("Dir::Etc::sourceparts", "/dev/null".to_owned()),
        ("Dir::State::lists", top.join("lists").display().to_string()),
        ("Dir::Cache", top.join("cache").display().to_string()),
    ]
    .iter()
    .flat_map(|(name, value)| ["-o".to_owned(), format!("{name}={value}")])
    .collect();
    if !fs::read_dir(top.join("lists"))?.flatten().any(|entry| entry.path().is_file()) {
        let mirror = mirror()?;
        let suites = ["bookworm", "bookworm-backports", "trixie-backports"];
        let lines =
            suites.map(|suite| format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"));
        fs::write(&sources, lines.concat())?;
        shell::run(shell::command("apt-get", &options).args(["-q", "update"]))?;
    }
    Ok(options)
}

/// apt's options for installing QEMU: Debian 12's own has no igb, its backports have it.
pub fn for_tools() -> Result<Vec<String>> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !release.lines().any(|line| line == "VERSION_CODENAME=bookworm") {
        return Ok(Vec::new());
    }
    let mut options = archive()?;
    options.extend(["-t", "bookworm-backports"].map(str::to_owned));
    Ok(options)
}

/// The mirror of Debian that this machine uses itself.
fn mirror() -> Result<String> {
    ensure!(Path::new(KEYRING).exists(), "the package debian-archive-keyring is not installed");
    let format = ["indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(SUITE)"];
    let known = shell::read(&mut shell::command("apt-get", &format))?;
    let mirror = known.lines().find_map(|line| {
        let mut words = line.split(' ');
        let address = words.next()?;
        let ours = words.next() == Some("Debian")
            && words.next().is_some_and(|suite| !suite.contains("security"));
        ours.then(|| address.trim_end_matches('/').to_owned())
    });
    mirror.context(
        "apt knows no mirror of Debian, whose kernels these are; run `apt-get update` on Debian",
    )
}

/// Fetches and unpacks a kernel, once.
pub fn kernel(kernel: Kernel) -> Result<Image> {
    let root = folder().join("kernels").join(kernel.to_string());
    if !root.join("complete").exists() {
        // Lists grow old: what they name may be gone from the archive.
        if fetch(kernel, &root).is_err() {
            fs::remove_dir_all(folder().join("apt"))?;
            fetch(kernel, &root)?;
        }
        fs::write(root.join("complete"), "")?;
    }
    let modules = root.join("usr/lib/modules");
    let version = only_entry(&modules)?;
    let path = modules.join(&version).join("vmlinuz");
    Ok(Image { version, path, root })
}

fn fetch(kernel: Kernel, root: &Path) -> Result<()> {
    let options = archive()?;
    let release = match kernel {
        Kernel::V6_1 => "bookworm",
        Kernel::V6_12 => "bookworm-backports",
        Kernel::Newest => "trixie-backports",
    };
    let meta = format!("linux-image-amd64/{release}");
    let mut show = shell::command("apt-cache", &options);
    let text = shell::read(show.args(["show", "--no-all-versions", &meta]))?;
    let image = depends(&text)
        .find(|name| name.starts_with("linux-image-") && *name != "linux-image-amd64")
        .context("linux-image-amd64 names no kernel")?;
    let version = image.trim_start_matches("linux-image-");
    // Since 6.19 the image is split; the parts carry the same version.
    let mut wanted = Vec::new();
    for part in ["linux-base", "linux-binary", "linux-modules"] {
        let name = format!("{part}-{version}");
        let mut show = shell::command("apt-cache", &options);
        if shell::succeeds(show.args(["show", &name])) {
            wanted.push(name);
        }
    }
    if wanted.is_empty() {
        wanted.push(image.to_owned());
    }
    let _ = fs::remove_dir_all(root);
    let debs = root.join("debs");
    fs::create_dir_all(&debs)?;
    let mut download = shell::command("apt-get", &options);
    download.args(["-q", "download"]).args(&wanted).current_dir(&debs);
    shell::run(&mut download)?;
    for deb in fs::read_dir(&debs)? {
        let deb = deb?.path();
        shell::run(shell::command("dpkg", &["-x"]).arg(&deb).arg(root))?;
    }
    fs::remove_dir_all(&debs)?;
    tidy_up(root)
}

/// The packages that a stanza of apt-cache depends on.
fn depends(stanza: &str) -> impl Iterator<Item = &str> {
    let line = stanza.lines().find_map(|line| line.strip_prefix("Depends: ")).unwrap_or_default();
    line.split(", ").filter_map(|word| word.split(' ').next())
}

/// One layout for all: `usr/lib/modules/VERSION` with `vmlinuz` and `modules.dep` in it,
/// and `lib` as a link, as on a merged /usr.
fn tidy_up(root: &Path) -> Result<()> {
    let usr = root.join("usr/lib");
    if !usr.join("modules").exists() {
        fs::create_dir_all(&usr)?;
        fs::rename(root.join("lib/modules"), usr.join("modules"))?;
        fs::remove_dir_all(root.join("lib"))?;
    }
    if !root.join("lib").exists() {
        std::os::unix::fs::symlink("usr/lib", root.join("lib"))?;
    }
    let version = only_entry(&usr.join("modules"))?;
    let image = usr.join("modules").join(&version).join("vmlinuz");
    if !image.exists() {
        fs::rename(root.join("boot").join(format!("vmlinuz-{version}")), &image)?;
    }
    let depmod = shell::find_program("depmod").context("depmod is not installed")?;
    shell::run(shell::command(&depmod.to_string_lossy(), &["-b"]).arg(root).arg(&version))
}

fn only_entry(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let names: Vec<_> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    match &names[..] {
        [one] => Ok(one.clone()),
        _ => bail!("{} holds {} kernels, not one", folder.display(), names.len()),
    }
}

/// virtme-ng in a virtual environment of the system's Python.
pub fn virtme() -> Result<PathBuf> {
    let venv = folder().join("venv");
    let starter = venv.join("bin/virtme-run");
    if !starter.exists() {
        fs::create_dir_all(folder())?;
        shell::run(shell::command("/usr/bin/python3", &["-m", "venv"]).arg(&venv))?;
        let pip = venv.join("bin/pip");
        let install = ["install", "-q", "--disable-pip-version-check", VIRTME];
        shell::run(&mut shell::command(&pip.to_string_lossy(), &install))?;
    }
    Ok(starter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_that_a_stanza_depends_on_are_read_without_their_versions() {
        let stanza = "Package: a\nDepends: b-1 (= 6.1-2), c | d, e\nDescription: x\n";
        assert_eq!(depends(stanza).collect::<Vec<_>>(), ["b-1", "c", "e"]);
    }
}
