//! What the pages are made of, as HTML. Every text that is given is escaped here.

use app::html::{element, escape, text};
use shared::{Role, Timestamp};

/// What became of a form: words that stand in it.
#[derive(Clone, Debug, Default)]
pub struct Said(Option<(&'static str, String)>);

impl Said {
    /// Something went wrong with the form of this name.
    pub fn of(form: &'static str, words: impl Into<String>) -> Self {
        Self(Some((form, words.into())))
    }

    /// What is to be said in this form; empty where there is nothing.
    pub fn at(&self, form: &str) -> String {
        let said = self.0.as_ref().filter(|(of, _)| *of == form);
        said.map(|(_, words)| alert(words)).unwrap_or_default()
    }
}

/// What went wrong.
pub fn alert(words: &str) -> String {
    text("p class=\"form-said form-error\" role=\"alert\"", &sentence(words))
}

/// An error, which begins in the middle of a sentence and has no end, as a sentence.
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str().trim_end_matches('.'))
}

/// A field under its name. `attributes` is HTML.
pub fn field(label: &str, attributes: &str) -> String {
    field_with(label, attributes, "")
}

/// The same with a value.
pub fn field_with(label: &str, attributes: &str, value: &str) -> String {
    let value = escape(value);
    let label = text("span", label);
    format!(
        "<label class=\"field\">{label}<input class=\"input\" {attributes} value=\"{value}\"></label>"
    )
}

/// The name of what is to be made.
pub fn new_name() -> String {
    let attributes = "name=\"name\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"64\" required";
    field("Name", attributes)
}

/// A password that is to be made.
pub fn new_password(label: &str) -> String {
    let attributes = "type=\"password\" name=\"password\" autocomplete=\"new-password\" minlength=\"12\" maxlength=\"256\" required";
    field(label, attributes)
}

/// A choice under its name: values with their words.
pub fn choice(label: &str, name: &str, options: &[(&str, &str)], chosen: &str) -> String {
    let options = options.iter().map(|(value, words)| {
        let selected = if *value == chosen { " selected" } else { "" };
        format!("<option value=\"{}\"{selected}>{}</option>", escape(value), escape(words))
    });
    let options = options.collect::<String>();
    let label = text("span", label);
    format!(
        "<label class=\"field\">{label}<select class=\"input\" name=\"{name}\">{options}</select></label>"
    )
}

/// The choice of a role, with what each may do.
pub fn role(chosen: Role) -> String {
    let options = [
        ("viewer", "viewer: reads everything"),
        ("operator", "operator: acts on jobs and queues"),
        ("admin", "admin: users, keys, configuration"),
    ];
    choice("Role", "role", &options, chosen.as_str())
}

pub fn button(word: &str, class: &str) -> String {
    text(&format!("button class=\"button {class}\""), word)
}

/// A form. `inner` is HTML.
pub fn form(action: &str, inner: &str) -> String {
    element(
        &format!("form class=\"sheet-form\" method=\"post\" action=\"{}\"", escape(action)),
        inner,
    )
}

/// A form of one button.
pub fn act(action: &str, word: &str, label: &str) -> String {
    let (action, word, label) = (escape(action), escape(word), escape(label));
    format!(
        "<form method=\"post\" action=\"{action}\"><button class=\"button\" aria-label=\"{label}\">{word}</button></form>"
    )
}

/// A form that asks once more: the first click opens it.
pub fn sure(action: &str, word: &str, label: &str, why: &str) -> String {
    let (action, label) = (escape(action), escape(label));
    let (word, why) = (escape(word), text("p", why));
    format!(
        "<details class=\"again\"><summary class=\"button\" aria-label=\"{label} …\">{word} …</summary>\
         <form method=\"post\" action=\"{action}\" class=\"fields\">{why}\
         <button class=\"button button-danger\">{label}</button></form></details>"
    )
}

/// A part of a page under its heading. `inner` is HTML.
pub fn section(heading: &str, inner: &str) -> String {
    let head = element("div class=\"card-head\"", &text("h2", heading));
    let open = format!("section class=\"card sheet\" aria-label=\"{}\"", escape(heading));
    element(&open, &(head + inner))
}

/// Names and values, each value HTML.
pub fn facts(facts: &[(&str, String)]) -> String {
    let fact = |(name, value): &(&str, String)| {
        element("div", &(text("dt", name) + &element("dd class=\"num\"", value)))
    };
    element("dl class=\"meta\"", &facts.iter().map(fact).collect::<String>())
}

/// A table. Headings come with their classes, rows are HTML.
pub fn table(label: &str, headings: &[(&str, &str)], rows: &str) -> String {
    let head = headings.iter().map(|(word, class)| match *word {
        // Over buttons, which say themselves what they do.
        "" => element(&format!("td class=\"{class}\""), ""),
        word => text(&format!("th scope=\"col\" class=\"{class}\""), word),
    });
    let head = element("thead", &element("tr", &head.collect::<String>()));
    let open = format!("table class=\"rows\" aria-label=\"{}\"", escape(label));
    element(&open, &(head + &element("tbody", rows)))
}

/// A moment, in UTC until a script puts it into the reader's zone.
pub fn time(at: Timestamp) -> String {
    let iso = at.to_string();
    let words = iso.get(..19).unwrap_or(&iso).replace('T', " ");
    format!("<time class=\"num\" datetime=\"{iso}\" title=\"{iso}\">{words}</time>")
}

/// A day, likewise.
pub fn day(at: Timestamp) -> String {
    let iso = at.to_string();
    let words = iso.get(..10).unwrap_or(&iso);
    format!("<time class=\"num\" datetime=\"{iso}\" title=\"{iso}\" data-day>{words}</time>")
}

/// A moment, where there may be none.
pub fn time_or(at: Option<Timestamp>, none: &str) -> String {
    at.map_or_else(|| escape(none), time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_given_is_markup() {
        let hostile = "\"><script>alert('&')</script>";
        let html = [
            alert(hostile),
            field_with(hostile, "name=\"a\"", hostile),
            choice(hostile, "a", &[(hostile, hostile)], hostile),
            act(hostile, hostile, hostile),
            sure(hostile, hostile, hostile, hostile),
            section(hostile, ""),
            table(hostile, &[(hostile, "")], ""),
            time_or(None, hostile),
        ];
        for html in html {
            assert!(!html.contains("<script") && !html.contains("\"><\""), "{html}");
        }
    }

    #[test]
    fn an_error_is_said_in_its_form_as_a_sentence() {
        let said = Said::of("a", "the name is taken");
        assert!(said.at("a").contains(">The name is taken.<"), "{}", said.at("a"));
        assert_eq!(said.at("b"), "");
    }
}
