//! OAuth 2: grants, and the tokens that they fetch.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

use super::failure::Failure;
use super::response::status_line;
use super::wire::Wire;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Redactor, Secret};
use crate::text::base64;
use crate::world::{Moment, WireRequest};

/// A grant of OAuth 2 and its current token.
pub(super) struct Grant {
    token_url: String,
    id: Secret,
    secret: Secret,
    kind: Kind,
    token: Mutex<Option<Token>>,
    /// Held while a token is fetched: a refresh token that the server replaces can be used once only.
    fetching: tokio::sync::Mutex<()>,
}

enum Kind {
    /// Scopes, joined with blanks.
    ClientCredentials(String),
    RefreshToken {
        /// As it was configured.
        given: Secret,
        /// As the server last replaced it during this run.
        replaced: Mutex<Option<Secret>>,
        /// The file that keeps the replaced one for the next run.
        file: PathBuf,
    },
}

struct Token {
    value: Secret,
    /// It is renewed from this moment on.
    stale_at: Moment,
}

impl Grant {
    pub fn client_credentials(
        token_url: &str,
        id: Secret,
        secret: Secret,
        scopes: &[&str],
    ) -> Self {
        Grant::new(
            token_url,
            id,
            secret,
            Kind::ClientCredentials(scopes.join(" ")),
        )
    }

    pub fn refresh_token(
        token_url: &str,
        id: Secret,
        secret: Secret,
        given: Secret,
        file: PathBuf,
    ) -> Self {
        let kind = Kind::RefreshToken {
            given,
            replaced: Mutex::new(None),
            file,
        };
        Grant::new(token_url, id, secret, kind)
    }

    fn new(token_url: &str, id: Secret, secret: Secret, kind: Kind) -> Self {
        Grant {
            token_url: token_url.to_owned(),
            id,
            secret,
            kind,
            token: Mutex::new(None),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    /// All secrets of the grant, for redaction.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = vec![self.id.clone(), self.secret.clone()];
        if let Kind::RefreshToken {
            given, replaced, ..
        } = &self.kind
        {
            secrets.push(given.clone());
            secrets.extend(lock(replaced).clone());
        }
        secrets.extend(lock(&self.token).as_ref().map(|token| token.value.clone()));
        secrets
    }

    /// Forgets the fetched token; true if there was one.
    pub fn forget(&self) -> bool {
        lock(&self.token).take().is_some()
    }

    /// A token that has not expired, fetched if necessary.
    pub async fn token(&self, wire: &Wire) -> Result<Secret> {
        let fresh = || {
            let token = lock(&self.token);
            let fresh = token
                .as_ref()
                .filter(|token| token.stale_at > wire.world.moment());
            fresh.map(|token| token.value.clone())
        };
        if let Some(token) = fresh() {
            return Ok(token);
        }
        let _turn = self.fetching.lock().await;
        if let Some(token) = fresh() {
            return Ok(token);
        }
        let answer = self.fetch(wire).await?;
        let Some(value) = answer["access_token"].as_str() else {
            return Err(self.refused("the answer has no `access_token`".to_owned()));
        };
        self.keep_replaced(&answer)?;
        let token = Secret::from(value);
        let seconds = match &answer["expires_in"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        };
        let lasts = seconds.unwrap_or(3600).saturating_sub(60).max(1);
        *lock(&self.token) = Some(Token {
            value: token.clone(),
            stale_at: wire.world.moment().after(Duration::from_secs(lasts)),
        });
        Ok(token)
    }

    /// Fetches a token with the client's secret in the form, or in the header where the server wants that.
    async fn fetch(&self, wire: &Wire) -> Result<Value> {
        let refresh = self.current()?;
        let (status, answer) = self.ask(wire, refresh.as_ref(), false).await?;
        let (status, answer) = match answer["error"].as_str() {
            Some("invalid_client") if !self.secret.expose().is_empty() => {
                self.ask(wire, refresh.as_ref(), true).await?
            }
            _ => (status, answer),
        };
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let reason = answer["error_description"]
            .as_str()
            .or(answer["error"].as_str())
            .unwrap_or("the server gives no reason");
        let reason = Redactor::new(self.secrets()).redact(reason);
        let hint = match (&self.kind, answer["error"].as_str()) {
            (Kind::RefreshToken { .. }, Some("invalid_grant")) => {
                "the refresh token has expired or was revoked: get another one and set it"
            }
            _ => "check the client id and secret",
        };
        Err(self
            .refused(format!("{}: {reason}", status_line(status)))
            .hint(hint))
    }

    async fn ask(
        &self,
        wire: &Wire,
        refresh: Option<&Secret>,
        in_header: bool,
    ) -> Result<(u16, Value)> {
        let mut form = match (&self.kind, refresh) {
            (_, Some(token)) => vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", token.expose()),
            ],
            (Kind::ClientCredentials(scopes), None) if !scopes.is_empty() => {
                vec![("grant_type", "client_credentials"), ("scope", scopes)]
            }
            _ => vec![("grant_type", "client_credentials")],
        };
        let mut headers = HeaderMap::new();
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form_type);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if in_header {
            let pair = format!("{}:{}", self.id.expose(), self.secret.expose());
            let basic = format!("Basic {}", base64(pair.as_bytes()));
            let mut basic =
                HeaderValue::from_str(&basic).map_err(|error| self.refused(error.to_string()))?;
            basic.set_sensitive(true);
            headers.insert(AUTHORIZATION, basic);
        } else {
            form.push(("client_id", self.id.expose()));
            if !self.secret.expose().is_empty() {
                form.push(("client_secret", self.secret.expose()));
            }
        }
        let refused = |error: &dyn std::fmt::Display| {
            self.refused(format!("the token could not be fetched: {error}"))
        };
        let url = Url::parse(&self.token_url).map_err(|error| refused(&error))?;
        let body = Url::parse_with_params("form:", form).map_err(|error| refused(&error))?;
        let request = WireRequest {
            method: "POST",
            url: url.clone(),
            headers,
            body: body.query().unwrap_or_default().into(),
        };
        let answer = wire.exchange(request, &url).await;
        let answer = answer.map_err(|failure| match failure {
            Failure::Transient(message) => refused(&message),
            Failure::Final(error) => error.at(format!("POST {}", self.token_url)),
        })?;
        let json = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok((answer.status, json))
    }

    /// The refresh token to use: the one of this run, the one that an earlier run kept for the same configured one, or the
    /// configured one.
    fn current(&self) -> Result<Option<Secret>> {
        let Kind::RefreshToken {
            given,
            replaced,
            file,
        } = &self.kind
        else {
            return Ok(None);
        };
        let mut replaced = lock(replaced);
        if replaced.is_none() {
            *replaced = read(file, given)?;
        }
        Ok(Some(replaced.clone().unwrap_or_else(|| given.clone())))
    }

    /// Keeps a refresh token that the server has replaced: the old one is invalid, so the new one is on disk before it is used.
    fn keep_replaced(&self, answer: &Value) -> Result<()> {
        let (
            Kind::RefreshToken {
                given,
                replaced,
                file,
            },
            Some(new),
        ) = (&self.kind, answer["refresh_token"].as_str())
        else {
            return Ok(());
        };
        let known = lock(replaced).clone().unwrap_or_else(|| given.clone());
        if known.expose() == new {
            return Ok(());
        }
        *lock(replaced) = Some(new.into());
        write(file, given, new).map_err(|error| {
            Error::new(
                ErrorKind::System,
                format!(
                    "the API replaced the refresh token, and the new one could not be written to {}: {error}",
                    file.display()
                ),
            )
            .hint("make that file writable, and get another refresh token: the old one is invalid now")
        })
    }

    fn refused(&self, message: String) -> Error {
        Error::new(ErrorKind::Credentials, message).at(format!("POST {}", self.token_url))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}

/// A fingerprint that tells one configured refresh token from another without holding it.
fn fingerprint(given: &Secret) -> String {
    format!(
        "{:032x}",
        xxhash_rust::xxh3::xxh3_128(given.expose().as_bytes())
    )
}

/// The token kept for a configured one; `None`: there is no file, or it belongs to another token.
fn read(file: &Path, given: &Secret) -> Result<Option<Secret>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("{}: {error}", file.display());
            return Err(Error::new(ErrorKind::System, message)
                .hint("the file holds the refresh token that the API sent last"));
        }
    };
    let kept: Value = serde_json::from_str(&text).unwrap_or_default();
    let same = kept["given"].as_str() == Some(fingerprint(given).as_str());
    Ok(kept["refresh_token"]
        .as_str()
        .filter(|_| same)
        .map(Secret::from))
}

/// Writes the file beside and moves it into place, so that a crash leaves either the old one or the new one.
fn write(file: &Path, given: &Secret, new: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let kept = serde_json::json!({"given": fingerprint(given), "refresh_token": new});
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&beside)?;
    out.write_all(format!("{kept}\n").as_bytes())?;
    out.sync_all()?;
    std::fs::rename(&beside, file)
}
