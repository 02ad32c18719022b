//! `linerate run`.

use super::{
    Failure,
    args::{Backend, RunArgs},
    flows,
    output::{Output, stop_flag},
};
use crate::session::Session;

pub(super) fn main(args: &RunArgs) -> Result<u8, Failure> {
    if args.backend == Backend::LiveFrames {
        return Err(Failure {
            code: 77,
            message: "the live_frames back end is not built yet; use --backend af_xdp".into(),
        });
    }
    let spec = flows::spec(&args.flow)?;
    let mut output = Output::open(&args.output)?;
    let stop = stop_flag()?;
    let mut session = Session::open(spec, output.settings())?;
    output.say(&session.notes());
    let facts = output.watch(session.planned(), |observe| session.run(&stop, observe))?;
    drop(session);
    output.finish(&facts)
}
