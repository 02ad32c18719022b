//! Running other programs, with errors that name the command.

use std::{
    fmt,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// Missing privilege or kernel feature, as in linerate's own exit codes.
pub const NO_PRIVILEGE: u8 = 77;

/// An error that ends xtask with a code other than 1.
#[derive(Debug)]
pub struct Exit {
    pub code: u8,
    pub message: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Exit {}

/// An error that ends xtask with exit code 77.
pub fn no_privilege(message: impl Into<String>) -> anyhow::Error {
    Exit { code: NO_PRIVILEGE, message: message.into() }.into()
}

/// A command that never reads the terminal.
pub fn command<S: AsRef<std::ffi::OsStr>>(program: &str, arguments: &[S]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = command.get_program();
    // Under cargo, cargo is known by its full path; nobody types that.
    let program =
        if program.as_encoded_bytes().ends_with(b"/cargo") { "cargo".as_ref() } else { program };
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Shows the command, runs it with the terminal's output, and wants success.
pub fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs quietly; the error carries what the command wrote to stderr.
pub fn read(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", shown(command), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs quietly, whatever the outcome.
pub fn output(command: &mut Command) -> Result<Output> {
    command.output().with_context(|| format!("cannot start {}", shown(command)))
}

/// Whether the command starts and succeeds; its output is thrown away.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Where a program is, from PATH and the places root's programs live in.
pub fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(Into::into));
    folders.into_iter().map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_can_type_it() {
        let shown = shown(&command("printf", &["a b", "it's", "--x=1", ""]));
        assert_eq!(super::shown(&command("/opt/bin/cargo", &["fmt"])), "cargo fmt");
        assert_eq!(shown, r"printf 'a b' 'it'\''s' --x=1 ''");
    }

    #[test]
    fn a_failed_command_is_named_with_what_it_said() {
        let error = read(&mut command("sh", &["-c", "echo broken >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
        assert!(error.to_string().ends_with("broken"), "{error}");
    }
}
