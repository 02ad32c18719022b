//! Arguments to a checked plan to a run; tables, progress bars, exit codes.

mod args;
mod calibrate;
mod capture;
mod compare;
mod flows;
mod live;
mod output;
mod ports;
mod replay;
mod respond;
mod ring;
mod run;
mod series;
#[cfg(feature = "serve")]
mod serve;
mod show;
mod suite;

pub use args::{Cli, Command, RunArgs, ShowArgs};
pub use respond::{ModeArgs, RespondArgs};
#[cfg(feature = "serve")]
pub use serve::ServeArgs;

use crate::{session::SessionError, suite::TrialError};
use clap::Parser;
use std::process::ExitCode;

/// What ends a command early: one line for people, and CONTRACT's exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    /// Of the caller's making: exit 64.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 64, message: message.into() }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self { code: error.exit_code(), message: error.to_string() }
    }
}

impl From<TrialError> for Failure {
    fn from(error: TrialError) -> Self {
        Self { code: error.exit_code(), message: error.to_string() }
    }
}

/// The whole program: parses the arguments of this process and runs the command.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A message that cannot be printed has nobody to read it.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    let done = match cli.command {
        Command::Calibrate(args) => calibrate::main(&args),
        Command::Capture(args) => capture::main(&args),
        Command::Compare(args) => compare::main(&args),
        Command::Mlrsearch(args) => suite::mlrsearch(&args),
        Command::Ports(args) => ports::main(&args),
        Command::Replay(args) => replay::main(&args),
        Command::Report(args) => suite::report(&args),
        Command::Respond(args) => respond::main(&args),
        Command::Rfc2544(args) => suite::rfc2544(&args),
        Command::Run(args) => run::main(&args),
        Command::Show(args) => show::main(&args),
        Command::Y1564(args) => suite::y1564(&args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::main(args),
        #[cfg(feature = "serve")]
        Command::Engine(args) => return crate::serve::engine::main(args.generation),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            anstream::eprintln!("{ERROR}error:{ERROR:#} {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

const ERROR: anstyle::Style =
    anstyle::Style::new().bold().fg_color(Some(anstyle::Color::Ansi(anstyle::AnsiColor::Red)));
