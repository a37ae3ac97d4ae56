//! A list, once or kept up to date by the dashboard's stream (contract 1): rows as they are first, then what
//! changes. On a terminal the table is drawn again in its place; elsewhere there is a line per change.

use crate::{failure::Failure, live::Live, reach::Reach, session::Session, sse::Event};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use shared::{Connection, ConnectionId, EventId, Rows, event::name};
use std::{collections::HashMap, io::Write, process::ExitCode, time::Duration};
use tokio::time::Instant;

/// Time between two drawings, and between two readings of a list that events cannot keep.
const PACE: Duration = Duration::from_millis(250);
const READ_PACE: Duration = Duration::from_secs(1);

/// How a list is printed, and of which board.
#[derive(Args)]
pub struct Shown {
    /// Print JSON: one document, or with --watch one object a line.
    #[arg(long)]
    json: bool,
    /// Go on with what changes, until Ctrl-C.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    reach: Reach,
}

/// A list that can be watched.
pub trait Watched {
    /// The answer that has the rows.
    type All: Serialize;
    type Row: Serialize + Clone;
    /// `types` of the stream.
    const TYPES: &'static str;
    /// What a row is called by, beside its connection.
    const NAME: &'static str;

    async fn all(&self, session: &Session) -> Result<Self::All, Failure>;
    /// The rows in their order, and from where the stream goes on.
    fn rows(all: Self::All) -> (Vec<Self::Row>, EventId);
    /// What there is to say of a list that does not have all.
    fn rest(_: &Self::All) -> Option<String> {
        None
    }
    /// What tells rows apart.
    fn key(row: &Self::Row) -> String;
    fn revision(row: &Self::Row) -> u64;
    /// What an event says; `known` is the row it is about, by key.
    fn change(
        &self,
        event: &Event,
        known: &dyn Fn(&str) -> Option<Self::Row>,
    ) -> Result<Change<Self::Row>, Failure>;
    /// Puts rows into their order and drops those there are too many of.
    fn arrange(&self, rows: &mut Vec<Self::Row>);
    /// What a script is told of a row that is gone.
    fn gone(key: &str) -> Value {
        let (connection, name) = key.split_once(' ').unwrap_or(("", key));
        json!({ Self::NAME: name, "connection_id": connection, "deleted": true })
    }
    fn table(&self, rows: &[Self::Row], session: &Session) -> Vec<String>;
    /// A row on a line of its own.
    fn line(row: &Self::Row) -> String;
}

/// A key of rows whose names two connections may both have.
pub fn key(connection: ConnectionId, name: &str) -> String {
    format!("{connection} {name}")
}

/// What an event means for a list.
pub enum Change<R> {
    Nothing,
    /// A row as it is now.
    Row(R),
    /// A row as it is now, which belongs to the list no more.
    Left(R),
    /// A row is gone; the number of the event.
    Gone(String, u64),
    /// Only the board knows what it means.
    Unknown,
}

/// How a list is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// One object a line.
    Json,
    /// The table, again and again.
    Screen,
    /// The table, then a line per change.
    Lines,
}

/// Prints a list, and where that is wanted what becomes of it.
pub async fn run<W: Watched>(shown: &Shown, list: &W) -> Result<ExitCode, Failure> {
    let session = Session::new(&shown.reach)?;
    if shown.watch {
        watch(&session, list, shown.json).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let all = list.all(&session).await?;
    if shown.json {
        session.console.json(&all, true)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rest = W::rest(&all);
    let (rows, _) = W::rows(all);
    list.table(&rows, &session).iter().try_for_each(|line| session.console.say(line))?;
    if let Some(rest) = rest.filter(|_| session.console.is_terminal) {
        session.console.note(&rest);
    }
    Ok(ExitCode::SUCCESS)
}

/// Until Ctrl-C.
async fn watch<W: Watched>(session: &Session, list: &W, json: bool) -> Result<(), Failure> {
    let style = match (json, session.console.is_terminal) {
        (true, _) => Style::Json,
        (_, true) => Style::Screen,
        _ => Style::Lines,
    };
    let _screen = (style == Style::Screen).then(Screen::open);
    let watch = Watch { session, list, style, rows: Vec::new() };
    tokio::select! {
        ended = watch.go_on() => ended,
        Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted(String::new())),
    }
}

struct Watch<'a, W: Watched> {
    session: &'a Session,
    list: &'a W,
    style: Style,
    rows: Vec<W::Row>,
}

impl<W: Watched> Watch<'_, W> {
    async fn go_on(mut self) -> Result<(), Failure> {
        let (rows, as_of) = W::rows(self.list.all(self.session).await?);
        self.rows = rows;
        self.begin()?;
        let connections: Rows<Connection> =
            self.session.api.get(&["api", "v1", "connections"], &[]).await?;
        let ids: Vec<_> = connections.items.iter().map(|c| c.id.to_string()).collect();
        let query = vec![("connectionId", ids.join(",")), ("types", W::TYPES.to_owned())];
        let path = ["api", "events", "stream"];
        let mut stream = Live::new(self.session, &path, query, Some(as_of.to_string()));
        let (mut drawn, mut is_new) = (Instant::now(), true);
        let mut read_again: Option<Instant> = None;
        loop {
            let draw_at = drawn + PACE;
            let read_at = read_again.unwrap_or(draw_at);
            let event = tokio::select! {
                event = stream.next() => event?,
                () = tokio::time::sleep_until(draw_at), if is_new && self.style == Style::Screen => {
                    self.draw()?;
                    (drawn, is_new) = (Instant::now(), false);
                    continue;
                }
                () = tokio::time::sleep_until(read_at), if read_again.is_some() => {
                    read_again = None;
                    self.read_again().await?;
                    is_new = true;
                    continue;
                }
            };
            let Some(event) = event else { return Ok(()) };
            let known = |key: &str| self.rows.iter().find(|row| W::key(row) == key).cloned();
            let change = match event.name.as_str() {
                name::RESET => {
                    self.read_again().await?;
                    Change::Nothing
                }
                name::CURSOR => Change::Nothing,
                _ => self.list.change(&event, &known)?,
            };
            match change {
                Change::Nothing => {}
                Change::Unknown => {
                    read_again.get_or_insert(Instant::now() + READ_PACE);
                }
                Change::Row(row) => self.put(row, true)?,
                Change::Left(row) => self.put(row, false)?,
                Change::Gone(key, revision) => self.remove(&key, revision)?,
            }
            is_new = true;
        }
    }

    fn begin(&self) -> Result<(), Failure> {
        match self.style {
            Style::Json => self.rows.iter().try_for_each(|row| self.tell(row)),
            Style::Screen => self.draw(),
            Style::Lines => {
                let lines = self.list.table(&self.rows, self.session);
                lines.iter().try_for_each(|line| self.session.console.say(line))
            }
        }
    }

    /// Reads the list anew and tells what is another than before.
    async fn read_again(&mut self) -> Result<(), Failure> {
        let (rows, _) = W::rows(self.list.all(self.session).await?);
        let before: HashMap<_, _> =
            self.rows.iter().map(|row| (W::key(row), W::revision(row))).collect();
        let keys: std::collections::HashSet<_> = rows.iter().map(W::key).collect();
        self.rows = rows;
        for row in &self.rows {
            if before.get(&W::key(row)).is_none_or(|known| *known < W::revision(row)) {
                self.tell(row)?;
            }
        }
        before.keys().filter(|key| !keys.contains(*key)).try_for_each(|key| self.tell_gone(key))
    }

    /// An event with a lower or equal number than the row's changes nothing.
    fn put(&mut self, row: W::Row, belongs: bool) -> Result<(), Failure> {
        let key = W::key(&row);
        let place = self.rows.iter().position(|known| W::key(known) == key);
        let is_old = |place: usize| W::revision(&self.rows[place]) >= W::revision(&row);
        if place.is_some_and(is_old) || (place.is_none() && !belongs) {
            return Ok(());
        }
        self.tell(&row)?;
        match (place, belongs) {
            (Some(place), true) => self.rows[place] = row,
            (Some(place), false) => {
                self.rows.remove(place);
            }
            (None, _) => self.rows.push(row),
        }
        self.list.arrange(&mut self.rows);
        Ok(())
    }

    fn remove(&mut self, key: &str, revision: u64) -> Result<(), Failure> {
        let place = self.rows.iter().position(|row| W::key(row) == key);
        let place = place.filter(|place| W::revision(&self.rows[*place]) < revision);
        if let Some(place) = place {
            self.rows.remove(place);
            self.tell_gone(key)?;
        }
        Ok(())
    }

    fn tell(&self, row: &W::Row) -> Result<(), Failure> {
        match self.style {
            Style::Json => self.session.console.json(row, false),
            Style::Lines => self.session.console.say(&W::line(row)),
            Style::Screen => Ok(()),
        }
    }

    fn tell_gone(&self, key: &str) -> Result<(), Failure> {
        match self.style {
            Style::Json => self.session.console.json(&W::gone(key), false),
            Style::Lines => {
                self.session.console.say(&format!("{} deleted", crate::plain::text(key)))
            }
            Style::Screen => Ok(()),
        }
    }

    /// The table from the first line of the screen on, as much as there is room for.
    fn draw(&self) -> Result<(), Failure> {
        let console = &self.session.console;
        let rows = console.size().map_or(24, |(_, rows)| rows);
        let lines = self.list.table(&self.rows, self.session);
        let mut out = b"\x1b[H".to_vec();
        for line in lines.iter().take(rows.saturating_sub(1)) {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\x1b[K\r\n");
        }
        out.extend_from_slice(b"\x1b[J");
        console.print(&out)
    }
}

/// The terminal's other screen, left when this is dropped.
struct Screen;

impl Screen {
    fn open() -> Self {
        // A terminal that is gone shows when the table is drawn.
        let mut out = std::io::stdout();
        let _ = out.write_all(b"\x1b[?1049h\x1b[?25l").and_then(|()| out.flush());
        Self
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = std::io::stdout();
        let _ = out.write_all(b"\x1b[?25h\x1b[?1049l").and_then(|()| out.flush());
    }
}
