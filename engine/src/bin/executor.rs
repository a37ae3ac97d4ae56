//! The executor on its own, for this crate's tests; in the product it is `tailboard executor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    engine::executor::main(std::env::args_os().skip(2))
}
