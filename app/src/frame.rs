//! What stands around every page: the ways to go, and how far what is shown can be trusted.

use crate::{
    board::{Board, BoardLoader},
    format, keys,
    live::{Link, Live, follow},
    pages::is_online,
    parts::{
        html::{self, escape},
        icon::{self, Icon},
        rows::{self, Row},
        text,
        time::{Clock, now, when},
    },
    reader,
};
use leptos::{either::Either, ev, prelude::*};
use leptos_router::components::A;
use shared::{Connection, Freshness, Timestamp};

/// The mark and the name, as HTML.
pub const BRAND: &str = "<svg class=\"brand-mark\" viewBox=\"0 0 20 20\" aria-hidden=\"true\">\
    <path d=\"M3 5h14M3 10h9M3 15h5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\"></path>\
    <circle cx=\"15.5\" cy=\"13.5\" r=\"2.5\" fill=\"currentColor\"></circle></svg>Tailboard";

/// The ways to go: address, drawing and word of each.
pub const WAYS: [(&str, &str, &str); 5] = [
    ("/", icon::OVERVIEW, "Overview"),
    ("/jobs", icon::JOBS, "Jobs"),
    ("/queues", icon::INBOX, "Queues"),
    ("/workers", icon::WORKERS, "Workers"),
    ("/pipelines", icon::PIPELINES, "Pipelines"),
];

/// The main navigation: beside the page, or a bar at its foot on a phone.
#[component]
pub fn Side() -> impl IntoView {
    view! {
        <nav class="side" aria-label="Main">
            <a class="brand" href="/" inner_html=BRAND></a>
            {WAYS
                .map(|(href, path, word)| {
                    view! {
                        <A href=href exact=href == "/" attr:class="side-link">
                            <Icon path=path/>
                            <span>{word}</span>
                            {match href {
                                "/jobs" => Some(view! { <SideCount read=jobs follows=true/> }),
                                "/workers" => Some(view! { <SideCount read=online follows=false/> }),
                                _ => None,
                            }}
                        </A>
                    }
                })
                .collect_view()}
            <a class="side-link side-settings" href="/settings" rel="external">
                <Icon path=icon::SETTINGS/>
                <span>"Settings"</span>
            </a>
            <ThemeButton/>
        </nav>
    }
}

fn jobs(board: &Board) -> String {
    format::total(board.counts.all())
}

fn online(board: &Board) -> String {
    board.workers.map(is_online).into_iter().filter(|online| *online).count().to_string()
}

/// How many there are. One of them `follows`: there the board begins to follow the stream, once per page.
#[component]
fn SideCount(read: fn(&Board) -> String, follows: bool) -> impl IntoView {
    let loader = expect_context::<BoardLoader>();
    let live = expect_context::<Live>();
    view! {
        <Suspense>
            {move || {
                let (loader, live) = (loader.clone(), live.clone());
                Suspend::new(async move {
                    let board = loader.board().await.ok()?;
                    if follows {
                        follow(live.clone(), board.clone());
                        let connections = board.connections.clone();
                        Effect::new(move |_| live.watch(connections.map(|connection| connection.id)));
                    }
                    Some(view! { <span class="side-count num">{text(move || read(&board))}</span> })
                })
            }}
        </Suspense>
    }
}

/// Light, dark, or what the system says; remembered by the browser.
#[component]
fn ThemeButton() -> impl IntoView {
    const THEMES: [&str; 3] = ["system", "light", "dark"];
    let theme = RwSignal::new(THEMES[0]);
    let storage = || window().local_storage().ok().flatten();
    Effect::new(move |_| {
        let kept = storage().and_then(|storage| storage.get_item("theme").ok().flatten());
        if let Some(kept) = THEMES.into_iter().find(|known| kept.as_deref() == Some(known)) {
            theme.set(kept);
        }
    });
    let next = move |_| {
        let at = THEMES.iter().position(|known| *known == theme.get_untracked()).unwrap_or(0);
        let chosen = THEMES[(at + 1) % THEMES.len()];
        theme.set(chosen);
        // A browser that keeps nothing still changes the page.
        if let Some(storage) = storage() {
            let _ = storage.set_item("theme", chosen);
        }
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-theme", chosen);
        }
    };
    view! {
        <button class="side-link side-theme" type="button" on:click=next>
            <Icon path=icon::THEME/>
            <span>
                "Theme"
                <span class="side-value">": " {move || theme.get()}</span>
            </span>
        </button>
    }
}

/// The bar above the page.
#[component]
pub fn Head() -> impl IntoView {
    let loader = expect_context::<BoardLoader>();
    view! {
        <header class="head">
            <a class="brand head-brand" href="/" inner_html=BRAND></a>
            <Search/>
            <Suspense>
                {move || {
                    let loader = loader.clone();
                    Suspend::new(async move {
                        let board = loader.board().await.ok();
                        view! { <LinkBadge board/> }
                    })
                }}
            </Suspense>
            <div class="me" inner_html=reader::menu()></div>
        </header>
    }
}

/// Opens the palette; a link to the list and its search where no script runs.
#[component]
fn Search() -> impl IntoView {
    let open = |event: ev::MouseEvent| {
        if keys::open_palette() {
            event.prevent_default();
        }
    };
    view! {
        <a class="head-search" href="/jobs" on:click=open>
            <Icon path=icon::SEARCH/>
            <span class="cut">"Search jobs, pipelines, actions"</span>
            <kbd aria-hidden="true">"Ctrl K"</kbd>
        </a>
    }
}

/// How the page stands to the server, always in sight.
#[component]
fn LinkBadge(board: Option<Board>) -> impl IntoView {
    let live = expect_context::<Live>();
    let rate = live.clone();
    let stale = {
        let board = board.clone();
        move || board.as_ref().is_none_or(|board| !board.stale().is_empty())
    };
    let look = Memo::new(move |_| match live.link() {
        Link::Still => {
            ("still", "Not live", "This page was rendered by the server and does not move yet.")
        }
        Link::Reconnecting => (
            "reconnecting",
            "Reconnecting",
            "The server cannot be reached; what is shown may be old.",
        ),
        _ if stale() => ("stale", "Stale", "A connection is not live; see the top of the page."),
        Link::Live => ("live", "Live", "Everything is shown as it happens."),
        Link::Resynced => (
            "resynced",
            "Resynced",
            "The stream could not be continued, so everything was fetched again.",
        ),
    });
    let clock = expect_context::<Clock>();
    let away = {
        let live = expect_context::<Live>();
        let since = RwSignal::new(None);
        Effect::new(move |_| {
            since.set((live.link() == Link::Reconnecting).then(|| Timestamp(now())));
        });
        text(move || match since.get() {
            Some(since) => {
                format!(
                    "Not connected since {}: what is shown may be old",
                    when(&clock, Some(since))
                )
            }
            None => String::new(),
        })
    };
    let rate = text(move || format!("{} events/s", format::count(rate.rate())));
    let connections = text(move || {
        let count = board.as_ref().map_or(0, |board| board.connections.with(<[_]>::len));
        format::plural(count as u64, "connection", "connections")
    });
    view! {
        <p class="link" role="status" data-link=text(move || look.get().0) title=text(move || look.get().2)>
            <svg class="link-mark" viewBox="0 0 16 16" aria-hidden="true">
                <circle cx="8" cy="8" r="7" class="link-halo"></circle>
                <circle cx="8" cy="8" r="4" class="link-dot"></circle>
            </svg>
            <span class="link-word">{text(move || look.get().1)}</span>
            // How fast they come is no news for who hears the page.
            <span class="link-more num wider" aria-hidden="true">{rate}</span>
            <span class="link-more num">{connections}</span>
            <span class="away" inner_html=away></span>
        </p>
    }
}

/// One line for every connection whose data is not live, over every page that shows it.
#[component]
pub fn Warnings() -> impl IntoView {
    let loader = expect_context::<BoardLoader>();
    let clock = expect_context::<Clock>();
    view! {
        <Suspense>
            {move || {
                let (loader, clock) = (loader.clone(), clock.clone());
                Suspend::new(async move {
                    match loader.board().await {
                        Ok(board) => {
                            Either::Left(
                                view! {
                                    {rows::pieces("contents", move || {
                                        board.stale().iter().map(|connection| warning(&clock, connection)).collect()
                                    })}
                                },
                            )
                        }
                        Err(_) => {
                            Either::Right(
                                view! {
                                    <p class="warning" role="status">
                                        <Icon path=icon::WARNING/>
                                        "The board cannot be read now; trying again."
                                    </p>
                                },
                            )
                        }
                    }
                })
            }}
        </Suspense>
    }
}

fn warning(clock: &Clock, connection: &Connection) -> Row {
    let what = match connection.freshness {
        Freshness::Live => "is live",
        Freshness::Stale => "is stale",
        Freshness::Unreachable => "cannot be reached",
        Freshness::EventsOff => "has its events switched off",
    };
    let reason = connection.reason.as_ref().map(|reason| format!(": {}", escape(reason)));
    let html = format!(
        "<p class=\"warning\" role=\"status\">{}<span><strong>{}</strong> {what} since {}{}</span></p>",
        html::icon(icon::WARNING),
        escape(&connection.name),
        when(clock, Some(connection.since)),
        reason.unwrap_or_default()
    );
    Row::new(connection.id.to_string(), html)
}
