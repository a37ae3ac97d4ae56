//! The last hour as a chart that reads as a table, and what somebody should look at: as HTML text.

use super::{
    html::escape,
    state::Look,
    time::{Clock, when},
};
use crate::{format, url::encode};
use shared::page::{Attention, AttentionKind, Minute};
use std::fmt::Write;

/// Units of the drawing: a bar per minute, each ten wide.
const HEIGHT: u32 = 150;
const WIDTH: u32 = 10;
/// Lines above the lowest.
const LINES: u32 = 3;

/// Bars of completed and failed jobs, oldest first. Writing into a String cannot fail.
pub fn chart(minutes: &[Minute]) -> String {
    let most = minutes.iter().map(|m| m.completed + m.failed).max().unwrap_or(0);
    let step = step(most);
    let (completed, failed) = sums(minutes);
    let wide = WIDTH * minutes.len() as u32;
    let mut html = format!(
        "<div class=\"card-head\"><h2>Throughput, last hour</h2><span class=\"card-more num\">{completed} completed, {failed} failed</span></div>\
         <div class=\"plot\"><svg class=\"chart\" viewBox=\"0 0 {wide} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"In the last hour {completed} jobs completed and {failed} failed, at most {most} a minute\">"
    );
    let mut scale = String::new();
    for line in 0..=LINES {
        let y = HEIGHT * line / LINES;
        let _ = write!(html, "<path class=\"plot-line\" d=\"M0 {y}h{wide}\"></path>");
        let count = format::count(u64::from(step * (LINES - line)));
        let _ = write!(scale, "<span>{count}</span>");
    }
    let mut rows = String::new();
    for (at, minute) in minutes.iter().enumerate() {
        let Minute { completed, failed, cancelled, .. } = *minute;
        if completed + failed + cancelled == 0 {
            continue;
        }
        let (x, ago) = (WIDTH * at as u32, minutes.len() - 1 - at);
        // What happened is seen, however little of the most it is.
        let tall =
            |count: u32| if count == 0 { 0 } else { (count * HEIGHT / (step * LINES)).max(3) };
        let (good, bad) = (tall(completed), tall(failed));
        let _ = write!(
            html,
            "<g><title>{ago} min ago: {completed} completed, {failed} failed, {cancelled} cancelled</title>\
             <rect class=\"plot-minute\" x=\"{x}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>"
        );
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
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{ago} min</th><td>{completed}</td><td>{failed}</td><td>{cancelled}</td></tr>"
        );
        html.push_str("</g>");
    }
    let none = if rows.is_empty() { "<tr><td colspan=\"4\">Nothing ended</td></tr>" } else { "" };
    html + "</svg><div class=\"plot-scale num\" aria-hidden=\"true\">"
        + &scale
        + "</div><p class=\"plot-times num\" aria-hidden=\"true\"><span>60 min ago</span><span>45</span><span>30</span>\
           <span>15</span><span>now</span></p></div><details class=\"chart-table\"><summary class=\"dim\">As a table</summary>\
           <table class=\"rows\"><thead><tr><th scope=\"col\">Ago</th><th scope=\"col\">Completed</th>\
           <th scope=\"col\">Failed</th><th scope=\"col\">Cancelled</th></tr></thead><tbody>"
        + &rows
        + none
        + "</tbody></table></details>"
}

/// From one line of the chart to the next: 1, 2 or 5 with noughts, the least that has room for `most`.
fn step(most: u32) -> u32 {
    let mut ten = 1;
    loop {
        for step in [ten, 2 * ten, 5 * ten] {
            // Far from the largest number: a minute does not have that many jobs.
            if step * LINES >= most || ten >= 100_000_000 {
                return step;
            }
        }
        ten *= 10;
    }
}

/// How many completed, and how many failed.
pub fn sums(minutes: &[Minute]) -> (u64, u64) {
    minutes.iter().fold((0, 0), |(completed, failed), minute| {
        (completed + u64::from(minute.completed), failed + u64::from(minute.failed))
    })
}

/// The hour as a line, for beside a figure that says where it ends.
pub fn spark(class: &str, minutes: &[Minute], read: fn(&Minute) -> u32) -> String {
    let most = minutes.iter().map(read).max().unwrap_or(0).max(1);
    let mut html = format!(
        "<svg class=\"spark {class}\" viewBox=\"0 -1 {} 22\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><polyline points=\"",
        minutes.len().saturating_sub(1)
    );
    for (x, minute) in minutes.iter().enumerate() {
        let _ = write!(html, "{x},{} ", 20 - 20 * read(minute) / most);
    }
    html + "\"></polyline></svg>"
}

/// A list of links, the worst first; a word of peace when all is well.
pub fn attention(clock: &Clock, all: &[Attention]) -> String {
    if all.is_empty() {
        return "<li class=\"attention-none dim\">Nothing does</li>".to_owned();
    }
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
        let since = one.since.map(|since| when(clock, Some(since))).unwrap_or_default();
        let (badge, href, text) = (Look::from(one.kind).badge(), escape(&href), escape(&one.text));
        let _ = write!(
            html,
            "<li>{badge}<a href=\"{href}\">{text}</a><span class=\"dim\">{since}</span></li>"
        );
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
        assert_eq!(html.matches("<rect class=\"is-").count(), 3);
        assert!(html.contains("<title>0 min ago: 1 completed, 0 failed, 0 cancelled</title>"));
        assert!(
            html.contains("x=\"590\" y=\"147\" width=\"8\" height=\"3\""),
            "little is still seen"
        );
        for label in ["<span>60</span>", "<span>40</span>", "<span>20</span>", "<span>0</span>"] {
            assert!(html.contains(label), "{label} in {html}");
        }
        assert!(chart(&[Minute::default()]).contains("Nothing ended"));
    }

    #[test]
    fn the_scale_ends_in_round_numbers_that_have_room_for_the_most() {
        let cases = [(0, 1), (1, 1), (3, 1), (4, 2), (7, 5), (16, 10), (31, 20), (3_071, 2_000)];
        for (most, expected) in cases {
            assert_eq!(step(most), expected, "{most}");
        }
        assert!(step(u32::MAX) > 0);
    }

    #[test]
    fn the_line_beside_a_figure_has_a_point_a_minute() {
        let minutes = [0, 4, 2].map(|completed| Minute { completed, ..Minute::default() });
        let html = spark("is-completed", &minutes, |minute| minute.completed);
        assert!(html.contains("points=\"0,20 1,0 2,10 \""), "{html}");
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
        let html = attention(&Clock::default(), &[one]);
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"), "{html}");
        assert!(attention(&Clock::default(), &[]).contains("Nothing does"));
    }
}
