//! The credentials of a source.

use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::failure::Failure;
use super::login_body::LoginBody;
use super::oauth::Grant;
use super::seal::{self, Marked};
use super::sign::Unsigned;
use super::wire::Wire;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Secret, flag};
use crate::text::base64;
use crate::world::{WireRequest, World};

/// The credentials that are sent with every request to the API's own host, and to no other host.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// let source = Source::new("shop", "https://api.example/v1").auth(Auth::bearer("a-token"));
/// // An API that wants a key in a header and a token in the query.
/// let both = Auth::header("X-Api-Key", "a-key").and(Auth::query("token", "a-token"));
/// # let _ = (source, both);
/// ```
#[derive(Clone, Default)]
pub struct Auth(Vec<Credential>);

type Sign = dyn Fn(&Secret, &mut Unsigned<'_>) + Send + Sync;

#[derive(Clone)]
enum Credential {
    Header {
        name: String,
        value: Secret,
        /// The password that the value contains.
        parts: Vec<Secret>,
    },
    Query {
        name: String,
        value: Secret,
    },
    Cookie {
        name: String,
        value: Secret,
    },
    /// A token that is fetched and renewed.
    Fetched {
        grant: Arc<Grant>,
        header: String,
        prefix: String,
    },
    Signature {
        key: Secret,
        sign: Arc<Sign>,
    },
    /// None of these alternatives is set; each is the names of its settings.
    Missing(Vec<&'static [&'static str]>),
}

impl Auth {
    /// Returns no credentials.
    pub fn none() -> Self {
        Auth::default()
    }

    /// Returns whether there are no credentials.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails if a setting that the credentials need has no value.
    pub(crate) fn check(&self) -> Result<()> {
        self.0.iter().try_for_each(|credential| match credential {
            Credential::Missing(names) => Err(unset(names)),
            _ => Ok(()),
        })
    }

    /// Sends `Authorization: Bearer …`.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Auth::header_with_prefix("Authorization", "Bearer ", token)
    }

    /// Sends `Authorization: Basic …`.
    pub fn basic(user: impl Into<Secret>, password: impl Into<Secret>) -> Self {
        let (user, password) = (user.into(), password.into());
        let pair = format!("{}:{}", user.expose(), password.expose());
        let value = format!("Basic {}", base64(pair.as_bytes()));
        Auth(vec![Credential::Header {
            name: "Authorization".to_owned(),
            value: value.as_str().into(),
            parts: vec![password],
        }])
    }

    /// Sends a key in a header of its own.
    pub fn header(name: &str, key: impl Into<Secret>) -> Self {
        Auth::header_with_prefix(name, "", key)
    }

    /// Sends a key in a header, after a prefix (`Token `).
    pub fn header_with_prefix(name: &str, prefix: &str, key: impl Into<Secret>) -> Self {
        let value = format!("{prefix}{}", key.into().expose());
        Auth(vec![Credential::Header {
            name: name.to_owned(),
            value: value.as_str().into(),
            parts: Vec::new(),
        }])
    }

    /// Sends a key in the query.
    pub fn query(name: &str, key: impl Into<Secret>) -> Self {
        Auth(vec![Credential::Query {
            name: name.to_owned(),
            value: key.into(),
        }])
    }

    /// Sends a key in a cookie.
    pub fn cookie(name: &str, key: impl Into<Secret>) -> Self {
        Auth(vec![Credential::Cookie {
            name: name.to_owned(),
            value: key.into(),
        }])
    }

    /// Uses OAuth 2 client credentials: a token is fetched from `token_url` before the first
    /// request, shortly before it expires, and once more if the API answers 401. `scopes` are
    /// requested; if there are none, the server chooses.
    pub fn oauth2_client_credentials(
        token_url: &str,
        id: impl Into<Secret>,
        secret: impl Into<Secret>,
        scopes: &[&str],
    ) -> Self {
        let grant = Grant::client_credentials(token_url, id.into(), secret.into(), scopes);
        Auth::fetched(Arc::new(grant), "Authorization", "Bearer ")
    }

    /// Uses OAuth 2 with a user's password: a token is fetched from `token_url` (which may be
    /// relative to the base URL) before the first request, shortly before it expires, and once more
    /// if the API answers 401. `client` is the id and the secret of the client, if the server
    /// requires them. `scopes` are requested; if there are none, the server chooses.
    pub fn oauth2_password(
        token_url: &str,
        user: impl Into<Secret>,
        password: impl Into<Secret>,
        client: Option<(Secret, Secret)>,
        scopes: &[&str],
    ) -> Self {
        let named = (user.into(), password.into());
        let grant = Grant::password(token_url, named, client, scopes);
        Auth::fetched(Arc::new(grant), "Authorization", "Bearer ")
    }

    /// Uses OAuth 2 with a refresh token: a token is fetched before the first request, shortly
    /// before it expires, and once more if the API answers 401. If the server replaces the refresh
    /// token, the new one is stored in `file` (readable by its owner only) and used from then on,
    /// until another `refresh_token` is configured.
    pub fn oauth2_refresh_token(
        token_url: &str,
        id: impl Into<Secret>,
        secret: impl Into<Secret>,
        refresh_token: impl Into<Secret>,
        file: impl Into<PathBuf>,
    ) -> Self {
        let grant = Grant::refresh_token(
            token_url,
            id.into(),
            secret.into(),
            refresh_token.into(),
            file.into(),
        );
        Auth::fetched(Arc::new(grant), "Authorization", "Bearer ")
    }

    /// Sends the token of a login in a header, after a prefix.
    pub(super) fn by_login(login: LoginBody, header: &str, prefix: &str) -> Self {
        Auth::fetched(Arc::new(Grant::login(login)), header, prefix)
    }

    /// Sends the token of a grant in a header, after a prefix.
    fn fetched(grant: Arc<Grant>, header: &str, prefix: &str) -> Self {
        Auth(vec![Credential::Fetched {
            grant,
            header: header.to_owned(),
            prefix: prefix.to_owned(),
        }])
    }

    /// Uses the first alternative whose settings are set; each has the names of its settings. If
    /// none is set, every request fails with an error that names them.
    ///
    /// ```
    /// use etlgen_runtime::prelude::*;
    ///
    /// let (username, password, token) = (None::<&str>, None::<&str>, Some("a-token"));
    /// let auth = Auth::first_set([
    ///     (&["username", "password"], username.zip(password).map(|(user, password)| {
    ///         Auth::oauth2_password("/token", user, password, None, &[])
    ///     })),
    ///     (&["token"], token.map(Auth::bearer)),
    /// ]);
    /// # let _ = auth;
    /// ```
    pub fn first_set<const N: usize>(
        alternatives: [(&'static [&'static str], Option<Auth>); N],
    ) -> Self {
        let mut names = Vec::new();
        for (settings, auth) in alternatives {
            match auth {
                Some(auth) => return auth,
                None => names.push(settings),
            }
        }
        Auth(vec![Credential::Missing(names)])
    }

    /// Signs requests: before each attempt, `sign` sees the request as it will be sent, with the
    /// other credentials, and adds headers. The key itself is never sent; the signature, like every
    /// credential, is sent to the API's own host only.
    ///
    /// ```
    /// use etlgen_runtime::prelude::*;
    ///
    /// // A real API wants an HMAC here; its crate computes it from the key and the text.
    /// fn mac(key: &str, text: &str) -> String {
    ///     format!("{}:{}", key.len(), text.len())
    /// }
    ///
    /// let auth = Auth::sign("the-key", |key, request| {
    ///     let time = request.unix_time().to_string();
    ///     let text = [request.method(), &request.target(), &time, request.body()].join("\n");
    ///     request.header("X-Time", time);
    ///     request.signature("X-Signature", mac(key.expose(), &text));
    /// });
    /// let source = Source::new("shop", "https://api.example/v1").auth(auth);
    /// # let _ = source;
    /// ```
    pub fn sign(
        key: impl Into<Secret>,
        sign: impl Fn(&Secret, &mut Unsigned<'_>) + Send + Sync + 'static,
    ) -> Self {
        Auth(vec![Credential::Signature {
            key: key.into(),
            sign: Arc::new(sign),
        }])
    }

    /// Sends both (for an API that requires a key and a token).
    pub fn and(mut self, other: Auth) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Returns all secrets of the credentials, for redaction.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for credential in &self.0 {
            match credential {
                Credential::Header { value, parts, .. } => {
                    secrets.extend([value.clone(), bare(value)]);
                    secrets.extend(parts.iter().cloned());
                }
                Credential::Query { value, .. } | Credential::Cookie { value, .. } => {
                    secrets.push(value.clone())
                }
                Credential::Fetched { grant, .. } => secrets.extend(grant.secrets()),
                Credential::Signature { key, .. } => secrets.push(key.clone()),
                Credential::Missing(_) => {}
            }
        }
        secrets
    }

    /// Returns the secrets that requests currently contain, with the placeholders that replace them
    /// in stored data.
    pub(super) fn marked(&self) -> Vec<Marked> {
        let carried = |credential: &Credential| match credential {
            Credential::Header { value, .. } => Some(bare(value)),
            Credential::Query { value, .. } | Credential::Cookie { value, .. } => {
                Some(value.clone())
            }
            Credential::Fetched { grant, .. } => grant.current_token(),
            Credential::Signature { .. } | Credential::Missing(_) => None,
        };
        let marked = self.0.iter().enumerate();
        let marked = marked.map(|(at, credential)| (seal::of_credential(at), carried(credential)));
        marked
            .filter_map(|(mark, secret)| Some((mark, secret?)))
            .collect()
    }

    /// Adds the credentials except signatures to a request, and returns the fetched tokens among
    /// them.
    pub(super) async fn apply(
        &self,
        wire: &Wire,
        base: &Url,
        request: &mut WireRequest,
    ) -> Result<Vec<Secret>, Failure> {
        let mut tokens = Vec::new();
        let (url, headers) = (&mut request.url, &mut request.headers);
        for credential in &self.0 {
            match credential {
                Credential::Header { name, value, .. } => insert(headers, name, value.expose())?,
                Credential::Query { name, value } => {
                    url.query_pairs_mut().append_pair(name, value.expose());
                }
                Credential::Cookie { name, value } => {
                    insert(headers, "Cookie", &format!("{name}={}", value.expose()))?
                }
                Credential::Missing(names) => return Err(unset(names).into()),
                // `put_signatures` adds it after all other credentials.
                Credential::Signature { .. } => {}
                Credential::Fetched {
                    grant,
                    header,
                    prefix,
                } => {
                    let token = grant.token(wire, base).await?;
                    insert(headers, header, &format!("{prefix}{}", token.expose()))?;
                    tokens.push(token);
                }
            }
        }
        Ok(tokens)
    }

    /// Signs a request that is otherwise complete, and returns the signatures.
    pub(super) fn put_signatures(
        &self,
        world: &World,
        request: &mut WireRequest,
    ) -> Result<Vec<Secret>> {
        let mut made = Vec::new();
        for credential in &self.0 {
            let Credential::Signature { key, sign } = credential else {
                continue;
            };
            let mut unsigned = Unsigned {
                request,
                time: world.time(),
                added: Vec::new(),
            };
            sign(key, &mut unsigned);
            for header in unsigned.added {
                insert(&mut request.headers, &header.name, &header.value)?;
                if header.secret {
                    made.push(header.value.as_str().into());
                }
            }
        }
        Ok(made)
    }

    /// Forgets those of the refused tokens that are still current. Returns `None` if nothing can be
    /// renewed, else whether a token was forgotten (if not, all have been renewed since).
    pub(super) fn forget_tokens(&self, refused: &[Secret]) -> Option<bool> {
        if refused.is_empty() {
            return None;
        }
        let mut any = false;
        for credential in &self.0 {
            if let Credential::Fetched { grant, .. } = credential {
                any |= grant.forget(refused);
            }
        }
        Some(any)
    }
}

/// Returns `abc` for `Bearer abc`.
fn bare(value: &Secret) -> Secret {
    let bare = value.expose().split_once(' ');
    bare.map_or_else(|| value.clone(), |(_, bare)| bare.into())
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<()> {
    let bad = || {
        Error::new(
            ErrorKind::Usage,
            format!("the credential for `{name}` is not a valid header value"),
        )
        .hint("remove line breaks and other control characters from it")
    };
    let name: HeaderName = name.parse().map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    headers.append(name, value);
    Ok(())
}

/// Returns the error of settings that have no value: nothing is sent without them.
fn unset(alternatives: &[&[&str]]) -> Error {
    let each = |quoted: &dyn Fn(&str) -> String| {
        let one = |names: &&[&str]| {
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            names.join(" and ")
        };
        alternatives
            .iter()
            .map(one)
            .collect::<Vec<_>>()
            .join(", or ")
    };
    let message = format!(
        "the API needs credentials, and none are set: {}",
        each(&|name| format!("`{name}`"))
    );
    let flags = each(&|name| format!("--{}", flag(name)));
    Error::new(ErrorKind::Usage, message).hint(format!(
        "set {flags} (`--help` lists the settings and their environment variables)"
    ))
}
