//! What was done, by whom, and what was refused; newest first.

use super::{Shown, Tab};
use crate::{
    auth::By,
    query::Query,
    served,
    web::still::pieces::{button, field_with, table, time},
};
use access::{Access, audit::AuditQuery};
use app::html::{element, escape, text};
use axum::{extract::State, response::Response};
use shared::access::{AuditEntry, AuditPage};
use std::{collections::BTreeSet, fmt::Write, sync::LazyLock};

/// Entries of a page.
const ROWS: u32 = 100;

/// What an action can be, for the field's suggestions.
static ACTIONS: LazyLock<String> = LazyLock::new(|| {
    let acts = served::table().into_iter().filter_map(|route| route.rule.action());
    let all: BTreeSet<&str> = acts.chain(["sign-in", "set-up"]).collect();
    let options = all.iter().map(|name| format!("<option value=\"{name}\"></option>"));
    element("datalist id=\"actions\"", &options.collect::<String>())
});

pub(super) async fn page(State(access): State<Access>, By(caller): By, query: Query) -> Response {
    let given = |name: &str| {
        query.text(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (by, action) = (given("caller"), given("action"));
    // What is no number is the newest page.
    let before = query.value::<i64>("before").ok().flatten();
    let asked =
        AuditQuery { caller: by.clone(), action: action.clone(), before, limit: Some(ROWS) };
    let shown = Shown::new(&access, &caller, &query);
    match access.audit_log(asked).await {
        Ok(page) => {
            let inner = filters(by.as_deref(), action.as_deref())
                + &entries(&page)
                + &pager(&page, by.as_deref(), action.as_deref(), before.is_some());
            shown.page(Tab::Audit, "Audit log", &inner)
        }
        Err(error) => {
            let shown = Shown::refused(&access, &caller, "audit", &error);
            let words = shown.said.at("audit");
            shown.page(Tab::Audit, "Audit log", &words)
        }
    }
}

fn filters(by: Option<&str>, action: Option<&str>) -> String {
    let bare = "autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\"";
    let clear = match by.or(action) {
        Some(_) => "<a class=\"button\" href=\"/settings/audit\">All</a>",
        None => "",
    };
    let inner = [
        field_with("Who", &format!("name=\"caller\" {bare}"), by.unwrap_or_default()),
        field_with(
            "Action",
            &format!("name=\"action\" list=\"actions\" {bare}"),
            action.unwrap_or_default(),
        ),
        ACTIONS.clone(),
        button("Show", ""),
        clear.to_owned(),
    ];
    element(
        "form class=\"audit-filters\" method=\"get\" action=\"/settings/audit\"",
        &inner.concat(),
    )
}

fn entries(page: &AuditPage) -> String {
    let headings = [
        ("When", "col-when"),
        ("Who", "col-who"),
        ("What", ""),
        ("Outcome", "col-outcome"),
        ("From", "col-address broad"),
    ];
    let inner = match page.items.is_empty() {
        true => text("p class=\"remark\"", "Nothing of this kind was done."),
        false => table("Audit log", &headings, &page.items.iter().map(row).collect::<String>()),
    };
    element("section class=\"card sheet\" aria-label=\"Audit log\"", &inner)
}

fn row(entry: &AuditEntry) -> String {
    let who = match &entry.caller {
        Some(caller) => text("span", caller),
        None => text("span class=\"dim\"", "nobody known"),
    };
    let detail = entry.detail.as_ref().map(|detail| text("span class=\"job-remark\"", detail));
    let what = [
        text("b class=\"audit-action\"", &entry.action),
        " ".to_owned(),
        text("span class=\"job-remark\"", &entry.target),
        " ".to_owned(),
        detail.unwrap_or_default(),
    ];
    let (look, mark, word) = outcome(entry.status);
    let whole = format!(
        "{} {} {}",
        entry.action,
        entry.target,
        entry.detail.as_deref().unwrap_or_default()
    );
    let cells = [
        element("td class=\"col-when\"", &time(entry.at)),
        element("td class=\"cut col-who\"", &who),
        element(&format!("td class=\"cut\" title=\"{}\"", escape(whole.trim())), &what.concat()),
        element(
            &format!("td class=\"col-outcome\" title=\"{}\"", entry.status),
            &format!(
                "<span class=\"outcome {look}\">{mark} <span class=\"outcome-word\">{word}</span></span>"
            ),
        ),
        text("td class=\"cut num col-address broad\"", &entry.address),
    ];
    let open = if entry.status >= 400 { "tr class=\"is-refused\"" } else { "tr" };
    element(open, &cells.concat())
}

/// How it went: a look, a mark and a word.
fn outcome(status: u16) -> (&'static str, &'static str, &'static str) {
    match status {
        401 => ("is-failed", "✕", "not let in"),
        403 => ("is-failed", "✕", "forbidden"),
        429 => ("is-failed", "✕", "too often"),
        400..500 => ("is-retrying", "!", "refused"),
        500.. => ("is-retrying", "!", "failed"),
        _ => ("is-completed", "✓", "done"),
    }
}

/// The way to older entries, and back to the newest.
fn pager(page: &AuditPage, by: Option<&str>, action: Option<&str>, older: bool) -> String {
    let mut filter = String::new();
    for (name, value) in [("caller", by), ("action", action)] {
        if let Some(value) = value {
            // Writing into a String cannot fail.
            let _ = write!(filter, "{name}={}&", app::encode(value));
        }
    }
    let newest = older.then(|| {
        let href = format!("/settings/audit?{}", filter.trim_end_matches('&'));
        format!("<a class=\"button\" href=\"{}\">Newest</a>", escape(href.trim_end_matches('?')))
    });
    let next = page.next.map(|before| {
        let href = escape(&format!("/settings/audit?{filter}before={before}"));
        format!("<a class=\"button\" href=\"{href}\" rel=\"next\">Older</a>")
    });
    element(
        "nav class=\"pager\" aria-label=\"Pages\"",
        &[newest, next].map(Option::unwrap_or_default).concat(),
    )
}
