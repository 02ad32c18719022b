//! Repo verbs.

fn main() {}
