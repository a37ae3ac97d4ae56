//! One page per file: its data, its model where it is live, and its view.

mod job;
mod jobs;
mod not_found;
mod overview;
mod pipelines;

pub use job::JobPage;
pub use jobs::JobsPage;
pub use not_found::NotFoundPage;
pub use overview::OverviewPage;
pub use pipelines::PipelinesPage;
