//! The cookie of a session.

use http::{HeaderMap, HeaderValue, header};

/// How the cookie is called and guarded.
///
/// By https its name begins with `__Host-`: no other host, and no plain http, can set it. By http, which is for
/// loopback, it has the port in it, since cookies of one host are shared by all its ports.
#[derive(Clone, Debug)]
pub struct Cookie {
    name: String,
    secure: bool,
}

impl Cookie {
    pub fn new(https: bool, port: u16) -> Self {
        match https {
            true => Self { name: "__Host-tailboard_session".to_owned(), secure: true },
            false => Self { name: format!("tailboard_session_{port}"), secure: false },
        }
    }

    /// The session's secret, if the browser sent one.
    pub fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.name).then_some(value)
        });
        pairs.next()
    }

    /// Gives a browser its session. It keeps it until it is closed, or longer: the server decides when it ends.
    pub fn set(&self, secret: &str, seconds: u64) -> HeaderValue {
        self.line(secret, seconds)
    }

    /// Takes it away again.
    pub fn clear(&self) -> HeaderValue {
        self.line("", 0)
    }

    fn line(&self, value: &str, seconds: u64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let line = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
            self.name
        );
        // Name and value are hexadecimal digits and the like.
        HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_by_its_whole_name() {
        let cookie = Cookie::new(false, 3000);
        let mut headers = HeaderMap::new();
        let line = "a=1; tailboard_session_30=x; tailboard_session_3000=abc; b=2";
        headers.insert(header::COOKIE, line.parse().unwrap());
        assert_eq!(cookie.read(&headers), Some("abc"));
        assert_eq!(Cookie::new(true, 3000).read(&headers), None);
    }

    #[test]
    fn by_https_it_is_secure_and_bound_to_its_host() {
        let line = Cookie::new(true, 443).set("abc", 60);
        assert_eq!(
            line,
            "__Host-tailboard_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
    }
}
