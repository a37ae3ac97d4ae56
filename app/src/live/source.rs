//! One open EventSource with its closures. Dropping it closes it and forgets them, so nothing can
//! call back into a page that is gone.

use js_sys::wasm_bindgen::{JsCast, JsValue, closure::Closure};
use shared::event::name;
use web_sys::{EventSource, MessageEvent};

/// What the browser tells of the stream.
pub enum Signal {
    Open,
    /// Name, id (empty if there has been none yet) and data of an event.
    Event(String, String, String),
    /// It broke. The browser tries again by itself, or (`closed`) has given up for good.
    Broken {
        closed: bool,
    },
}

pub struct Source {
    source: EventSource,
    on_event: Closure<dyn FnMut(MessageEvent)>,
    on_open: Closure<dyn FnMut()>,
    on_error: Closure<dyn FnMut()>,
}

impl Source {
    /// Opens the stream; `tell` is called for all that comes.
    pub fn open(url: &str, tell: impl Fn(Signal) + Clone + 'static) -> Result<Self, JsValue> {
        let source = EventSource::new(url)?;
        let on_event = Closure::new({
            let tell = tell.clone();
            move |event: MessageEvent| {
                if let Some(data) = event.data().as_string() {
                    tell(Signal::Event(event.type_(), event.last_event_id(), data));
                }
            }
        });
        let on_open = Closure::new({
            let tell = tell.clone();
            move || tell(Signal::Open)
        });
        let on_error = Closure::new({
            let source = source.clone();
            move || tell(Signal::Broken { closed: source.ready_state() == EventSource::CLOSED })
        });
        source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        for name in name::ALL {
            source.add_event_listener_with_callback(name, on_event.as_ref().unchecked_ref())?;
        }
        Ok(Self { source, on_event, on_open, on_error })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.source.close();
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        for name in name::ALL {
            // It was added under this name, and there is nothing to do if it was not.
            let _ = self
                .source
                .remove_event_listener_with_callback(name, self.on_event.as_ref().unchecked_ref());
        }
        // The closures go with this struct, after nothing refers to them any more.
        let _ = (&self.on_open, &self.on_error);
    }
}
