//! `#[derive(Record)]`: the table of a struct's fields, a handle for each, and `Debug` and `PartialEq` from the table.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Result};

use crate::case::Case;

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
            "a record has named fields: each is a key of the JSON object",
        ));
    };
    if let Some(param) = input.generics.params.first() {
        return Err(Error::new_spanned(param, "a record has no type parameters"));
    }
    let RecordAttributes { rename, dropped } = record_attributes(&input.attrs)?;
    let mut table = TokenStream::new();
    let mut handles = TokenStream::new();
    let mut keys: Vec<String> = Vec::new();
    for (index, field) in fields.named.iter().enumerate() {
        let Some(ident) = &field.ident else { continue };
        let FieldNames { key, column } = field_names(field, ident, rename)?;
        if keys.contains(&key) {
            return Err(Error::new_spanned(
                ident,
                format!("two fields are read from the key {key:?}"),
            ));
        }
        let ty = &field.ty;
        let vis = &field.vis;
        let column = column.map(|name| quote!(.column(#name)));
        // An error about the type points at the type.
        let (shape, order) = (
            quote_spanned!(ty.span()=> <#ty as __r::FieldValue>::TYPE),
            quote_spanned!(ty.span()=> <#ty as __r::FieldValue>::Order),
        );
        table.extend(quote! {
            __r::FieldSchema::new(#key, ::core::mem::offset_of!(Self, #ident), #shape) #column,
        });
        let handle = Ident::new(&ident.unraw().to_string().to_uppercase(), ident.span());
        handles.extend(quote! {
            #vis const #handle: __r::Field<Self, #order> = __r::Field::new(#index);
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
            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    __r::debug(self, f)
                }
            }
            impl ::core::cmp::PartialEq for #ident {
                fn eq(&self, other: &Self) -> bool {
                    __r::equal(self, other)
                }
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

/// Returns the names of a field. Its key is its name in the case of the record, unless
/// `#[record(key = "..")]` sets another.
fn field_names(field: &Field, ident: &Ident, rename: Option<Case>) -> Result<FieldNames> {
    let name = ident.unraw().to_string();
    let mut key = rename.map_or_else(|| name.clone(), |case| case.key(&name));
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
            Err(unknown(
                &meta,
                "`key = \"..\"` is the name in JSON, `column = \"..\"` is the name in tables",
            ))
        })?;
    }
    Ok(FieldNames { key, column })
}

/// The attributes of the struct.
#[derive(Default)]
struct RecordAttributes {
    rename: Option<Case>,
    /// Keys that are neither decoded nor loaded.
    dropped: Vec<String>,
}

fn record_attributes(attrs: &[Attribute]) -> Result<RecordAttributes> {
    let mut found = RecordAttributes::default();
    for attr in record_attrs(attrs) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename_all") {
                let name = meta.value()?.parse::<LitStr>()?;
                found.rename = Some(Case::named(&name)?);
                return Ok(());
            }
            if meta.path.is_ident("drop") {
                let content;
                syn::parenthesized!(content in meta.input);
                let names =
                    content.parse_terminated(<LitStr as syn::parse::Parse>::parse, syn::Token![,])?;
                found.dropped.extend(names.iter().map(LitStr::value));
                return Ok(());
            }
            Err(unknown(
                &meta,
                "`rename_all = \"camelCase\"` is the case of the names in JSON, `drop(\"..\", ..)` names keys to \
                 leave out",
            ))
        })?;
    }
    Ok(found)
}

/// Returns the error for an unknown attribute, with the known ones.
fn unknown(meta: &ParseNestedMeta, known: &str) -> Error {
    let name = meta.path.get_ident().map(Ident::to_string);
    let name = name.unwrap_or_default();
    meta.error(format!("unknown attribute `{name}`: {known}"))
}

fn record_attrs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("record"))
}
