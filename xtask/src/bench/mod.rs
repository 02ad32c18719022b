//! x
use anyhow::Result;
#[derive(clap::Args)]
pub struct Args {}
pub fn main(_: &Args) -> Result<()> {
    Ok(())
}
