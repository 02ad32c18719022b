//! x
use anyhow::Result;
#[derive(clap::Args, Default)]
pub struct Args {}
pub fn main(a: &Args) -> Result<()> {
    run(a)
}
pub fn run(_: &Args) -> Result<()> {
    Ok(())
}
