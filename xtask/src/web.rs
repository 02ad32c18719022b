//! `cargo xtask web`: the pages that the daemon serves, built with Node into
//! `userspace/web/dist`, from where the build script of `linerate` takes them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context as _, Result, ensure};

use crate::{setup, shell, workspace};

/// Major and minor version; what Vite needs.
const LEAST: (u32, u32) = (20, 19);

#[derive(clap::Args)]
pub struct Args {
    /// Only where a source is newer than what was built
    #[arg(long)]
    if_changed: bool,
}

impl Args {
    /// Whatever was built before.
    pub fn always() -> Self {
        Self { if_changed: false }
    }
}

pub fn main(args: &Args) -> Result<()> {
    let node = Node::find()?;
    node.install_packages()?;
    if args.if_changed { node.build_if_changed() } else { node.build() }
}

/// Node, with its packages and the pages built.
pub fn ready() -> Result<Node> {
    let node = Node::find()?;
    node.install_packages()?;
    node.build_if_changed()?;
    Ok(node)
}

/// For verbs that work without the pages: builds them where that is possible.
pub fn build_where_node_is() -> Result<()> {
    if let Err(why) = Node::find() {
        println!("The binary will have no pages: {why}");
        return Ok(());
    }
    ready().map(drop)
}

/// Types, unit tests, build.
pub fn check() -> Result<()> {
    let node = Node::find()?;
    node.install_packages()?;
    shell::run(&mut node.npm(&["run", "check"]))?;
    shell::run(&mut node.npm(&["test"]))?;
    node.build_if_changed()
}

/// Where the pages are made.
pub fn folder() -> PathBuf {
    workspace::root().join("userspace/web")
}

/// What was built: the page that names all other files.
pub fn index() -> PathBuf {
    folder().join("dist/index.html")
}

/// Node with its npm.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
    /// npm's program in JavaScript, or a wrapper of the system's.
    npm: PathBuf,
}

impl Node {
    /// The system's where it is new enough, else that of the environment of PyPI.
    pub fn find() -> Result<Self> {
        let system = shell::find_program("node").zip(shell::find_program("npm"));
        let system = system.map(|(program, npm)| Self { program, npm });
        let of_pypi = setup::node_of_pypi().map(|folder| Self {
            program: folder.join("bin/node"),
            npm: folder.join("lib/node_modules/npm/bin/npm-cli.js"),
        });
        let found = [system, of_pypi].into_iter().flatten().find(Self::is_new_enough);
        let why =
            "there is no Node 20.19 or newer with npm; run `cargo xtask setup`, or install both";
        found.ok_or_else(|| shell::Exit { code: 1, message: why.to_owned() }.into())
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    fn is_new_enough(&self) -> bool {
        let said = shell::read(Command::new(&self.program).arg("--version"));
        said.ok().and_then(|said| version(&said)).is_some_and(|version| version >= LEAST)
    }

    fn npm(&self, arguments: &[&str]) -> Command {
        let mut command = if self.npm.extension().is_some_and(|ending| ending == "js") {
            let mut command = shell::command::<&str>(&self.program.to_string_lossy(), &[]);
            command.arg(&self.npm);
            command
        } else {
            shell::command::<&str>(&self.npm.to_string_lossy(), &[])
        };
        // Scripts of packages look for `node` in PATH.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.program.parent().map(Path::to_owned).into_iter();
        let folders = folders.chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        command.args(arguments).current_dir(folder());
        command
    }

    /// What the lock file names, unless that is what was installed last.
    fn install_packages(&self) -> Result<()> {
        let stamp = workspace::target().join("web/package-lock.json");
        let wanted = fs::read(folder().join("package-lock.json")).context("no lock file of npm")?;
        let is_there = folder().join("node_modules").is_dir();
        if is_there && fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        shell::run(&mut self.npm(&["ci", "--no-audit", "--no-fund"]))?;
        fs::create_dir_all(workspace::target().join("web"))?;
        fs::write(stamp, wanted).context("cannot note what was installed")
    }

    fn build(&self) -> Result<()> {
        shell::run(&mut self.npm(&["run", "build"]))?;
        ensure!(index().exists(), "npm run build made no {}", index().display());
        Ok(())
    }

    /// The same files again would make cargo build linerate again.
    fn build_if_changed(&self) -> Result<()> {
        let built = changed(&index());
        if built.is_some() && newest_source()? < built { Ok(()) } else { self.build() }
    }
}

/// Folders and files that are made, and those that only tests read.
const NO_SOURCES: [&str; 4] = ["node_modules", "dist", "e2e", "schema.d.ts"];

/// When the newest source of the pages was changed.
fn newest_source() -> Result<Option<SystemTime>> {
    let mut newest = changed(&folder().join("../openapi.json"));
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let entry = entry?;
            if NO_SOURCES.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                newest = newest.max(changed(&entry.path()));
            }
        }
    }
    Ok(newest)
}

fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|meta| meta.modified()).ok()
}

/// Of `v20.19.2`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_node_that_vite_takes_is_new_enough() {
        let enough = |said| version(said).is_some_and(|version| version >= LEAST);
        assert!(enough("v20.19.0\n") && enough("v24.19.0") && enough("v20.20.2"));
        assert!(!enough("v18.20.4") && !enough("v20.18.3") && !enough("") && !enough("20.19.0"));
    }
}
