//! An event stream as a strict client reads it: like httpx-sse, which makes an event of every block
//! that has any field at all, so an event without data would be noticed here.

use crate::client::Answer;
use serde_json::Value;

pub struct Events {
    answer: Answer,
    text: String,
    /// The lines before the first event.
    pub preamble: Option<String>,
    /// The last `retry:` that was read.
    pub retry: Option<u64>,
    /// The comments that were read, without their colon.
    pub comments: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

impl Events {
    pub fn of(answer: Answer) -> Self {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-cache, no-transform");
        assert_eq!(answer.header("x-accel-buffering"), "no");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-encoding"), "");
        Self { answer, text: String::new(), preamble: None, retry: None, comments: Vec::new() }
    }

    /// Waits for the first bytes; they come whether anything happens or not.
    pub async fn first_bytes(&mut self) -> &str {
        if self.preamble.is_none() {
            let first = self.answer.piece().await.expect("first bytes");
            let first = String::from_utf8(first).unwrap();
            self.text.push_str(&first);
            self.preamble = Some(first);
        }
        self.preamble.as_deref().unwrap()
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.first_bytes().await;
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                return Some(self.event(&block));
            }
            let Some(piece) = self.answer.piece().await else {
                // What is left is fields without a blank line: no event to any client.
                let rest = std::mem::take(&mut self.text);
                self.fields(&rest);
                return None;
            };
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    fn event(&mut self, block: &str) -> Event {
        let (id, name, data) = self.fields(block);
        assert_ne!(name, "error", "an event named error fires the client's own handler");
        let data = data.unwrap_or_else(|| panic!("an event without data: {block:?}"));
        Event { id, name, data: serde_json::from_str(&data).unwrap() }
    }

    fn fields(&mut self, block: &str) -> (Option<String>, String, Option<String>) {
        let (mut id, mut name, mut data) = (None, String::new(), None);
        for line in block.lines().filter(|line| !line.is_empty()) {
            match line.split_once(':').expect("a field") {
                ("", comment) => self.comments.push(comment.to_owned()),
                ("id", value) => id = Some(value.trim_start().to_owned()),
                ("event", value) => name = value.trim_start().to_owned(),
                ("retry", value) => self.retry = Some(value.trim().parse().unwrap()),
                ("data", value) => {
                    assert!(data.is_none(), "data is one line");
                    data = Some(value.trim_start().to_owned());
                }
                field => panic!("no such field: {field:?}"),
            }
        }
        (id, name, data)
    }

    /// The next event with this name; others are passed over.
    pub async fn named(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.name == name {
                return event;
            }
        }
    }

    /// The next change of this job to that state.
    pub async fn job(&mut self, id: &str, state: &str) -> Event {
        loop {
            let event = self.named("job:state_change").await;
            if event.data["id"] == id && event.data["state"] == state {
                return event;
            }
        }
    }

    /// Everything up to the end.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}
