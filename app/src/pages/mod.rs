//! One page per file: its data, its model where it is live, and its view.

mod job;
mod jobs;
mod not_found;
mod of_board;
mod overview;
mod pipeline;
mod pipelines;
mod queues;
mod workers;

pub use job::JobPage;
pub use jobs::JobsPage;
pub use not_found::NotFoundPage;
pub use overview::OverviewPage;
pub use pipeline::PipelinePage;
pub use pipelines::PipelinesPage;
pub use queues::QueuesPage;
pub use workers::{WorkersPage, is_online};
