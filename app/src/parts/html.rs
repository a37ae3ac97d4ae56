//! Text as HTML. What a page shows of jobs, queues and logs is made as text and kept true by
//! [`super::rows`]: as views the same pieces cost the page three times as many bytes.

/// Adds text, escaped for an element's content and for an attribute in double quotes.
pub fn push(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

/// The same as a text of its own.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    push(&mut html, text);
    html
}

/// An element with what is in it. `open` is its name and attributes, `inner` is HTML.
pub fn element(open: &str, inner: &str) -> String {
    let name = open.split(' ').next().unwrap_or(open);
    ["<", open, ">", inner, "</", name, ">"].concat()
}

/// An element with a text in it.
pub fn text(open: &str, inner: &str) -> String {
    element(open, &escape(inner))
}

/// A link. `class` and what is in it are HTML, the address is text.
pub fn link(class: &str, href: &str, inner: &str) -> String {
    ["<a class=\"", class, "\" href=\"", &escape(href), "\">", inner, "</a>"].concat()
}

/// A line icon: a drawing of 16 units square in the colour of the text. The words beside it say it.
pub fn icon(path: &str) -> String {
    [
        "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"",
        path,
        "\"></path></svg>",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let hostile = "\"><script>alert('&')</script>";
        let html = text("td class=\"cut\"", hostile) + &link("job-name", hostile, "x");
        assert!(!html.contains("<script") && !html.contains("\"><"), "{html}");
        assert!(html.starts_with("<td class=\"cut\">&quot;&gt;&lt;script&gt;"), "{html}");
        assert!(html.contains("&amp;&#39;)&lt;/script&gt;</td><a class"), "{html}");
    }
}
