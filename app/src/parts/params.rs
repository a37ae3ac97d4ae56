//! Forms that run something, with fields for its parameters. Plain form fields: what they say is checked by the server.
//!
//! Nothing in them moves, so they are made as text: as views they would cost the page kilobytes.

use super::html::escape;
use shared::{ParamDef, ParamType};
use std::{collections::BTreeMap, fmt::Write};

/// A form that runs something, as HTML: folded away if there is anything to fill in. `class` is that of
/// its button, `word` what stands on it, `label` what it is called where many say the same.
pub fn run(
    action: &str,
    word: &str,
    label: &str,
    class: &str,
    defs: &[ParamDef],
    given: &BTreeMap<String, String>,
) -> String {
    let (action, word) = (escape(action), escape(word));
    let label = escape(label);
    let button = format!("<button class=\"{class}\" aria-label=\"{label}\">{word}</button>");
    match defs {
        [] => format!("<form method=\"post\" action=\"{action}\">{button}</form>"),
        defs => folded(class, &word, &action, &(fields(defs, given, &action) + &button)),
    }
}

/// A form that asks once more before it deletes a job, as HTML.
pub fn delete(action: &str) -> String {
    let body = "<p>The job goes with its log. This cannot be undone.</p><button class=\"button button-danger\">Delete it</button>";
    folded("button", "Delete", &escape(action), body)
}

/// Fields that nobody sees, as HTML; none for what is empty.
pub fn hidden(fields: &[(&str, String)]) -> String {
    let mut html = String::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        // Writing into a String cannot fail.
        let _ = write!(html, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
    html
}

fn folded(class: &str, word: &str, action: &str, body: &str) -> String {
    format!(
        "<details class=\"again\"><summary class=\"{class}\">{word} …</summary>\
         <form method=\"post\" action=\"{action}\" class=\"fields\">{body}</form></details>"
    )
}

/// One field per parameter, as HTML, filled with what was given before or with its default. `of` keeps
/// the ids of several forms apart.
fn fields(defs: &[ParamDef], given: &BTreeMap<String, String>, of: &str) -> String {
    let mut html = String::new();
    for def in defs {
        let id = escape(&format!("{of}-{}", def.name));
        let value = given.get(&def.name).or(def.default.as_ref()).map_or("", String::as_str);
        let (name, required) = (escape(&def.name), if def.required { " required" } else { "" });
        let remark = if def.required { " (required)" } else { "" };
        let given = format!("class=\"input\" id=\"{id}\" name=\"param.{name}\"{required}");
        // Writing into a String cannot fail.
        let _ = write!(html, "<div class=\"field\"><label for=\"{id}\">{name}{remark}</label>");
        let _ = match kind(def.r#type) {
            None => write!(html, "<select {given}>{}</select>", options(def, value)),
            Some(kind) => {
                // The server checks it: what a browser takes for a pattern is another language.
                let title = def.pattern.as_deref().map(escape);
                let title = title.map(|text| format!(" title=\"It has to match {text}\""));
                let (title, value) = (title.unwrap_or_default(), escape(value));
                match value.contains('\n') {
                    // A field of one line would join them. The first of two ends of line belongs to the tag.
                    true => {
                        write!(html, "<textarea {given}{title} rows=\"3\">\n{value}</textarea>")
                    }
                    false => write!(html, "<input {given} {kind}{title} value=\"{value}\">"),
                }
            }
        };
        if let Some(text) = &def.description {
            let _ = write!(html, "<p class=\"dim\">{}</p>", escape(text));
        }
        html.push_str("</div>");
    }
    html
}

/// None: a choice.
fn kind(kind: ParamType) -> Option<&'static str> {
    match kind {
        ParamType::Choice | ParamType::Bool => None,
        ParamType::Int => Some("type=\"number\" step=\"1\""),
        ParamType::Float => Some("type=\"number\" step=\"any\""),
        ParamType::String => Some("type=\"text\""),
    }
}

fn options(def: &ParamDef, value: &str) -> String {
    let booleans = ["true".to_owned(), "false".to_owned()];
    let choices = if def.r#type == ParamType::Bool { &booleans[..] } else { &def.choices[..] };
    // One that may be left out can be left out.
    let mut html = String::new();
    if !def.required && def.default.is_none() {
        html.push_str("<option value=\"\"></option>");
    }
    for choice in choices {
        let selected = if choice == value { " selected" } else { "" };
        let choice = escape(choice);
        let _ = write!(html, "<option value=\"{choice}\"{selected}>{choice}</option>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn def(r#type: ParamType) -> ParamDef {
        let choices = vec!["a".to_owned(), "<b>".to_owned()];
        let (name, description) = ("p".to_owned(), Some("what & why".to_owned()));
        ParamDef {
            name,
            r#type,
            description,
            required: false,
            default: None,
            pattern: None,
            choices,
        }
    }

    #[test]
    fn nothing_that_was_given_ends_a_field() {
        let hostile = "\"><script>alert(1)</script><a b='";
        let given = [("p".to_owned(), hostile.to_owned())].into();
        let html = fields(&[def(ParamType::String)], &given, hostile);
        assert!(!html.contains("<script") && !html.contains("<a b="), "{html}");
        assert!(html.contains("value=\"&quot;&gt;&lt;script&gt;"), "{html}");
    }

    #[test]
    fn lines_stay_lines() {
        let given = [("p".to_owned(), "\none <two>\nthree".to_owned())].into();
        let html = fields(&[def(ParamType::String)], &given, "f");
        assert!(html.contains(">\n\none &lt;two&gt;\nthree</textarea>"), "{html}");
    }

    #[test]
    fn a_field_is_of_its_type_and_has_its_value() {
        let none = BTreeMap::new();
        let number = ParamDef { default: Some("3".into()), ..def(ParamType::Int) };
        let html = fields(&[number], &none, "f");
        assert!(html.contains("name=\"param.p\" type=\"number\" step=\"1\" value=\"3\""), "{html}");
        let choice = ParamDef { default: Some("<b>".into()), ..def(ParamType::Choice) };
        let html = fields(&[choice], &none, "f");
        assert!(html.contains("<option value=\"&lt;b&gt;\" selected>&lt;b&gt;</option>"), "{html}");
        assert!(!html.contains("<option value=\"\">"), "it has a default: {html}");
        let yes = ParamDef { required: true, ..def(ParamType::Bool) };
        assert!(fields(&[yes], &none, "f").contains("<label for=\"f-p\">p (required)</label>"));
    }
}
