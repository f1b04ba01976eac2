//! Emits the credentials of the source and of single resources.

use proc_macro2::TokenStream;
use quote::quote;

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
        Auth::Refresh {
            token_url,
            client_id,
            client_secret,
            refresh_token,
            file,
            access_token,
        } => {
            let (id, secret) = (ident(client_id), ident(client_secret));
            let (refresh, access) = (ident(refresh_token), ident(access_token));
            let file = ident(file);
            quote!(Auth::oauth2_given(
                config.#access.as_ref(),
                config.#refresh.as_ref(),
                |token| Auth::oauth2_refresh_token(
                    #token_url,
                    config.#id.as_deref().unwrap_or_default(),
                    config.#secret.as_ref().map_or("", Secret::expose),
                    token,
                    &config.#file,
                ),
            ))
        }
    })
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
    let both = |one: &str, other: &str, made: TokenStream| {
        let names = format!("{one}` and `{other}");
        let (one, other) = (ident(one), ident(other));
        quote!(.auth(#names, config.#one.as_ref().zip(config.#other.as_ref()).map(#made)))
    };
    match own {
        Auth::None => TokenStream::new(),
        Auth::Bearer(name) => {
            let setting = ident(name);
            quote!(.auth(#name, config.#setting.as_ref().map(Auth::bearer)))
        }
        Auth::Basic(user, password) => both(
            user,
            password,
            quote!(|(user, password)| Auth::basic(user, password)),
        ),
        Auth::Keys(keys) => keys
            .iter()
            .map(|key| {
                let (name, setting) = (&key.setting, ident(&key.setting));
                let made = one_key(key, &quote!(key));
                quote!(.auth(#name, config.#setting.as_ref().map(|key| #made)))
            })
            .collect(),
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
        Auth::Refresh { refresh_token, .. } => {
            let given = auth(own);
            quote!(.auth(#refresh_token, Some(#given)))
        }
    }
}
