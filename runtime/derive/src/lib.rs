//! The derives of an etlgen connector: `Record` for the data that is decoded and loaded, `Settings`
//! for the configuration.

mod case;
mod record;
mod settings;

use proc_macro::TokenStream;

/// Describes a struct as a record; see `etlgen_runtime::record`.
#[proc_macro_derive(Record, attributes(record))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    record::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Describes a struct as settings; see `etlgen_runtime::settings`.
#[proc_macro_derive(Settings, attributes(settings))]
pub fn derive_settings(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    settings::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
