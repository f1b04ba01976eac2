//! OAuth 2: grants, and the tokens that they fetch.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::failure::Failure;
use super::login_body::{LoginBody, text_at};
use super::response::status_line;
use super::retry::is_transient;
use super::token_file;
use super::wire::Wire;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Redactor, Secret};
use crate::text::base64;
use crate::world::{Moment, WireRequest};

/// An OAuth 2 grant and its current token.
pub(super) struct Grant {
    token_url: String,
    id: Secret,
    secret: Secret,
    kind: Kind,
    held: Mutex<Held>,
    /// Held while a token is fetched: a refresh token that the server replaces can be used only
    /// once.
    fetching: tokio::sync::Mutex<()>,
}

enum Kind {
    /// The scopes, joined with spaces.
    ClientCredentials(String),
    Password {
        user: Secret,
        password: Secret,
        /// The scopes, joined with spaces.
        scopes: String,
    },
    RefreshToken {
        /// The configured refresh token.
        given: Secret,
        /// The refresh token with which the server last replaced it during this run.
        replaced: Mutex<Option<Secret>>,
        /// The file that stores the replaced token for the next run.
        file: PathBuf,
    },
    /// A login of the API itself.
    Login(LoginBody),
}

/// The fetched tokens.
#[derive(Default)]
struct Held {
    current: Option<Token>,
    /// The previous token, which responses in flight may still contain.
    before: Option<Secret>,
}

struct Token {
    value: Secret,
    /// The token is renewed from this moment on.
    stale_at: Moment,
}

/// How a request identifies the client and the user to the token endpoint.
#[derive(Clone, Copy)]
enum Form {
    /// All of it is in the form.
    Plain,
    /// The client is in a header.
    Header,
    /// The user and the password are in a JSON body.
    Json,
}

impl Grant {
    pub fn client_credentials(
        token_url: &str,
        id: Secret,
        secret: Secret,
        scopes: &[&str],
    ) -> Self {
        let kind = Kind::ClientCredentials(scopes.join(" "));
        Grant::new(token_url, id, secret, kind)
    }

    /// `named` is the user and the password; `client` is its id and its secret.
    pub fn password(
        token_url: &str,
        named: (Secret, Secret),
        client: Option<(Secret, Secret)>,
        scopes: &[&str],
    ) -> Self {
        let (user, password) = named;
        let scopes = scopes.join(" ");
        let (id, secret) = client.unwrap_or_else(|| ("".into(), "".into()));
        let kind = Kind::Password {
            user,
            password,
            scopes,
        };
        Grant::new(token_url, id, secret, kind)
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

    pub fn login(login: LoginBody) -> Self {
        let path = login.path().to_owned();
        Grant::new(&path, "".into(), "".into(), Kind::Login(login))
    }

    fn new(token_url: &str, id: Secret, secret: Secret, kind: Kind) -> Self {
        Grant {
            token_url: token_url.to_owned(),
            id,
            secret,
            kind,
            held: Mutex::default(),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    /// Returns all secrets of the grant, for redaction.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = vec![self.id.clone(), self.secret.clone()];
        match &self.kind {
            Kind::ClientCredentials(_) => {}
            Kind::Password { password, .. } => secrets.push(password.clone()),
            Kind::Login(login) => secrets.extend(login.secrets()),
            Kind::RefreshToken {
                given, replaced, ..
            } => {
                secrets.push(given.clone());
                secrets.extend(lock(replaced).clone());
            }
        }
        secrets.extend(self.current_token());
        secrets.extend(lock(&self.held).before.clone());
        secrets
    }

    /// Returns the token that was fetched last, unless it is forgotten.
    pub fn current_token(&self) -> Option<Secret> {
        let held = lock(&self.held);
        held.current.as_ref().map(|token| token.value.clone())
    }

    /// Forgets the current token if it is one of the refused ones.
    pub fn forget(&self, refused: &[Secret]) -> bool {
        let mut held = lock(&self.held);
        let token = held.current.take_if(|token| refused.contains(&token.value));
        let forgotten = token.is_some();
        if let Some(token) = token {
            held.before = Some(token.value);
        }
        forgotten
    }

    /// Returns a token that has not expired, fetching one if necessary; concurrent callers wait for
    /// the same fetch. `base` is the root of the API.
    pub async fn token(&self, wire: &Wire, base: &Url) -> Result<Secret, Failure> {
        let fresh = || {
            let held = lock(&self.held);
            let token = held.current.as_ref();
            let fresh = token.filter(|token| token.stale_at > wire.world.moment());
            fresh.map(|token| token.value.clone())
        };
        if let Some(token) = fresh() {
            return Ok(token);
        }
        let _turn = self.fetching.lock().await;
        if let Some(token) = fresh() {
            return Ok(token);
        }
        let answer = self.fetch(wire, base).await?;
        let place = match &self.kind {
            Kind::Login(login) => login.token.as_str(),
            _ => "access_token",
        };
        let token = text_at(&answer, place).filter(|token| !token.is_empty());
        let Some(value) = token else {
            return Err(self
                .refused(format!("the response has no `{place}`"))
                .into());
        };
        self.keep_replaced(&answer)?;
        let token = Secret::from(value);
        let seconds = match &answer["expires_in"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        };
        let lasts = seconds.unwrap_or(3600).saturating_sub(60).max(1);
        let mut held = lock(&self.held);
        let before = held.current.take().map(|token| token.value);
        held.before = before.or(held.before.take());
        held.current = Some(Token {
            value: token.clone(),
            stale_at: wire.world.moment().after(Duration::from_secs(lasts)),
        });
        Ok(token)
    }

    /// Fetches a token with everything in the form; then, if the server requires it, with the
    /// client in the header, or with the user and the password in JSON.
    async fn fetch(&self, wire: &Wire, base: &Url) -> Result<Value, Failure> {
        let url = self.url(base)?;
        wire.check_secret(&url)?;
        let refresh = self.current()?;
        let (mut status, mut answer) = self.ask(wire, &url, refresh.as_ref(), Form::Plain).await?;
        let other = match (&self.kind, answer["error"].as_str()) {
            (_, Some("invalid_client")) if !self.secret.expose().is_empty() => Some(Form::Header),
            (Kind::Password { .. }, None) if matches!(status, 400 | 415 | 422) => Some(Form::Json),
            _ => None,
        };
        if let Some(form) = other {
            (status, answer) = self.ask(wire, &url, refresh.as_ref(), form).await?;
        }
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let reason = answer["error_description"]
            .as_str()
            .or(answer["error"].as_str())
            .or(answer["detail"].as_str())
            .or(answer["message"].as_str())
            .unwrap_or("the server gives no reason");
        let reason = Redactor::new(self.secrets()).redact(reason);
        let reason = format!("{}: {reason}", status_line(status));
        if is_transient(status) {
            return Err(Failure::Transient(self.not_fetched(&reason)));
        }
        let hint = match (&self.kind, answer["error"].as_str()) {
            (Kind::RefreshToken { .. }, Some("invalid_grant")) => {
                "the refresh token has expired or was revoked: get another one and set it"
            }
            (Kind::Password { .. } | Kind::Login(..), _) => "check the user and the password",
            _ => "check the client id and secret",
        };
        Err(self.refused(reason).hint(hint).into())
    }

    /// Returns the URL of the token endpoint; a relative one is resolved against the root of the
    /// API.
    fn url(&self, base: &Url) -> Result<Url> {
        let mut root = base.clone();
        if !root.path().ends_with('/') {
            root.set_path(&format!("{}/", base.path()));
        }
        root.join(&self.token_url).map_err(|error| {
            let message = format!("`{}` is not the URL of a token endpoint", self.token_url);
            Error::new(ErrorKind::Usage, message).caused_by(error)
        })
    }

    async fn ask(
        &self,
        wire: &Wire,
        url: &Url,
        refresh: Option<&Secret>,
        how: Form,
    ) -> Result<(u16, Value), Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let body = match (&self.kind, how) {
            (Kind::Password { user, password, .. }, Form::Json) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                json!({"username": user.expose(), "password": password.expose()}).to_string()
            }
            (Kind::Login(login), _) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                login.json().to_string()
            }
            _ => {
                let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
                headers.insert(CONTENT_TYPE, form_type);
                self.form(refresh, matches!(how, Form::Header))?
            }
        };
        if matches!(how, Form::Header) {
            let pair = format!("{}:{}", self.id.expose(), self.secret.expose());
            let basic = format!("Basic {}", base64(pair.as_bytes()));
            let mut basic =
                HeaderValue::from_str(&basic).map_err(|error| self.refused(error.to_string()))?;
            basic.set_sensitive(true);
            headers.insert(AUTHORIZATION, basic);
        }
        let request = WireRequest {
            method: "POST",
            url: url.clone(),
            headers,
            body: body.into_bytes(),
        };
        let answer = wire.exchange(request, url).await;
        let answer = answer.map_err(|failure| match failure {
            Failure::Transient(message) => Failure::Transient(self.not_fetched(&message)),
            Failure::Unreachable(message) => Failure::Unreachable(self.not_fetched(&message)),
            Failure::NotHttp(error) | Failure::Final(error) => {
                error.at(format!("POST {}", self.token_url)).into()
            }
        })?;
        let json = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok((answer.status, json))
    }

    /// Returns the form of a request. `apart` means that the client is in the header.
    fn form(&self, refresh: Option<&Secret>, apart: bool) -> Result<String> {
        let (mut form, scopes) = match (&self.kind, refresh) {
            (_, Some(token)) => (
                vec![
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token.expose()),
                ],
                "",
            ),
            (
                Kind::Password {
                    user,
                    password,
                    scopes,
                },
                None,
            ) => (
                vec![
                    ("grant_type", "password"),
                    ("username", user.expose()),
                    ("password", password.expose()),
                ],
                scopes.as_str(),
            ),
            (Kind::ClientCredentials(scopes), None) => {
                (vec![("grant_type", "client_credentials")], scopes.as_str())
            }
            (Kind::RefreshToken { .. }, None) => (vec![("grant_type", "refresh_token")], ""),
            // Its body is JSON.
            (Kind::Login(..), None) => (Vec::new(), ""),
        };
        if !scopes.is_empty() {
            form.push(("scope", scopes));
        }
        if !apart {
            let client = [("client_id", &self.id), ("client_secret", &self.secret)];
            let client = client
                .into_iter()
                .map(|(name, value)| (name, value.expose()));
            form.extend(client.filter(|(_, value)| !value.is_empty()));
        }
        let body = Url::parse_with_params("form:", form)
            .map_err(|error| self.refused(error.to_string()))?;
        Ok(body.query().unwrap_or_default().to_owned())
    }

    /// Returns the refresh token to use: the one of this run, the one that an earlier run stored
    /// for the same configured one, or the configured one.
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
            *replaced = token_file::read(file, given)?;
        }
        Ok(Some(replaced.clone().unwrap_or_else(|| given.clone())))
    }

    /// Stores a refresh token that the server has replaced: the old one is invalid, so the new one
    /// is on disk before it is used.
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
        token_file::write(file, given, new).map_err(|error| {
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

    fn not_fetched(&self, why: &str) -> String {
        format!(
            "POST {}: the token could not be fetched: {why}",
            self.token_url
        )
    }

    fn refused(&self, message: String) -> Error {
        Error::new(ErrorKind::Credentials, message).at(format!("POST {}", self.token_url))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}
