//! Who gets in, over real connections.

mod bounds;
mod connections;
mod ends;
mod first;
mod hostile;
mod pages;
mod rules;
mod users;

use crate::{
    client::{self, Answer},
    running::Running,
};
use serde_json::{Value, json};

/// A session's cookie, as `name=value`.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

impl Running {
    /// A request with these header lines and no other credential.
    async fn bare(&self, method: &str, path: &str, head: &[(&str, &str)], body: &str) -> Answer {
        client::send_bare(self.address, method, path, head, body.as_bytes()).await
    }

    /// A form of a browser.
    async fn form(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let head = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie)];
        self.bare("POST", path, &head, body).await
    }

    /// An API call of the admin.
    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let head = [("Content-Type", "application/json")];
        client::send(self.address, method, path, &head, body.to_string().as_bytes()).await
    }

    /// Makes a key of this role; its id and token.
    async fn key(&self, name: &str, role: &str) -> (String, String) {
        let made = self.call("POST", "/api/v1/keys", json!({ "name": name, "role": role })).await;
        assert_eq!(made.status, 201);
        let made = made.json().await;
        (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
    }

    /// Makes a user of this role, signs it in and gives its cookie.
    async fn user(&self, name: &str, role: &str) -> String {
        let user = json!({ "name": name, "role": role, "password": PASSWORD });
        assert_eq!(self.call("POST", "/api/v1/users", user).await.status, 201);
        self.signed_in(name).await
    }

    async fn signed_in(&self, name: &str) -> String {
        let answer = self.form("/login", "", &format!("name={name}&password={PASSWORD}")).await;
        assert_eq!(answer.status, 303);
        cookie(&answer)
    }
}

const PASSWORD: &str = "correct-horse-battery";
