//! The settings that hold credentials, and how these are sent.

use indexmap::IndexMap;

use super::{Auth, Key, KeyPlace, Setting, names, text};
use crate::infer::facts::{AuthFacts, KeyFacts, LoginFacts, OwnAuth};
use crate::spec::api::{Api, Location, SecurityScheme};

/// The security schemes, by name.
type Schemes = IndexMap<String, SecurityScheme>;

/// What decides on the names and the texts of settings.
pub struct Naming<'a> {
    pub schemes: &'a Schemes,
    /// The name of the source.
    pub source: &'a str,
    /// Returns the name of a setting.
    pub named: &'a dyn Fn(&str) -> String,
}

/// Adds optional settings for the credentials of one resource, named after their schemes. Resources
/// with the same credentials share them.
pub fn own_credentials(
    api: &Api,
    own: &OwnAuth,
    source: &str,
    settings: &mut Vec<Setting>,
) -> Auth {
    if let AuthFacts::Keys(keys) = &own.value
        && keys.len() > 1
    {
        let each = own.schemes.iter().zip(keys).map(|(scheme, key)| OwnAuth {
            schemes: vec![scheme.clone()],
            value: AuthFacts::Keys(vec![key.clone()]),
        });
        let parts = each.map(|own| own_credentials(api, &own, source, settings));
        let keys = parts.filter_map(|part| match part {
            Auth::Keys(keys) => Some(keys),
            _ => None,
        });
        return Auth::Keys(keys.flatten().collect());
    }
    let prefix = names::snake(&own.schemes.join("_"), "own");
    // `admin_token` does not become `admin_token_token`.
    let named = |ident: &str| {
        let last = ident.rsplit('_').next().unwrap_or(ident);
        match prefix.rsplit('_').next() == Some(last) {
            true => prefix.clone(),
            false => format!("{prefix}_{ident}"),
        }
    };
    let schemes: Schemes = own
        .schemes
        .iter()
        .filter_map(|name| Some((name.clone(), api.security_schemes.get(name)?.clone())))
        .collect();
    let naming = Naming {
        schemes: &schemes,
        source,
        named: &named,
    };
    let mut found = Vec::new();
    let auth = naming.credentials(&own.value, &mut found);
    for mut setting in found {
        setting.optional = setting.default.is_none();
        if settings.iter().all(|known| known.ident != setting.ident) {
            settings.push(setting);
        }
    }
    auth
}

/// Adds the request that returns the token to the documentation of a token's setting.
pub fn name_login(auth: &Auth, login: &str, settings: &mut [Setting]) {
    let token = match auth {
        Auth::Bearer(token) => token,
        Auth::Keys(keys) => match keys.as_slice() {
            [only] => &only.setting,
            _ => return,
        },
        Auth::Either(parts) => {
            for part in parts {
                name_login(part, login, settings);
            }
            return;
        }
        _ => return,
    };
    for setting in settings
        .iter_mut()
        .filter(|setting| setting.ident == *token)
    {
        setting.doc = joined(&setting.doc, &format!("`{login}` returns it."));
    }
}

impl Naming<'_> {
    /// Adds settings for the credentials, and returns how these are sent.
    pub fn credentials(&self, facts: &AuthFacts, settings: &mut Vec<Setting>) -> Auth {
        let by_hand = |settings: &mut Vec<Setting>| {
            let doc = "An OAuth access token obtained by hand; it is not renewed.";
            Auth::Bearer(self.secret("access_token", doc, settings))
        };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let parts = match facts {
            AuthFacts::Either { renewed, token } => {
                let renewed = self.one(renewed, &mut first);
                [renewed, self.one(token, &mut second)]
            }
            AuthFacts::OAuth2 { flow, .. } if flow == "refreshToken" => {
                [self.one(facts, &mut first), by_hand(&mut second)]
            }
            _ => return self.one(facts, settings),
        };
        let names = parts.each_ref().map(required);
        for (own, other) in [(&mut first, &names[1]), (&mut second, &names[0])] {
            for setting in own.iter_mut().filter(|setting| setting.default.is_none()) {
                setting.optional = true;
                setting.doc = joined(&setting.doc, &format!("Not needed with {other}."));
            }
        }
        settings.extend(first);
        settings.extend(second);
        Auth::Either(parts.into())
    }

    /// Adds the settings of one way to authenticate.
    fn one(&self, facts: &AuthFacts, settings: &mut Vec<Setting>) -> Auth {
        match facts {
            AuthFacts::None | AuthFacts::Either { .. } => Auth::None,
            AuthFacts::Bearer => self.bearer(settings),
            AuthFacts::Basic => {
                let said = self.said(|scheme| matches!(scheme, SecurityScheme::Basic { .. }));
                let user = joined("The user's name, or the key used instead.", &said);
                let username = self.open("username", &user, settings);
                let password = "The password; some APIs need none.";
                Auth::Basic(username, self.secret("password", password, settings))
            }
            AuthFacts::Keys(keys) => {
                let keys = keys.iter().map(|key| self.key(key, keys.len(), settings));
                Auth::Keys(keys.collect())
            }
            AuthFacts::Login(login) => self.login(login, settings),
            AuthFacts::OAuth2 {
                flow,
                token_url,
                scopes,
            } => {
                // The runtime resolves a relative URL against the base URL, which may be that of
                // another server than the document names.
                let token_url = token_url.clone();
                match flow.as_str() {
                    _ if token_url.is_empty() => {
                        let doc = "An OAuth access token.";
                        Auth::Bearer(self.secret("access_token", doc, settings))
                    }
                    "clientCredentials" => self.client(token_url, scopes, settings),
                    "password" => self.password(token_url, scopes, settings),
                    _ => self.refresh(token_url, settings),
                }
            }
        }
    }

    fn bearer(&self, settings: &mut Vec<Setting>) -> Auth {
        let scheme = self.schemes.iter().find_map(|(name, scheme)| match scheme {
            SecurityScheme::Bearer { description } => Some((name, description)),
            _ => None,
        });
        let (name, description) =
            scheme.map_or(("", ""), |(name, text)| (name.as_str(), text.as_str()));
        let token = name.to_lowercase().contains("token");
        let ident = if token { "token" } else { "api_key" };
        let plain = if token { "The token." } else { "The API key." };
        let doc = text::or(text::sentence(description), plain);
        Auth::Bearer(self.secret(ident, &doc, settings))
    }

    fn login(&self, login: &LoginFacts, settings: &mut Vec<Setting>) -> Auth {
        let path = text::plain(&login.path);
        let user = format!("The user, whose token `POST {path}` returns.");
        Auth::Login {
            path: login.path.clone(),
            user_field: login.user.clone(),
            password_field: login.password.clone(),
            fixed: login.fixed.clone(),
            token: login.token.clone(),
            header: login.header.clone(),
            username: self.open("username", &user, settings),
            password: self.secret("password", "The password of that user.", settings),
        }
    }

    fn client(&self, token_url: String, scopes: &[String], settings: &mut Vec<Setting>) -> Auth {
        let id = format!(
            "The id of the OAuth client, whose tokens {} returns.",
            url(&token_url)
        );
        let id = joined(&id, &self.said_of_oauth2());
        Auth::OAuth2 {
            client_id: self.open("client_id", &id, settings),
            client_secret: self.secret(
                "client_secret",
                "The secret of the OAuth client.",
                settings,
            ),
            token_url,
            scopes: scopes.to_vec(),
        }
    }

    fn password(&self, token_url: String, scopes: &[String], settings: &mut Vec<Setting>) -> Auth {
        let user = format!("The user, whose token {} returns.", url(&token_url));
        let user = joined(&user, &self.said_of_oauth2());
        Auth::Password {
            username: self.open("username", &user, settings),
            password: self.secret("password", "The password of that user.", settings),
            token_url,
            scopes: scopes.to_vec(),
        }
    }

    fn refresh(&self, token_url: String, settings: &mut Vec<Setting>) -> Auth {
        let file = (self.named)("refresh_token").replace('_', "-");
        let file = format!("{}.{file}.json", self.source);
        let token = format!(
            "An OAuth refresh token; it is exchanged for access tokens at {}.",
            url(&token_url)
        );
        let token = joined(&token, &self.said_of_oauth2());
        let refresh_token = self.secret("refresh_token", &token, settings);
        let id = "The id of the OAuth client that the refresh token belongs to.";
        let client_id = self.open("client_id", id, settings);
        let secret = "The secret of that client; empty if it has none.";
        let client_secret = self.secret("client_secret", secret, settings);
        let doc = "The file for a refresh token that replaces the one set.";
        let stored = self.open("refresh_token_file", doc, settings);
        for setting in settings
            .iter_mut()
            .filter(|setting| setting.ident == stored)
        {
            setting.default = Some(file.clone());
        }
        Auth::Refresh {
            token_url,
            client_id,
            client_secret,
            refresh_token,
            file: stored,
        }
    }

    fn key(&self, facts: &KeyFacts, count: usize, settings: &mut Vec<Setting>) -> Key {
        let description = self.schemes.values().find_map(|scheme| match scheme {
            SecurityScheme::ApiKey {
                name, description, ..
            } if *name == facts.name => Some(description.as_str()),
            _ => None,
        });
        let ident = match count {
            1 => "api_key".to_owned(),
            _ => names::field(facts.name.trim_start_matches("X-").trim_start_matches("x-")),
        };
        let name = text::plain(&facts.name);
        let place = match facts.location {
            Location::Query => format!("the query parameter `{name}`"),
            Location::Cookie => format!("the cookie `{name}`"),
            Location::Header | Location::Path | Location::Body => format!("the header `{name}`"),
        };
        let plain = format!("The API key, sent in {place}.");
        let doc = text::or(text::sentence(description.unwrap_or_default()), &plain);
        Key {
            place: match facts.location {
                Location::Query => KeyPlace::Query,
                Location::Cookie => KeyPlace::Cookie,
                Location::Header | Location::Path | Location::Body => KeyPlace::Header,
            },
            name: facts.name.clone(),
            prefix: facts.prefix.clone(),
            setting: self.secret(&ident, &doc, settings),
        }
    }

    /// Adds a required setting that is no secret, and returns its name.
    fn open(&self, ident: &str, doc: &str, settings: &mut Vec<Setting>) -> String {
        let ident = (self.named)(ident);
        settings.push(Setting {
            ident: ident.clone(),
            doc: doc.to_owned(),
            secret: false,
            optional: false,
            default: None,
        });
        ident
    }

    /// Adds a required secret, and returns its name.
    fn secret(&self, ident: &str, doc: &str, settings: &mut Vec<Setting>) -> String {
        let ident = self.open(ident, doc, settings);
        if let Some(setting) = settings.last_mut() {
            setting.secret = true;
        }
        ident
    }

    /// Returns the first sentence of the document about the only scheme of a kind.
    fn said(&self, of: fn(&SecurityScheme) -> bool) -> String {
        let mut schemes = self.schemes.values().filter(|scheme| of(scheme));
        match (schemes.next(), schemes.next()) {
            (Some(only), None) => text::sentence(only.description()),
            _ => String::new(),
        }
    }

    fn said_of_oauth2(&self) -> String {
        self.said(|scheme| matches!(scheme, SecurityScheme::OAuth2 { .. }))
    }
}

/// Returns the settings that one way to authenticate requires: `` `username` and `password` ``.
fn required(auth: &Auth) -> String {
    let names = match auth {
        Auth::Refresh { refresh_token, .. } => vec![refresh_token.as_str()],
        other => other.settings(),
    };
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}

/// Returns the first sentences, and another one after them.
fn joined(first: &str, then: &str) -> String {
    let end = if first.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    match then {
        "" => first.to_owned(),
        then => format!("{first}{end} {then}"),
    }
}

/// Returns a URL or a path for a doc comment.
fn url(url: &str) -> String {
    format!("`{}`", text::plain(url))
}
