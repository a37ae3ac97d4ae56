# Where the tools are and which ones. Sourced by the other scripts; says nothing, gets nothing.
# A tool lives in a folder of its own per version, outside the checkout, so that clones share it
# and nothing of the machine's own is touched.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
tools=${TAILBOARD_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/tailboard/tools}

# 0.3.11 wants a newer Rust than rust-toolchain.toml.
cargo_leptos_version=0.3.10
# Must be the version the page is linked with, to the digit.
wasm_bindgen_version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' "$root/Cargo.lock")

cargo_leptos_bin=$tools/cargo-leptos-$cargo_leptos_version/bin
wasm_bindgen_bin=$tools/wasm-bindgen-cli-$wasm_bindgen_version/bin

# An environment of just the Python clients of the streams that their tests use.
python_clients=$tools/python-clients-$(sha256sum "$root/end2end/clients/requirements.txt" | cut -c 1-16)

export PATH="$cargo_leptos_bin:$wasm_bindgen_bin:$root/node_modules/.bin:$PATH"

say() { printf 'setup: %s\n' "$*" >&2; }
# Ends with the one line that says what is missing and how to get it.
missing() { printf 'setup: MISSING: %s\n' "$*" >&2; exit 1; }
