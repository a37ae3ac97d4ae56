//! Pages and components, compiled for the server (`ssr`) and for the browser (`hydrate`).
