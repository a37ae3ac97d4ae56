//! The document around the app. Rendered on the server only; what is in it is not hydrated.

use crate::App;
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

/// Where the site's files are served. The server puts it into context; without it, `/pkg`.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// Path without a slash at its end, under which `tailboard.js`, `tailboard.wasm` and
    /// `tailboard.css` are found: `/pkg/<hash>`.
    pub pkg_prefix: String,
}

/// The document. Scripts carry the nonce of the request, so the policy can forbid all others.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let prefix = use_context::<SiteOptions>().map_or("/pkg".to_owned(), |site| site.pkg_prefix);
    let hydrate = format!(
        "import('{prefix}/tailboard.js').then(m=>m.default({{module_or_path:'{prefix}/tailboard.wasm'}}).then(()=>m.hydrate()))"
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <link rel="stylesheet" href=format!("{prefix}/tailboard.css")/>
                <link rel="modulepreload" href=format!("{prefix}/tailboard.js") crossorigin=use_nonce()/>
                <AutoReload options/>
                <script type="module" nonce=use_nonce()>{hydrate}</script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
