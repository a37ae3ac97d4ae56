//! Keys and clicks in the log.

use super::reader::Reader;
use leptos::{
    ev::{KeyboardEvent, MouseEvent},
    wasm_bindgen::JsCast,
};
use web_sys::Element;

impl Reader {
    /// A key that was pressed in the lines. Letters are for the viewer alone; what moves is left to
    /// the browser where it can.
    pub fn key(&self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let did = match event.key().as_str() {
            "ArrowUp" => self.move_by(|_| -1.0),
            "ArrowDown" => self.move_by(|_| 1.0),
            "PageUp" => self.move_by(|extent| 1.0 - extent.page()),
            "PageDown" => self.move_by(|extent| extent.page() - 1.0),
            "Home" => self.move_by(|extent| -extent.last_top()),
            "End" => {
                self.follow();
                true
            }
            key => self.letter(key),
        };
        if did {
            event.prevent_default();
        }
    }

    /// The viewer's own letters, wherever on the page they are pressed; whether it was one.
    pub fn letter(&self, key: &str) -> bool {
        match key {
            "f" => self.toggle_follow(),
            "w" => self.0.prefs.toggle_wraps(),
            "t" => self.0.prefs.next_times(),
            "s" => self.fold_here(),
            "y" => self.copy_link(false),
            "Y" => self.copy_link(true),
            "n" => self.go_to_match(super::found::Way::Down),
            "N" => self.go_to_match(super::found::Way::Up),
            _ => return false,
        }
        true
    }

    /// A click in the lines: on a number, on the header of a step, on the end of a line cut short.
    pub fn click(&self, event: &MouseEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let found = |name: &str| {
            let element = target.as_ref()?.closest(&format!("[{name}]")).ok().flatten()?;
            element.get_attribute(name)?.parse::<u64>().ok()
        };
        if let Some(n) = found("data-n") {
            event.prevent_default();
            self.point_at(n, event.shift_key());
        } else if let Some(step) = found("data-step") {
            self.fold(step as usize);
        } else if let Some(n) = found("data-whole") {
            event.prevent_default();
            self.read_whole(n);
        }
    }
}
