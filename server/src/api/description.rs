//! The OpenAPI document, made from the handlers. It is checked in as `server/openapi.json`, so that
//! a change of the API is seen in review.

use super::{
    access, again, connections, executions, jobs, log, log_download, log_search, pipeline_edits,
    pipelines, queues, reload, views, workers,
};
use axum::Json;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(title = "Tailboard", description = "A live board for background jobs."),
    paths(
        access::me,
        access::password,
        access::sessions,
        access::end_session,
        access::users,
        access::add_user,
        access::change_user,
        access::delete_user,
        access::keys,
        access::add_key,
        access::revoke_key,
        access::audit_log,
        again::retry,
        again::delete,
        connections::list,
        connections::change,
        executions::create,
        jobs::list,
        jobs::show,
        jobs::cancel,
        log::window,
        log::line,
        log_download::download,
        log_search::search,
        pipeline_edits::delete,
        pipeline_edits::put,
        pipeline_edits::restart,
        pipelines::list,
        pipelines::one,
        queues::list,
        queues::pause,
        queues::resume,
        reload::reload,
        views::overview,
        views::jobs,
        views::pipelines,
        workers::list,
    )
)]
struct Description;

pub(super) async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_GOLDEN=1 cargo test -p server` writes it anew.
    #[test]
    fn the_checked_in_description_is_the_one_that_is_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let made = Description::openapi().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert!(made == golden, "the API changed: look at it, then set UPDATE_GOLDEN=1");
    }
}
