//! Who reads the page. The server says it with the document: the role on the root element, where the style
//! sheet and the keys look at it, and the menu of the frame as text, which the browser leaves as it is.

#[cfg(feature = "ssr")]
use crate::{
    api::Pages,
    parts::{
        html::{escape, icon},
        icon as icons,
    },
};
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use shared::{Role, access::Via};

/// Who reads the page, as the server knows.
#[cfg(feature = "ssr")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reader {
    pub name: String,
    pub role: Role,
    pub via: Via,
    /// A user who would not get in again: there is no password yet.
    pub without_password: bool,
}

#[cfg(feature = "ssr")]
impl Reader {
    /// Whose request is answered; `None` where nobody is known.
    pub(crate) fn of_request() -> Option<Self> {
        use_context::<std::sync::Arc<dyn Pages>>().and_then(|pages| pages.reader())
    }

    /// Who is signed in, and the ways to the settings and out, as HTML.
    pub fn menu(&self) -> String {
        let (name, role) = (escape(&self.name), self.role.as_str());
        let hint = "<a class=\"me-hint\" href=\"/settings\" rel=\"external\">No password yet</a>";
        let hint = if self.without_password { hint } else { "" };
        let out = "<form method=\"post\" action=\"/logout\" data-leaves><button class=\"button\">Sign out</button></form>";
        let out = if self.via == Via::Session { out } else { "" };
        let person = icon(icons::PERSON);
        format!(
            "{hint}<button type=\"button\" class=\"me-button\" popovertarget=\"me\" aria-label=\"Signed in as {name}\">\
             {person}<span class=\"me-name cut\">{name}</span></button>\
             <div popover id=\"me\" class=\"me-menu\" role=\"group\" aria-label=\"Account\">\
             <p class=\"me-who\"><b class=\"cut\">{name}</b> <span class=\"dim\">{role}</span></p>\
             <a class=\"button\" href=\"/settings\" rel=\"external\">Settings</a>{out}</div>"
        )
    }
}

/// The menu, where a page is made on the server; a browser that takes the page over keeps what is there.
pub fn menu() -> String {
    #[cfg(feature = "ssr")]
    return Reader::of_request().map(|reader| reader.menu()).unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    String::new()
}

/// Whether the reader may act on jobs and queues. The server has the last word.
pub fn may_act() -> bool {
    #[cfg(feature = "ssr")]
    return Reader::of_request().is_none_or(|reader| reader.role >= Role::Operator);
    #[cfg(not(feature = "ssr"))]
    document()
        .document_element()
        .is_none_or(|root| root.get_attribute("data-role").as_deref() != Some("viewer"))
}
