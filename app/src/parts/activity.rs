//! The last hour as a chart that reads as a table, and what somebody should look at: as HTML text.

use super::html::escape;
use crate::url::encode;
use shared::page::{Attention, AttentionKind, Minute};
use std::fmt::Write;

/// Units of the drawing: a bar per minute, each ten wide.
const HEIGHT: u32 = 64;
const WIDTH: u32 = 10;

/// Bars of completed and failed jobs, oldest first. Writing into a String cannot fail.
pub fn chart(minutes: &[Minute]) -> String {
    let most = minutes.iter().map(|m| m.completed + m.failed).max().unwrap_or(0).max(1);
    let (completed, failed) = minutes.iter().fold((0, 0), |(completed, failed), minute| {
        (completed + minute.completed, failed + minute.failed)
    });
    let mut html = format!(
        "<div class=\"card-head\"><h2>The last hour</h2><span class=\"card-more num\">{completed} completed, {failed} failed</span></div>\
         <svg class=\"chart\" viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"In the last hour {completed} jobs completed and {failed} failed, at most {most} a minute\">",
        WIDTH * minutes.len() as u32
    );
    let mut rows = String::new();
    for (at, minute) in minutes.iter().enumerate() {
        let x = WIDTH * at as u32;
        // What happened is seen, however little of the most it is.
        let tall = |count: u32| if count == 0 { 0 } else { (count * (HEIGHT - 2) / most).max(2) };
        let (good, bad) = (tall(minute.completed), tall(minute.failed));
        for (class, height, top) in
            [("is-completed", good, HEIGHT - good), ("is-failed", bad, HEIGHT - good - bad)]
        {
            if height > 0 {
                let _ = write!(
                    html,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"8\" height=\"{height}\"/>"
                );
            }
        }
        if minute.completed + minute.failed + minute.cancelled > 0 {
            let ago = minutes.len() - 1 - at;
            let Minute { completed, failed, cancelled, .. } = minute;
            let _ = write!(
                rows,
                "<tr><th scope=\"row\">{ago} min</th><td>{completed}</td><td>{failed}</td><td>{cancelled}</td></tr>"
            );
        }
    }
    let none = if rows.is_empty() { "<tr><td colspan=\"4\">Nothing ended</td></tr>" } else { "" };
    html + "</svg><details class=\"chart-table\"><summary class=\"dim\">As a table</summary>\
            <table class=\"rows\"><thead><tr><th scope=\"col\">Ago</th><th scope=\"col\">Completed</th>\
            <th scope=\"col\">Failed</th><th scope=\"col\">Cancelled</th></tr></thead><tbody>"
        + &rows
        + none
        + "</tbody></table></details>"
}

/// A list of links, the worst first; nothing when all is well.
pub fn attention(all: &[Attention]) -> String {
    let mut html = String::new();
    for one in all {
        let name = encode(one.name.as_deref().unwrap_or_default());
        let href = match (one.kind, one.job) {
            (_, Some(job)) => format!("/jobs/{job}"),
            (AttentionKind::WorkerOffline, _) => "/workers".to_owned(),
            (AttentionKind::QueuePaused | AttentionKind::WaitingLong, _) => {
                format!("/jobs?state=queued&queue={name}")
            }
            _ => "/".to_owned(),
        };
        let since = one.since.map(|since| format!(" title=\"since {since}\"")).unwrap_or_default();
        let (href, text) = (escape(&href), escape(&one.text));
        let _ = write!(html, "<li><a href=\"{href}\"{since}>{text}</a></li>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Timestamp;

    #[test]
    fn the_chart_says_in_words_what_it_draws() {
        let mut minutes = vec![Minute::default(); 60];
        minutes[58] = Minute { at: Timestamp(0), completed: 30, failed: 10, cancelled: 1 };
        minutes[59].completed = 1;
        let html = chart(&minutes);
        assert!(html.contains("31 jobs completed and 10 failed, at most 40 a minute"), "{html}");
        assert!(html.contains("<th scope=\"row\">1 min</th><td>30</td><td>10</td><td>1</td>"));
        assert_eq!(html.matches("<rect").count(), 3);
        assert!(
            html.contains("x=\"590\" y=\"62\" width=\"8\" height=\"2\""),
            "little is still seen"
        );
        assert!(chart(&[Minute::default()]).contains("Nothing ended"));
    }

    #[test]
    fn a_name_is_text_and_never_markup() {
        let one = Attention {
            kind: AttentionKind::QueuePaused,
            name: Some("\"><b>".to_owned()),
            job: None,
            text: "queue \"><b> is paused".to_owned(),
            since: None,
        };
        let html = attention(&[one]);
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"), "{html}");
        assert_eq!(attention(&[]), "");
    }
}
