//! Rows made as text and kept true in place: of a row that changed only what differs is touched,
//! so focus, selection and an opened fold stay; a row that did not change costs a comparison.

use leptos::{html, prelude::*, tachys::html::element::ElementType, wasm_bindgen::JsCast};
use std::{sync::Arc, time::Duration};
use web_sys::{Element, HtmlTemplateElement, Node};

/// One row: by what it is known again, and how it looks now. The HTML is one element.
#[derive(Clone, PartialEq)]
pub struct Row {
    pub key: String,
    pub html: String,
}

impl Row {
    pub fn new(key: impl Into<String>, html: String) -> Self {
        Self { key: key.into(), html }
    }
}

type Read = Arc<dyn Fn() -> Vec<Row> + Send + Sync>;

/// The body of a table; `read` is tracked.
pub fn body(read: impl Fn() -> Vec<Row> + Send + Sync + 'static) -> impl IntoView {
    let node = NodeRef::<html::Tbody>::new();
    let first = keep(node, Arc::new(read));
    view! { <tbody node_ref=node inner_html=first></tbody> }
}

/// Any pieces one after the other; `read` is tracked.
pub fn pieces(
    class: &'static str,
    read: impl Fn() -> Vec<Row> + Send + Sync + 'static,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let first = keep(node, Arc::new(read));
    view! { <div class=class node_ref=node inner_html=first></div> }
}

/// Keeps the children of an element what `read` says; tells what they are at first.
pub fn keep<E>(node: NodeRef<E>, read: Read) -> String
where
    E: ElementType + 'static,
    E::Output: JsCast + Clone + AsRef<Element> + 'static,
{
    let first = untrack(|| read());
    let html = first.iter().map(|row| row.html.as_str()).collect();
    let found = move || node.get().map(|element| AsRef::<Element>::as_ref(&element).clone());
    follow(Box::new(found), first, read);
    html
}

/// A drawing that took so long is not repeated before this many times as long, so that a list in which
/// everything changes all the time leaves the page free for its reader. What changes a little is drawn at once.
const REST: f64 = 16.0;
/// Nor later than this, in milliseconds.
const LONGEST_REST: f64 = 400.0;

/// The same for every kind of element.
fn follow(found: Box<dyn Fn() -> Option<Element> + Send + Sync>, first: Vec<Row>, read: Read) {
    let rested = ArcTrigger::new();
    Effect::new(move |state: Option<(Vec<Row>, f64)>| {
        let (known, not_before) = state.unwrap_or_else(|| (first.clone(), 0.0));
        rested.track();
        let begun = now();
        if begun < not_before {
            // What changes meanwhile is seen then: nothing but the end of the rest wakes this.
            let rested = rested.clone();
            let rest = Duration::from_millis((not_before - begun).ceil() as u64);
            set_timeout(move || rested.notify(), rest);
            return (known, not_before);
        }
        let Some(element) = found() else { return (known, 0.0) };
        let rows = read();
        update(&element, &known, &rows);
        let end = now();
        (rows, end + ((end - begun) * REST).min(LONGEST_REST))
    });
}

/// Milliseconds by a clock that only goes forward.
fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// Brings the children of an element from `known` to `rows`.
pub fn update(parent: &Element, known: &[Row], rows: &[Row]) {
    let children: Vec<Element> = {
        let all = parent.children();
        (0..all.length()).filter_map(|at| all.item(at)).collect()
    };
    for (row, element) in known.iter().zip(&children) {
        if !rows.iter().any(|other| other.key == row.key) {
            element.remove();
        }
    }
    let mut next = parent.first_element_child();
    for (at, row) in rows.iter().enumerate() {
        // Most of the time it stands where it stood.
        let here = |known: &&Row| known.key == row.key;
        let was = match known.get(at).filter(here) {
            Some(_) => Some(at),
            None => known.iter().position(|known| known.key == row.key),
        };
        let kept = was.and_then(|was| Some((known.get(was)?, children.get(was)?)));
        let element = match kept {
            Some((old, element)) => {
                if old.html != row.html
                    && let Some(new) = parse(&row.html)
                {
                    morph(element, &new);
                }
                if next.as_ref() == Some(element) {
                    next = element.next_element_sibling();
                    continue;
                }
                element.clone()
            }
            None => match parse(&row.html) {
                Some(element) => element,
                None => continue,
            },
        };
        // Both are of this document, and `next` is a child of the parent.
        let _ = parent.insert_before(&element, next.as_deref());
    }
}

/// HTML of one element as that element. A template takes what stands in tables, too.
fn parse(html: &str) -> Option<Element> {
    let template = document().create_element("template").ok()?;
    template.set_inner_html(html);
    template.unchecked_into::<HtmlTemplateElement>().content().first_element_child()
}

/// Makes `old` look like `new` and touches what differs only.
fn morph(old: &Node, new: &Node) {
    if old.node_name() != new.node_name() {
        if let Some(parent) = old.parent_node() {
            let _ = parent.replace_child(new, old);
        }
        return;
    }
    if old.node_type() != Node::ELEMENT_NODE {
        if old.node_value() != new.node_value() {
            old.set_node_value(new.node_value().as_deref());
        }
        return;
    }
    attributes(old.unchecked_ref(), new.unchecked_ref());
    let (mut a, mut b) = (old.first_child(), new.first_child());
    loop {
        match (a, b) {
            (Some(x), Some(y)) => {
                (a, b) = (x.next_sibling(), y.next_sibling());
                morph(&x, &y);
            }
            (None, Some(y)) => {
                (a, b) = (None, y.next_sibling());
                let _ = old.append_child(&y);
            }
            (Some(x), None) => {
                (a, b) = (x.next_sibling(), None);
                let _ = old.remove_child(&x);
            }
            (None, None) => break,
        }
    }
}

fn attributes(old: &Element, new: &Element) {
    for name in new.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        let value = new.get_attribute(&name);
        if old.get_attribute(&name) != value {
            let _ = old.set_attribute(&name, &value.unwrap_or_default());
        }
    }
    for name in old.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        // A fold is the reader's to open and close.
        if name != "open" && !new.has_attribute(&name) {
            let _ = old.remove_attribute(&name);
        }
    }
}
