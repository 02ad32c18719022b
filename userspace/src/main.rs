//! `linerate`: one thin binary over the library.

fn main() {}
