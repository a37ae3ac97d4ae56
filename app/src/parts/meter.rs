//! Thin bars, as HTML. Widths are SVG attributes: the content policy allows no style attributes.

/// How far a job is, 0 to 100; nothing to see while that is not known.
pub fn progress(percent: Option<f32>) -> String {
    let (class, value) = match percent {
        Some(percent) => ("meter", percent.clamp(0.0, 100.0)),
        None => ("meter invisible", 0.0),
    };
    let now =
        if percent.is_some() { format!(" aria-valuenow=\"{value:.0}\"") } else { String::new() };
    format!(
        "<svg class=\"{class}\" role=\"progressbar\" aria-label=\"Progress of the job\" aria-valuemin=\"0\" \
         aria-valuemax=\"100\"{now}><rect class=\"meter-bar\" width=\"{value:.1}%\" height=\"100%\" rx=\"2\"></rect></svg>"
    )
}

/// How many of so many, for a figure that stands beside it.
pub fn share(taken: u64, of: u64) -> String {
    let percent = (taken * 100).checked_div(of).unwrap_or(0).min(100);
    format!(
        "<svg class=\"meter\" aria-hidden=\"true\"><rect class=\"meter-share\" width=\"{percent}%\" height=\"100%\" rx=\"2\"></rect></svg>"
    )
}
