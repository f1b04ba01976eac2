//! How a connector proves who it is.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, ErrorKind, Result};
use crate::settings::Secret;

/// The credentials that go along with every request to the API's own host, and to no other.
#[derive(Clone, Default)]
pub struct Auth(Vec<Credential>);

#[derive(Clone)]
enum Credential {
    Header { name: String, value: Secret },
    Query { name: String, value: Secret },
    Cookie { name: String, value: Secret },
    ClientCredentials(Arc<ClientCredentials>),
}

/// OAuth 2 client credentials, and the token they last bought.
struct ClientCredentials {
    token_url: String,
    id: Secret,
    secret: Secret,
    /// Joined with blanks.
    scopes: String,
    token: Mutex<Option<Token>>,
}

struct Token {
    value: Secret,
    /// Renewed from then on.
    stale_at: Instant,
}

impl Auth {
    /// No credentials.
    pub fn none() -> Self {
        Auth::default()
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Auth::header_with_prefix("Authorization", "Bearer ", token)
    }

    /// `Authorization: Basic …`.
    pub fn basic(user: impl Into<Secret>, password: impl Into<Secret>) -> Self {
        let pair = format!("{}:{}", user.into().expose(), password.into().expose());
        Auth::header_with_prefix("Authorization", "Basic ", base64(pair.as_bytes()).as_str())
    }

    /// A key in a header of its own.
    pub fn header(name: &str, key: impl Into<Secret>) -> Self {
        Auth::header_with_prefix(name, "", key)
    }

    /// A key in a header, behind a prefix (`Token `).
    pub fn header_with_prefix(name: &str, prefix: &str, key: impl Into<Secret>) -> Self {
        let value = format!("{prefix}{}", key.into().expose());
        Auth(vec![Credential::Header {
            name: name.to_owned(),
            value: value.as_str().into(),
        }])
    }

    /// A key in the query.
    pub fn query(name: &str, key: impl Into<Secret>) -> Self {
        Auth(vec![Credential::Query {
            name: name.to_owned(),
            value: key.into(),
        }])
    }

    /// A key in a cookie.
    pub fn cookie(name: &str, key: impl Into<Secret>) -> Self {
        Auth(vec![Credential::Cookie {
            name: name.to_owned(),
            value: key.into(),
        }])
    }

    /// OAuth 2 client credentials: a token is bought at `token_url` before the first request, when it grows old,
    /// and once more when the API answers 401. `scopes`: what is asked for; empty: what the server gives.
    pub fn oauth2_client_credentials(
        token_url: &str,
        id: impl Into<Secret>,
        secret: impl Into<Secret>,
        scopes: &[&str],
    ) -> Self {
        Auth(vec![Credential::ClientCredentials(Arc::new(
            ClientCredentials {
                token_url: token_url.to_owned(),
                id: id.into(),
                secret: secret.into(),
                scopes: scopes.join(" "),
                token: Mutex::new(None),
            },
        ))])
    }

    /// Both go along (an API that wants a key and a token).
    pub fn and(mut self, other: Auth) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Every secret in it, for redaction.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for credential in &self.0 {
            match credential {
                Credential::Header { value, .. } => {
                    secrets.push(value.clone());
                    // `Bearer abc` must also be found as `abc`.
                    if let Some((_, bare)) = value.expose().split_once(' ') {
                        secrets.push(bare.into());
                    }
                }
                Credential::Query { value, .. } | Credential::Cookie { value, .. } => {
                    secrets.push(value.clone())
                }
                Credential::ClientCredentials(grant) => {
                    secrets.extend([grant.id.clone(), grant.secret.clone()]);
                    secrets.extend(
                        grant
                            .token
                            .lock()
                            .unwrap_or_else(|e| e.into_inner())
                            .as_ref()
                            .map(|t| t.value.clone()),
                    );
                }
            }
        }
        secrets
    }

    /// Puts the credentials into a request that is about to be sent.
    pub(crate) async fn apply(
        &self,
        http: &reqwest::Client,
        url: &mut Url,
        headers: &mut HeaderMap,
    ) -> Result<()> {
        for credential in &self.0 {
            match credential {
                Credential::Header { name, value } => insert(headers, name, value.expose())?,
                Credential::Query { name, value } => {
                    url.query_pairs_mut().append_pair(name, value.expose());
                }
                Credential::Cookie { name, value } => {
                    insert(headers, "Cookie", &format!("{name}={}", value.expose()))?
                }
                Credential::ClientCredentials(grant) => {
                    let token = grant.token(http).await?;
                    insert(
                        headers,
                        "Authorization",
                        &format!("Bearer {}", token.expose()),
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Forgets bought tokens; true if there was one, so that a 401 is worth another try.
    pub(crate) fn forget_tokens(&self) -> bool {
        let mut any = false;
        for credential in &self.0 {
            if let Credential::ClientCredentials(grant) = credential {
                any |= grant
                    .token
                    .lock()
                    .unwrap_or_else(|e| e.into_inner())
                    .take()
                    .is_some();
            }
        }
        any
    }
}

impl ClientCredentials {
    async fn token(&self, http: &reqwest::Client) -> Result<Secret> {
        if let Some(token) = &*self.token.lock().unwrap_or_else(|e| e.into_inner())
            && token.stale_at > Instant::now()
        {
            return Ok(token.value.clone());
        }
        let place = || format!("POST {}", self.token_url);
        let refused = |message: String| Error::new(ErrorKind::Credentials, message).at(place());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.id.expose()),
            ("client_secret", self.secret.expose()),
        ];
        if !self.scopes.is_empty() {
            form.push(("scope", &self.scopes));
        }
        let body =
            reqwest::Url::parse_with_params("form:", form).map_err(|e| refused(e.to_string()))?;
        let response = http
            .post(&self.token_url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json")
            .body(body.query().unwrap_or_default().to_owned())
            .send()
            .await
            .map_err(|e| {
                refused(format!(
                    "the token could not be fetched: {}",
                    e.without_url()
                ))
            })?;
        let status = response.status();
        let bytes = response
            .bytes()
            .await
            .map_err(|e| refused(e.without_url().to_string()))?;
        let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let Some(value) = answer["access_token"]
            .as_str()
            .filter(|_| status.is_success())
        else {
            let said = answer["error_description"]
                .as_str()
                .or(answer["error"].as_str())
                .unwrap_or("no access_token");
            return Err(refused(format!("{status}: {said}")).hint("check the client id and secret"));
        };
        let seconds = answer["expires_in"].as_u64().unwrap_or(3600);
        let token = Secret::from(value);
        let stale_at = Instant::now() + Duration::from_secs(seconds.saturating_sub(60).max(1));
        *self.token.lock().unwrap_or_else(|e| e.into_inner()) = Some(Token {
            value: token.clone(),
            stale_at,
        });
        Ok(token)
    }
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<()> {
    let bad = || {
        Error::new(
            ErrorKind::Usage,
            format!("the credential for `{name}` cannot stand in a header"),
        )
        .hint("look for a line break or another control character in it")
    };
    let name: HeaderName = name.parse().map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    headers.append(name, value);
    Ok(())
}

/// Standard base64 with padding, as RFC 7617 wants it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |n, b| (n << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            if i <= chunk.len() {
                text.push(ALPHABET[(group >> (18 - 6 * i)) as usize & 63] as char);
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_as_rfc_4648_says() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
