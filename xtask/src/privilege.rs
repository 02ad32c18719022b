//! Who we are, and how a command gets root.

use std::{
    ffi::OsString,
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::shell;

/// How commands that need root are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    Root,
    /// `sudo` answers without a password.
    Sudo,
    None,
}

/// Asks sudo once, without ever waiting for a password.
pub fn privilege() -> Privilege {
    if rustix::process::geteuid().is_root() {
        Privilege::Root
    } else if shell::succeeds(&mut shell::command("sudo", &["-n", "true"])) {
        Privilege::Sudo
    } else {
        Privilege::None
    }
}

impl Privilege {
    /// A command that runs as root, or, where there is no way, as oneself.
    pub fn command<S: AsRef<std::ffi::OsStr>>(self, program: &str, arguments: &[S]) -> Command {
        let mut command = if self == Self::Sudo {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "--", program]);
            sudo
        } else {
            Command::new(program)
        };
        command.args(arguments).stdin(Stdio::null());
        command
    }
}

/// Wants root or sudo for `why`; else exit code 77 with the command to type.
pub fn wanted(why: &str) -> Result<Privilege> {
    match privilege() {
        Privilege::None => Err(shell::no_privilege(format!(
            "{why} needs root, and there is no sudo without a password; run: {}",
            command_line()
        ))),
        some => Ok(some),
    }
}

/// Root in this very process, for what is done by system calls: runs xtask
/// again under sudo when needed and then never returns.
pub fn become_root(why: &str) -> Result<()> {
    become_root_with(why, &[])
}

/// The same, with more arguments for the run as root.
pub fn become_root_with(why: &str, more: &[OsString]) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    if wanted(why)? == Privilege::Root {
        return Ok(());
    }
    let mut again = Command::new("sudo");
    again.args(["-n", "-E", "--"]).arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    again.args(more);
    Err(again.exec().into())
}

/// How to call this verb as root. PATH is handed on: root's own may have no cargo.
fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let verb = shell::shown(&shell::command("cargo", &[vec!["xtask".to_owned()], words].concat()));
    format!("sudo -E env \"PATH=$PATH\" {verb}")
}
