//! The document around the app. Rendered on the server only; what is in it is not hydrated.

use crate::{App, reader::Reader};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

/// Where the site's files are served. The server puts it into context; without it, `/pkg`.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// Path without a slash at its end, under which `tailboard.js`, `tailboard.wasm` and
    /// `tailboard.css` are found: `/pkg/<hash>`.
    pub pkg_prefix: String,
}

/// Puts the reader's choice of theme on the document before anything is painted.
pub const THEME: &str =
    "try{document.documentElement.dataset.theme=localStorage.theme||'system'}catch{}";

/// The document. Scripts carry the nonce of the request, so the policy can forbid all others.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let prefix = use_context::<SiteOptions>().map_or("/pkg".to_owned(), |site| site.pkg_prefix);
    let file = |name: &str| format!("{prefix}/{name}");
    let hydrate = format!(
        "import('{prefix}/tailboard.js').then(m=>m.default({{module_or_path:'{prefix}/tailboard.wasm'}}).then(()=>m.hydrate()))"
    );
    let role = Reader::of_request().map(|reader| reader.role.as_str());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-role=role>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <script nonce=use_nonce()>{THEME}</script>
                <link rel="stylesheet" href=file("tailboard.css")/>
                <link rel="preload" href=file("fonts/inter.woff2") r#as="font" r#type="font/woff2" crossorigin=""/>
                <link rel="modulepreload" href=file("tailboard.js")/>
                <link
                    rel="preload"
                    href=file("tailboard.wasm")
                    r#as="fetch"
                    r#type="application/wasm"
                    crossorigin=""
                />
                <link rel="icon" href=file("favicon.svg") r#type="image/svg+xml"/>
                <AutoReload options/>
                <script type="module" nonce=use_nonce()>
                    {hydrate}
                </script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
