//! Names in addresses.

use std::fmt::Write;

/// Percent-encodes what may not stand in a part of a path or of a query. A comma may.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' => {
                encoded.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn nothing_that_means_something_in_an_address_gets_through() {
        assert_eq!(encode("nightly-backup"), "nightly-backup");
        assert_eq!(encode("a/b?c&d=é #"), "a%2Fb%3Fc%26d%3D%C3%A9%20%23");
        assert_eq!(encode("active,failed"), "active,failed");
    }
}
