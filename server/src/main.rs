//! The executable: the board and its executors are the same file.

use std::process::ExitCode;

/// glibc's allocator keeps what closed streams used; this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    // An executor is small: no runtime, no parser of arguments, nothing that it does not need.
    if args.next_if(|verb| verb == "executor").is_some() {
        return engine::executor::main(args);
    }
    server::command::run()
}
