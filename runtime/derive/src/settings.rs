//! `#[derive(Settings)]`: the settings of a connector, and the construction of the struct from their values.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Expr, ExprLit, Fields, Lit, LitStr, Meta, Result};

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "only a struct can have settings",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(
            &input.ident,
            "settings have named fields: each is a flag, an environment variable and a key",
        ));
    };
    let prefix = attribute(&input.attrs, "prefix")?.ok_or_else(|| {
        Error::new_spanned(
            &input.ident,
            "settings need `#[settings(prefix = \"NAME\")]`: the names of environment variables start with it",
        )
    })?;
    let mut settings = TokenStream::new();
    let mut values = TokenStream::new();
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let (name, ty) = (ident.unraw().to_string(), &field.ty);
        let help = documentation(&field.attrs);
        let default = match attribute(&field.attrs, "default")? {
            Some(default) => quote!(::core::option::Option::Some(#default)),
            None => quote!(::core::option::Option::None),
        };
        settings.extend(quote! {
            __s::Setting::new::<#ty>(#name, #help, #default),
        });
        values.extend(quote! {
            #ident: __s::SettingType::from_value(values.next().flatten()),
        });
    }
    let ident = &input.ident;
    Ok(quote! {
        const _: () = {
            use ::etlgen_runtime::settings as __s;
            impl __s::Settings for #ident {
                const PREFIX: &'static str = #prefix;
                const SETTINGS: &'static [__s::Setting] = &[#settings];
                fn from_values(
                    values: &mut dyn ::core::iter::Iterator<Item = ::core::option::Option<::std::string::String>>,
                ) -> Self {
                    Self { #values }
                }
            }
        };
    })
}

/// Returns the text of `#[settings(name = "..")]`.
fn attribute(attrs: &[Attribute], name: &str) -> Result<Option<LitStr>> {
    let mut found = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("settings")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident(name) {
                return Err(meta.error(format!("write `{name} = \"..\"`")));
            }
            found = Some(meta.value()?.parse::<LitStr>()?);
            Ok(())
        })?;
    }
    Ok(found)
}

/// Returns the doc comment on one line.
fn documentation(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ")
}
