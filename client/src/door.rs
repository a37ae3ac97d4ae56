//! The two ways to users and keys: by a board that runs, over HTTP; or by what it keeps, while it does not.

use crate::{
    api::{Again, Ask},
    failure::Failure,
    session::Session,
};
use http::Method;
use serde::Serialize;
use serde_json::Value;
use shared::access::{All, ApiKey, KeyMade, NewKey, NewUser, User, UserChange};
use uuid::Uuid;

/// What can be asked about users and keys. Errors say what is wrong, in words for people.
pub trait Door {
    fn users(&self) -> impl Future<Output = Result<Vec<User>, Failure>>;
    fn add_user(&self, new: NewUser) -> impl Future<Output = Result<User, Failure>>;
    fn change_user(
        &self,
        name: &str,
        change: UserChange,
    ) -> impl Future<Output = Result<User, Failure>>;
    fn delete_user(&self, name: &str) -> impl Future<Output = Result<(), Failure>>;
    /// Those that are revoked are among them.
    fn keys(&self) -> impl Future<Output = Result<Vec<ApiKey>, Failure>>;
    fn add_key(&self, new: NewKey) -> impl Future<Output = Result<KeyMade, Failure>>;
    fn revoke_key(&self, id: Uuid) -> impl Future<Output = Result<(), Failure>>;
}

impl Door for Session {
    async fn users(&self) -> Result<Vec<User>, Failure> {
        let all: All<User> = self.api.get(&["api", "v1", "users"], &[]).await?;
        Ok(all.items)
    }

    async fn add_user(&self, new: NewUser) -> Result<User, Failure> {
        let path = ["api", "v1", "users"];
        self.api.json(&Ask::post(&path, body(&new)?, Again::Unsent)).await
    }

    async fn change_user(&self, name: &str, change: UserChange) -> Result<User, Failure> {
        let path = ["api", "v1", "users", name];
        let mut ask = Ask::post(&path, body(&change)?, Again::Safe);
        ask.method = Method::PATCH;
        self.api.json(&ask).await
    }

    async fn delete_user(&self, name: &str) -> Result<(), Failure> {
        self.api.send(&Ask::delete(&["api", "v1", "users", name])).await.map(drop)
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, Failure> {
        let all: All<ApiKey> = self.api.get(&["api", "v1", "keys"], &[]).await?;
        Ok(all.items)
    }

    async fn add_key(&self, new: NewKey) -> Result<KeyMade, Failure> {
        // The token of a second one would be another.
        let path = ["api", "v1", "keys"];
        self.api.json(&Ask::post(&path, body(&new)?, Again::Unsent)).await
    }

    async fn revoke_key(&self, id: Uuid) -> Result<(), Failure> {
        let id = id.to_string();
        self.api.send(&Ask::delete(&["api", "v1", "keys", &id])).await.map(drop)
    }
}

fn body(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Other(error.to_string()))
}
