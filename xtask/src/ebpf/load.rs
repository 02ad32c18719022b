//! x
use anyhow::Result;
#[derive(clap::Args)]
pub struct Args {}
pub fn main(_: &Args) -> Result<()> {
    Ok(())
}
#[derive(clap::Args)]
pub struct UnloadArgs {}
pub fn load(_: &Args) -> Result<()> {
    Ok(())
}
pub fn unload(_: &UnloadArgs) -> Result<()> {
    Ok(())
}
