//! How a connector proves who it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::Method;
use super::oauth::Grant;
use super::sign::Unsigned;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Secret;
use crate::text::base64;

/// The credentials that go along with every request to the API's own host, and to no other.
#[derive(Clone, Default)]
pub struct Auth(Vec<Credential>);

type Sign = dyn Fn(&Secret, &mut Unsigned<'_>) + Send + Sync;

#[derive(Clone)]
enum Credential {
    Header {
        name: String,
        value: Secret,
    },
    Query {
        name: String,
        value: Secret,
    },
    Cookie {
        name: String,
        value: Secret,
    },
    OAuth(Arc<Grant>),
    Signature {
        key: Secret,
        sign: Arc<Sign>,
    },
    /// Nothing can be sent: why.
    Missing(&'static str),
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
        Auth(vec![Credential::OAuth(Arc::new(
            Grant::client_credentials(token_url, id.into(), secret.into(), scopes),
        ))])
    }

    /// OAuth 2 with a refresh token: it buys a token before the first request, when that grows old, and once more when
    /// the API answers 401. A server that replaces the refresh token does so for good: the new one is kept in `file`
    /// (readable by its owner only), which counts from then on, until another `refresh_token` is given.
    pub fn oauth2_refresh_token(
        token_url: &str,
        id: impl Into<Secret>,
        secret: impl Into<Secret>,
        refresh_token: impl Into<Secret>,
        file: impl Into<PathBuf>,
    ) -> Self {
        Auth(vec![Credential::OAuth(Arc::new(Grant::refresh_token(
            token_url,
            id.into(),
            secret.into(),
            refresh_token.into(),
            file.into(),
        )))])
    }

    /// The first of the credentials that is given: an access token got by hand, or a refresh token with its client.
    /// Without either every request fails, naming the settings.
    pub fn oauth2_given(
        access_token: Option<&Secret>,
        refresh_token: Option<&Secret>,
        renewed: impl FnOnce(&Secret) -> Auth,
    ) -> Self {
        match (access_token, refresh_token) {
            (_, Some(token)) if !token.expose().is_empty() => renewed(token),
            (Some(token), _) if !token.expose().is_empty() => Auth::bearer(token),
            _ => Auth(vec![Credential::Missing(
                "neither `access_token` nor `refresh_token` is set",
            )]),
        }
    }

    /// A signature: before each try `sign` sees the request as it will be sent, with the other credentials, and adds
    /// headers. The key itself goes nowhere; the signature, like every credential, goes to the API's own host alone.
    pub fn sign(
        key: impl Into<Secret>,
        sign: impl Fn(&Secret, &mut Unsigned<'_>) + Send + Sync + 'static,
    ) -> Self {
        Auth(vec![Credential::Signature {
            key: key.into(),
            sign: Arc::new(sign),
        }])
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
                Credential::OAuth(grant) => secrets.extend(grant.secrets()),
                Credential::Signature { key, .. } => secrets.push(key.clone()),
                Credential::Missing(_) => {}
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
                Credential::Missing(why) => {
                    return Err(Error::new(ErrorKind::Credentials, *why).hint(
                        "set an access token, or a refresh token with the client's id and secret",
                    ));
                }
                // Last of all, by `put_signatures`.
                Credential::Signature { .. } => {}
                Credential::OAuth(grant) => {
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

    /// Signs a request that is complete but for that; gives the signatures.
    pub(crate) fn put_signatures(
        &self,
        method: Method,
        url: &Url,
        headers: &mut HeaderMap,
        body: &str,
    ) -> Result<Vec<Secret>> {
        let mut made = Vec::new();
        for credential in &self.0 {
            let Credential::Signature { key, sign } = credential else {
                continue;
            };
            let mut request = Unsigned {
                method: method.name(),
                url,
                headers,
                body,
                time: SystemTime::now(),
                added: Vec::new(),
            };
            sign(key, &mut request);
            for header in request.added {
                insert(headers, &header.name, &header.value)?;
                if header.secret {
                    made.push(header.value.as_str().into());
                }
            }
        }
        Ok(made)
    }

    /// Forgets bought tokens; true if there was one, so that a 401 is worth another try.
    pub(crate) fn forget_tokens(&self) -> bool {
        let mut any = false;
        for credential in &self.0 {
            if let Credential::OAuth(grant) = credential {
                any |= grant.forget();
            }
        }
        any
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
