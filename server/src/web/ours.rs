//! Where a form leads when it was obeyed, as far as the form says it.

/// A path of ours, never another site's and never what no header can have; `/` of anything else.
pub fn ours(to: Option<&str>) -> &str {
    let plain = |to: &&str| {
        to.starts_with('/')
            && !to.starts_with("//")
            && !to.bytes().any(|byte| byte == b'\\' || byte.is_ascii_control())
    };
    to.filter(plain).unwrap_or("/")
}
