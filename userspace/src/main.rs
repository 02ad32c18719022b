//! `linerate`: one thin binary over the library.

fn main() -> std::process::ExitCode {
    linerate::cli::main()
}
