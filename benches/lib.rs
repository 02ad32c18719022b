//! Home of the benches; see README.md beside this file.
