//! OAuth 2: what buys a token, and the token that it last bought.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Url;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::settings::Secret;
use crate::text::base64;

/// What buys tokens.
pub(super) struct Grant {
    token_url: String,
    id: Secret,
    secret: Secret,
    kind: Kind,
    token: Mutex<Option<Token>>,
    /// One request at a time buys: a refresh token that is replaced can be used once only.
    buying: tokio::sync::Mutex<()>,
}

enum Kind {
    /// Scopes, joined with blanks.
    ClientCredentials(String),
    RefreshToken {
        /// As the owner gave it.
        given: Secret,
        /// As the server last replaced it, in this run.
        replaced: Mutex<Option<Secret>>,
        /// Where the replaced one is kept for the next run.
        file: PathBuf,
    },
}

struct Token {
    value: Secret,
    /// Renewed from then on.
    stale_at: Instant,
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
            buying: tokio::sync::Mutex::new(()),
        }
    }

    /// Everything that must not be shown.
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

    /// Forgets the bought token; true if there was one.
    pub fn forget(&self) -> bool {
        lock(&self.token).take().is_some()
    }

    /// A token that is fresh, bought if need be.
    pub async fn token(&self, http: &reqwest::Client) -> Result<Secret> {
        let fresh = || {
            let token = lock(&self.token);
            let fresh = token
                .as_ref()
                .filter(|token| token.stale_at > Instant::now());
            fresh.map(|token| token.value.clone())
        };
        if let Some(token) = fresh() {
            return Ok(token);
        }
        let _turn = self.buying.lock().await;
        if let Some(token) = fresh() {
            return Ok(token);
        }
        let answer = self.buy(http).await?;
        let Some(value) = answer["access_token"].as_str() else {
            return Err(self.refused("no access_token".to_owned()));
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
            stale_at: Instant::now() + Duration::from_secs(lasts),
        });
        Ok(token)
    }

    /// Asks with the client's secret in the form, and where the server wants it so, in the header.
    async fn buy(&self, http: &reqwest::Client) -> Result<Value> {
        let refresh = self.current()?;
        let (status, answer) = self.ask(http, refresh.as_ref(), false).await?;
        let (status, answer) = match answer["error"].as_str() {
            Some("invalid_client") if !self.secret.expose().is_empty() => {
                self.ask(http, refresh.as_ref(), true).await?
            }
            _ => (status, answer),
        };
        if status.is_success() {
            return Ok(answer);
        }
        let said = answer["error_description"]
            .as_str()
            .or(answer["error"].as_str())
            .unwrap_or("no reason given");
        let said = crate::settings::Redactor::new(self.secrets()).redact(said);
        let hint = match (&self.kind, answer["error"].as_str()) {
            (Kind::RefreshToken { .. }, Some("invalid_grant")) => {
                "the refresh token is used up or withdrawn: get another one and set it"
            }
            _ => "check the client id and secret",
        };
        Err(self.refused(format!("{status}: {said}")).hint(hint))
    }

    async fn ask(
        &self,
        http: &reqwest::Client,
        refresh: Option<&Secret>,
        in_header: bool,
    ) -> Result<(reqwest::StatusCode, Value)> {
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
        let mut request = http
            .post(&self.token_url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json");
        if in_header {
            let pair = format!("{}:{}", self.id.expose(), self.secret.expose());
            request = request.header(
                "Authorization",
                format!("Basic {}", base64(pair.as_bytes())),
            );
        } else {
            form.push(("client_id", self.id.expose()));
            if !self.secret.expose().is_empty() {
                form.push(("client_secret", self.secret.expose()));
            }
        }
        let body =
            Url::parse_with_params("form:", form).map_err(|e| self.refused(e.to_string()))?;
        let response = request
            .body(body.query().unwrap_or_default().to_owned())
            .send()
            .await
            .map_err(|e| {
                self.refused(format!(
                    "the token could not be fetched: {}",
                    e.without_url()
                ))
            })?;
        let status = response.status();
        let bytes = response
            .bytes()
            .await
            .map_err(|e| self.refused(e.without_url().to_string()))?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// The refresh token that counts: the one of this run, the one kept by an earlier run for the same given one, or
    /// the given one.
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

    /// A server that replaces the refresh token takes the old one no more: the new one is on disk before it is used.
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
                    "the API replaced the refresh token, and the new one could not be kept in {}: {error}",
                    file.display()
                ),
            )
            .hint("make that file writable; the old refresh token is used up, so get another one")
        })
    }

    fn refused(&self, message: String) -> Error {
        Error::new(ErrorKind::Credentials, message).at(format!("POST {}", self.token_url))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}

/// Tells one given refresh token from another without holding it.
fn print(given: &Secret) -> String {
    format!(
        "{:032x}",
        xxhash_rust::xxh3::xxh3_128(given.expose().as_bytes())
    )
}

/// The token kept for a given one; `None`: there is no file, or it belongs to another one.
fn read(file: &Path, given: &Secret) -> Result<Option<Secret>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("{}: {error}", file.display());
            return Err(Error::new(ErrorKind::System, message)
                .hint("it holds the refresh token that the API gave last"));
        }
    };
    let kept: Value = serde_json::from_str(&text).unwrap_or_default();
    let same = kept["given"].as_str() == Some(print(given).as_str());
    Ok(kept["refresh_token"]
        .as_str()
        .filter(|_| same)
        .map(Secret::from))
}

/// Written beside and moved into place, so that a crash leaves one of both whole.
fn write(file: &Path, given: &Secret, new: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let kept = serde_json::json!({"given": print(given), "refresh_token": new});
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&beside)?;
    out.write_all(format!("{kept}\n").as_bytes())?;
    out.sync_all()?;
    std::fs::rename(&beside, file)
}
