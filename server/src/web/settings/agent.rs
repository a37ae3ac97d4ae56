//! What a browser says it is, in two words that a person knows.

/// `Firefox on Linux`; what is not known is given as it is, as far as there is room.
pub fn short(agent: &str) -> String {
    // In this order: each says that it is those after it, too.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let known = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (known(&BROWSERS), known(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if agent.is_empty() => "unknown".to_owned(),
        _ => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_browser_is_called_what_people_call_it() {
        let webkit = "(KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
        let windows =
            format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {webkit}");
        assert_eq!(short(&windows), "Chrome on Windows");
        assert_eq!(short(&format!("{windows} Edg/147.0.0.0")), "Edge on Windows");
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";
        assert_eq!(short(firefox), "Firefox on Linux");
        assert_eq!(short("curl/8.14.1"), "curl/8.14.1");
        assert_eq!(short(""), "unknown");
    }
}
