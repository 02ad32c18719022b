//! `linerate run`.

use super::{
    Failure,
    args::RunArgs,
    flows,
    output::{Output, stop_flag},
};
use crate::session::{Session, Settings};

pub(super) fn main(args: &RunArgs) -> Result<u8, Failure> {
    let spec = flows::spec(&args.flow)?;
    let mut output = Output::open(&args.output)?;
    let stop = stop_flag()?;
    let mut session =
        Session::open(spec, Settings { backend: args.backend.into(), ..output.settings() })?;
    output.say(&[session.modes(), vec![session.memory()]].concat());
    let facts = output.watch(session.planned(), |observe| session.run(&stop, observe))?;
    drop(session);
    output.finish(&facts)
}
