//! The live half of a page: one stream of events, and rows that follow it.
//!
//! The server renders real rows and says as of which event (`as_of`); after hydration the page
//! opens its one stream there and applies what comes. [`stream`] holds the connection and hands
//! out events once per animation frame; [`attend`] closes and opens it as the tab comes and goes;
//! [`ring`] remembers the last ones for lists that are mounted or fetched later; [`follow`] keeps a
//! page's model true and fetches it again when events cannot tell; [`rows`], [`jobs`] and
//! [`counts`] are what models are made of. On the server all of it is inert: effects do not run
//! there.

mod attend;
mod backoff;
mod counts;
mod event;
mod follow;
mod jobs;
mod ring;
mod rows;
mod source;
mod stream;

pub use counts::Counts;
pub use event::Event;
pub use follow::{Model, Verdict, follow};
pub use jobs::{JobList, Order, Shape, advance};
pub use rows::Rows;
pub use stream::{Link, Live};
