//! Emits the credentials of the source and of single resources.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::tokens::ident;
use crate::plan::{Auth, Key, KeyPlace};

/// Emits the credentials of the source; `None`: it needs none.
pub fn auth(auth: &Auth) -> Option<TokenStream> {
    Some(match auth {
        Auth::None => return None,
        Auth::Bearer(setting) => {
            let setting = ident(setting);
            quote!(Auth::bearer(&config.#setting))
        }
        Auth::Basic(user, password) => {
            let (user, password) = (ident(user), ident(password));
            quote!(Auth::basic(&config.#user, &config.#password))
        }
        Auth::Keys(keys) => {
            let keys = keys.iter().map(|key| {
                let setting = ident(&key.setting);
                one_key(key, &quote!(&config.#setting))
            });
            let all = keys.reduce(|all, key| quote!(#all.and(#key)));
            return all;
        }
        Auth::OAuth2 {
            token_url,
            client_id,
            client_secret,
            scopes,
        } => {
            let (id, secret) = (ident(client_id), ident(client_secret));
            quote!(Auth::oauth2_client_credentials(#token_url, &config.#id, &config.#secret, &[#(#scopes),*]))
        }
        Auth::Password {
            token_url,
            username,
            password,
            scopes,
        } => {
            let (user, password) = (ident(username), ident(password));
            quote!(Auth::oauth2_password(#token_url, &config.#user, &config.#password, None, &[#(#scopes),*]))
        }
        Auth::Login {
            username, password, ..
        } => {
            let (user, password) = (ident(username), ident(password));
            logged_in(auth, &quote!(&config.#user), &quote!(&config.#password))
        }
        // A refresh token is always one of two ways.
        Auth::Refresh { .. } => given(auth),
        Auth::Either(parts) => {
            let parts = parts.iter().map(|part| {
                let (names, given) = (required(part), given(part));
                quote!((&[#(#names),*], #given))
            });
            quote!(Auth::first_set([#(#parts),*]))
        }
    })
}

/// Returns the settings without which the credentials are not set.
fn required(auth: &Auth) -> Vec<&str> {
    match auth {
        Auth::Refresh { refresh_token, .. } => vec![refresh_token],
        other => other.settings(),
    }
}

/// Emits credentials whose settings are optional: `Some` if they are set.
fn given(auth: &Auth) -> TokenStream {
    let both = |one: &str, other: &str, made: TokenStream| {
        let (one, other) = (ident(one), ident(other));
        quote!(config.#one.as_ref().zip(config.#other.as_ref()).map(#made))
    };
    match auth {
        Auth::None => quote!(None),
        Auth::Bearer(setting) => {
            let setting = ident(setting);
            quote!(config.#setting.as_ref().map(Auth::bearer))
        }
        Auth::Basic(user, password) => both(
            user,
            password,
            quote!(|(user, password)| Auth::basic(user, password)),
        ),
        Auth::Keys(keys) => match keys.as_slice() {
            [key, ..] => {
                let (setting, made) = (ident(&key.setting), one_key(key, &quote!(key)));
                quote!(config.#setting.as_ref().map(|key| #made))
            }
            [] => quote!(None),
        },
        Auth::OAuth2 {
            token_url,
            client_id,
            client_secret,
            scopes,
        } => both(
            client_id,
            client_secret,
            quote!(|(id, secret)| Auth::oauth2_client_credentials(#token_url, id, secret, &[#(#scopes),*])),
        ),
        Auth::Password {
            token_url,
            username,
            password,
            scopes,
        } => both(
            username,
            password,
            quote!(|(user, password)| Auth::oauth2_password(#token_url, user, password, None, &[#(#scopes),*])),
        ),
        Auth::Login {
            username, password, ..
        } => {
            let made = logged_in(auth, &quote!(user), &quote!(password));
            both(username, password, quote!(|(user, password)| #made))
        }
        Auth::Refresh {
            token_url,
            client_id,
            client_secret,
            refresh_token,
            file,
        } => {
            let (id, secret) = (ident(client_id), ident(client_secret));
            let (refresh, file) = (ident(refresh_token), ident(file));
            quote!(config.#refresh.as_ref().map(|token| Auth::oauth2_refresh_token(
                #token_url,
                config.#id.as_deref().unwrap_or_default(),
                config.#secret.as_ref().map_or("", Secret::expose),
                token,
                &config.#file,
            )))
        }
        Auth::Either(_) => {
            let either = self::auth(auth);
            quote!(Some(#either))
        }
    }
}

/// Emits a login with a user and a password.
fn logged_in(auth: &Auth, user: &TokenStream, secret: &TokenStream) -> TokenStream {
    let Auth::Login {
        path,
        user_field,
        password_field,
        fixed,
        token,
        header,
        ..
    } = auth
    else {
        return TokenStream::new();
    };
    let fields = fixed.iter().map(|(name, value)| {
        let value = literal(value);
        quote!(.field(#name, #value))
    });
    let end = match header {
        None => quote!(.token(#token)),
        Some((header, prefix)) => quote!(.token_in(#token, #header, #prefix)),
    };
    quote!(Login::post(#path).user(#user_field, #user).password(#password_field, #secret) #(#fields)* #end)
}

/// Emits a value of JSON.
fn literal(value: &Value) -> TokenStream {
    match value {
        Value::String(text) => quote!(#text),
        Value::Bool(flag) => quote!(#flag),
        other => {
            let inner = inner(other);
            quote!(json!(#inner))
        }
    }
}

/// Emits a value within `json!`.
fn inner(value: &Value) -> TokenStream {
    match value {
        Value::Null => quote!(null),
        Value::Bool(flag) => quote!(#flag),
        Value::String(text) => quote!(#text),
        Value::Number(number) => number.to_string().parse().unwrap_or_default(),
        Value::Array(items) => {
            let items = items.iter().map(inner);
            quote!([#(#items),*])
        }
        Value::Object(fields) => {
            let names = fields.keys();
            let values = fields.values().map(inner);
            quote!({#(#names: #values),*})
        }
    }
}

fn one_key(key: &Key, value: &TokenStream) -> TokenStream {
    let (name, prefix) = (&key.name, &key.prefix);
    match key.place {
        KeyPlace::Query => quote!(Auth::query(#name, #value)),
        KeyPlace::Cookie => quote!(Auth::cookie(#name, #value)),
        KeyPlace::Header if prefix.is_empty() => quote!(Auth::header(#name, #value)),
        KeyPlace::Header => quote!(Auth::header_with_prefix(#name, #prefix, #value)),
    }
}

/// Emits the credentials of one resource, whose settings are optional.
pub fn own_auth(own: &Auth) -> TokenStream {
    match own {
        Auth::None => TokenStream::new(),
        Auth::Keys(keys) => keys
            .iter()
            .map(|key| {
                let name = &key.setting;
                let given = given(&Auth::Keys(vec![key.clone()]));
                quote!(.auth(#name, #given))
            })
            .collect(),
        Auth::Either(parts) => {
            let names: Vec<String> = parts
                .iter()
                .map(|part| required(part).join("` and `"))
                .collect();
            let (names, given) = (names.join("` or `"), given(own));
            quote!(.auth(#names, #given))
        }
        other => {
            let (names, given) = (required(other).join("` and `"), given(other));
            quote!(.auth(#names, #given))
        }
    }
}
