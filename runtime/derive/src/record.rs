//! `#[derive(Record)]`: the table of a struct's fields, and a handle for each.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Result};

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "only a struct can be a record",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(
            &input.ident,
            "a record has named fields: each stands for a key of the JSON object",
        ));
    };
    if let Some(param) = input.generics.params.first() {
        return Err(Error::new_spanned(param, "a record has no type parameters"));
    }
    let dropped = dropped_keys(&input.attrs)?;
    let mut table = TokenStream::new();
    let mut handles = TokenStream::new();
    let mut keys: Vec<String> = Vec::new();
    for (index, field) in fields.named.iter().enumerate() {
        let Some(ident) = &field.ident else { continue };
        let FieldNames { key, column } = field_names(field, ident)?;
        if keys.contains(&key) {
            return Err(Error::new_spanned(
                ident,
                format!("two fields are read from the key {key:?}"),
            ));
        }
        let ty = &field.ty;
        let vis = &field.vis;
        let column = column.map(|name| quote!(.column(#name)));
        table.extend(quote! {
            __r::FieldSchema::new(#key, ::core::mem::offset_of!(Self, #ident), <#ty as __r::FieldValue>::TYPE) #column,
        });
        let handle = Ident::new(&ident.unraw().to_string().to_uppercase(), ident.span());
        handles.extend(quote! {
            #vis const #handle: __r::Field<Self, <#ty as __r::FieldValue>::Order> = __r::Field::new(#index);
        });
        keys.push(key);
    }
    let ident = &input.ident;
    let name = ident.unraw().to_string();
    Ok(quote! {
        const _: () = {
            use ::etlgen_runtime::__private as __r;
            #[allow(unsafe_code)]
            unsafe impl __r::Record for #ident {
                const SCHEMA: &'static __r::RecordSchema =
                    &__r::RecordSchema::new::<Self>(#name, &[#table], &[#(#dropped),*]);
            }
            #[allow(unsafe_code)]
            unsafe impl __r::Value for #ident {
                const SHAPE: __r::Shape = __r::Shape::Record(__r::schema_of::<Self>);
                type Order = __r::Unordered;
            }
            #[allow(dead_code, missing_docs)]
            impl #ident {
                #handles
            }
        };
    })
}

struct FieldNames {
    key: String,
    column: Option<String>,
}

/// The key of a field is its name, unless `#[record(key = "..")]` says otherwise.
fn field_names(field: &Field, ident: &Ident) -> Result<FieldNames> {
    let mut key = ident.unraw().to_string();
    let mut column = None;
    for attr in record_attrs(&field.attrs) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("key") {
                key = meta.value()?.parse::<LitStr>()?.value();
                return Ok(());
            }
            if meta.path.is_ident("column") {
                let name = meta.value()?.parse::<LitStr>()?;
                if name.value().is_empty() {
                    return Err(Error::new_spanned(name, "a column needs a name"));
                }
                column = Some(name.value());
                return Ok(());
            }
            Err(meta.error(unknown(&meta.path)))
        })?;
    }
    Ok(FieldNames { key, column })
}

/// What to write in place of an attribute of a field that does not exist.
fn unknown(path: &syn::Path) -> String {
    let name = path.get_ident().map_or(String::new(), Ident::to_string);
    format!(
        "unknown attribute `{name}`: `key = \"..\"` is the name in JSON, `column = \"..\"` is the name in tables"
    )
}

/// The keys of `#[record(drop("..", ..))]`.
fn dropped_keys(attrs: &[Attribute]) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for attr in record_attrs(attrs) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("drop") {
                return Err(meta.error("a record knows `drop(\"..\", ..)`"));
            }
            let content;
            syn::parenthesized!(content in meta.input);
            let names =
                content.parse_terminated(<LitStr as syn::parse::Parse>::parse, syn::Token![,])?;
            keys.extend(names.iter().map(LitStr::value));
            Ok(())
        })?;
    }
    Ok(keys)
}

fn record_attrs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("record"))
}
