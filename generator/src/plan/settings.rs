//! The fields of `Config`: credentials, the base URL, and which parameters are required.

use indexmap::IndexMap;

use super::{Auth, Key, KeyPlace, ParameterValue, Plan, Resource, Setting, names, text};
use crate::infer::facts::{AuthFacts, KeyFacts, OwnAuth};
use crate::spec::api::{Api, Location, SecurityScheme};

/// The security schemes, by name.
type Schemes = IndexMap<String, SecurityScheme>;

pub fn base_url(base_url: &str) -> Setting {
    let usable = base_url.starts_with("http") && !base_url.contains('{');
    let doc = match (usable, base_url) {
        (true, _) | (false, "") => "The URL of the API.".to_owned(),
        (false, pattern) => format!("The URL of the API: `{}`.", text::plain(pattern)),
    };
    Setting {
        ident: "base_url".to_owned(),
        doc,
        secret: false,
        optional: false,
        default: usable.then(|| base_url.to_owned()),
    }
}

/// Adds optional settings for the credentials of one resource, named after their schemes. Resources
/// with the same credentials share them.
pub fn own_credentials(
    api: &Api,
    own: &OwnAuth,
    place: (&str, &str),
    settings: &mut Vec<Setting>,
) -> Auth {
    if let AuthFacts::Keys(keys) = &own.value
        && keys.len() > 1
    {
        let each = own.schemes.iter().zip(keys).map(|(scheme, key)| OwnAuth {
            schemes: vec![scheme.clone()],
            value: AuthFacts::Keys(vec![key.clone()]),
        });
        let parts = each.map(|own| own_credentials(api, &own, place, settings));
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
    let mut found = Vec::new();
    let auth = credentials(&schemes, &own.value, place, &named, &mut found);
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
        _ => return,
    };
    for setting in settings
        .iter_mut()
        .filter(|setting| setting.ident == *token)
    {
        let end = if setting.doc.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        setting.doc = format!("{}{end} `{login}` returns it.", setting.doc);
    }
}

/// Adds settings for the credentials, and returns how these are sent.
pub fn credentials(
    schemes: &Schemes,
    facts: &AuthFacts,
    (base_url, source): (&str, &str),
    named: &dyn Fn(&str) -> String,
    settings: &mut Vec<Setting>,
) -> Auth {
    if let AuthFacts::OAuth2 {
        flow, token_url, ..
    } = facts
        && flow == "refreshToken"
        && let Some(token_url) = absolute(token_url, base_url)
    {
        return refresh(token_url, source, named, settings);
    }
    let mut secret = |ident: &str, doc: &str, hidden: bool| {
        let ident = named(ident);
        settings.push(Setting {
            ident: ident.clone(),
            doc: doc.to_owned(),
            secret: hidden,
            optional: false,
            default: None,
        });
        ident
    };
    match facts {
        AuthFacts::None => Auth::None,
        AuthFacts::Bearer => {
            let scheme = schemes.iter().find_map(|(name, scheme)| match scheme {
                SecurityScheme::Bearer { description } => Some((name, description)),
                _ => None,
            });
            let (name, description) =
                scheme.map_or(("", ""), |(name, text)| (name.as_str(), text.as_str()));
            let token = name.to_lowercase().contains("token");
            let ident = if token { "token" } else { "api_key" };
            let plain = if token { "The token." } else { "The API key." };
            Auth::Bearer(secret(
                ident,
                &text::or(text::sentence(description), plain),
                true,
            ))
        }
        AuthFacts::Basic => {
            let user = secret(
                "username",
                "The user's name, or the key used instead.",
                false,
            );
            let password = secret("password", "The password; some APIs need none.", true);
            Auth::Basic(user, password)
        }
        AuthFacts::Keys(keys) => Auth::Keys(
            keys.iter()
                .map(|key| one_key(schemes, key, keys.len(), &mut secret))
                .collect(),
        ),
        AuthFacts::OAuth2 {
            flow,
            token_url,
            scopes,
        } if flow == "clientCredentials" => Auth::OAuth2 {
            token_url: absolute(token_url, base_url).unwrap_or_else(|| token_url.clone()),
            client_id: secret("client_id", "The id of the OAuth client.", false),
            client_secret: secret("client_secret", "The secret of the OAuth client.", true),
            scopes: scopes.clone(),
        },
        AuthFacts::OAuth2 {
            flow,
            token_url,
            scopes,
        } if flow == "password" && !token_url.is_empty() => Auth::Password {
            // The runtime resolves a relative URL against the base URL.
            token_url: absolute(token_url, base_url).unwrap_or_else(|| token_url.clone()),
            username: secret("username", "The name of the user who logs in.", false),
            password: secret("password", "The password of that user.", true),
            scopes: scopes.clone(),
        },
        AuthFacts::OAuth2 { .. } => {
            Auth::Bearer(secret("access_token", "An OAuth access token.", true))
        }
    }
}

/// Returns a URL with scheme and host; `url` may be a path on the API's host.
fn absolute(url: &str, base_url: &str) -> Option<String> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Some(url.to_owned());
    }
    let (scheme, rest) = base_url.split_once("://")?;
    let host = rest.split('/').next()?;
    (url.starts_with('/') && !host.is_empty() && !host.contains('{'))
        .then(|| format!("{scheme}://{host}{url}"))
}

/// Adds settings for an access token obtained by hand and for a refresh token; users need one of
/// the two.
fn refresh(
    token_url: String,
    source: &str,
    named: &dyn Fn(&str) -> String,
    settings: &mut Vec<Setting>,
) -> Auth {
    let mut setting = |ident: &str, doc: &str, secret: bool, default: Option<String>| {
        let ident = named(ident);
        settings.push(Setting {
            ident: ident.clone(),
            doc: doc.to_owned(),
            secret,
            optional: default.is_none(),
            default,
        });
        ident
    };
    let file = format!("{source}.{}.json", named("refresh_token").replace('_', "-"));
    Auth::Refresh {
        access_token: setting(
            "access_token",
            "An OAuth access token obtained by hand; it is not renewed.",
            true,
            None,
        ),
        refresh_token: setting(
            "refresh_token",
            "An OAuth refresh token; it is exchanged for access tokens.",
            true,
            None,
        ),
        client_id: setting(
            "client_id",
            "The id of the OAuth client that the refresh token belongs to.",
            false,
            None,
        ),
        client_secret: setting(
            "client_secret",
            "The secret of that client; empty if it has none.",
            true,
            None,
        ),
        file: setting(
            "refresh_token_file",
            "The file for a refresh token that replaces the one set.",
            false,
            Some(file),
        ),
        token_url,
    }
}

fn one_key(
    schemes: &Schemes,
    facts: &KeyFacts,
    count: usize,
    secret: &mut dyn FnMut(&str, &str, bool) -> String,
) -> Key {
    let description = schemes.values().find_map(|scheme| match scheme {
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
        setting: secret(&ident, &doc, true),
    }
}

/// Makes settings required that every resource needs, itself or through its parents.
pub fn mark_required(plan: &mut Plan) {
    let needs = |resource: &Resource, ident: &str| {
        let wants = |parameter: &super::Parameter| {
            parameter.value == ParameterValue::Setting(ident.to_owned())
        };
        let mut at = Some(resource);
        for _ in 0..=plan.resources.len() {
            let Some(resource) = at else { return false };
            if resource.parameters.iter().any(wants) {
                return true;
            }
            let parent = resource.parent.as_ref().map(|parent| &parent.resource);
            at = parent.and_then(|name| plan.resources.iter().find(|r| r.name == *name));
        }
        false
    };
    let required: Vec<bool> = plan
        .settings
        .iter()
        .map(|setting| {
            plan.resources
                .iter()
                .all(|resource| needs(resource, &setting.ident))
        })
        .collect();
    for (setting, required) in plan.settings.iter_mut().zip(required) {
        if required || setting.default.is_some() {
            setting.optional = false;
        }
    }
}
