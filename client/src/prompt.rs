//! What is asked of a person at a terminal, and what scripts give instead.

use crate::failure::Failure;
use rustix::termios::{self, LocalModes, OptionalActions};
use std::{
    fs::File,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    io::stdin().is_terminal()
}

/// A line that is typed; on the terminal itself, so that standard output stays free.
pub fn ask(question: &str) -> Result<String, Failure> {
    let mut terminal = terminal()?;
    terminal.write_all(question.as_bytes())?;
    line_of(&terminal)
}

/// The same for what nobody should see.
pub fn ask_hidden(question: &str) -> Result<String, Failure> {
    let mut terminal = terminal()?;
    let hidden = Hidden::on(&terminal)?;
    (&terminal).write_all(question.as_bytes())?;
    let line = line_of(&terminal);
    drop(hidden);
    terminal.write_all(b"\n")?;
    line
}

/// What a file has, `-` for standard input, without the line break at its end.
pub fn secret_of(what: &str, file: &Path) -> Result<String, Failure> {
    let text = if file.as_os_str() == "-" {
        io::read_to_string(io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| {
        Failure::Usage(format!("the {what} file {} cannot be read: {error}", file.display()))
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn terminal() -> Result<File, Failure> {
    Ok(File::options().read(true).write(true).open("/dev/tty")?)
}

fn line_of(terminal: &File) -> Result<String, Failure> {
    let mut line = String::new();
    io::BufReader::new(terminal).read_line(&mut line)?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'a> {
    terminal: &'a File,
    before: termios::Termios,
}

impl<'a> Hidden<'a> {
    fn on(terminal: &'a File) -> Result<Self, Failure> {
        let before = termios::tcgetattr(terminal).map_err(io::Error::from)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(terminal, OptionalActions::Flush, &hidden).map_err(io::Error::from)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to show.
        let _ = termios::tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
