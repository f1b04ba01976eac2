//! Emits structs with `#[derive(Record)]`, and the files of shared structs.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::tokens::{doc, field_doc, for_features, ident, inner_doc};
use crate::plan::{Case, Field, Plan, Struct, Type};

/// Emits a struct.
pub fn record(body: &Struct) -> TokenStream {
    let name = format_ident!("{}", body.name);
    let docs = doc(&body.doc);
    let case = body.case.map(|case| {
        let case = case.name();
        quote!(#[record(rename_all = #case)])
    });
    let fields = body.fields.iter().map(|it| field(body.case, it));
    quote! {
        #docs
        #[derive(Record)]
        #case
        pub struct #name {
            #(#fields),*
        }
    }
}

fn field(case: Option<Case>, field: &Field) -> TokenStream {
    let docs = field_doc(&field.doc);
    let derived = case.map_or_else(|| field.ident.clone(), |case| case.key(&field.ident));
    let key = (derived != field.key).then(|| {
        let key = &field.key;
        quote!(#[record(key = #key)])
    });
    let (name, ty) = (ident(&field.ident), ty(&field.ty));
    quote! {
        #docs
        #key
        pub #name: Option<#ty>
    }
}

/// Emits the type within the `Option` of a field.
pub fn ty(ty: &Type) -> TokenStream {
    ty.to_string().parse().unwrap_or_default()
}

/// Emits the `use` lines for structs of other files. `here` are the structs of this file.
pub fn imports(plan: &Plan, used: &BTreeSet<String>, here: &[Struct]) -> TokenStream {
    let foreign: Vec<&String> = used
        .iter()
        .filter(|name| here.iter().all(|body| body.name != **name))
        .collect();
    let is_shared = |name: &&&String| plan.types.iter().any(|body| body.name == ***name);
    let lines = [("types", true), ("resources", false)].map(|(module, shared)| {
        let names: Vec<_> = foreign
            .iter()
            .filter(|name| is_shared(name) == shared)
            .map(|name| format_ident!("{name}"))
            .collect();
        let module = format_ident!("{module}");
        match names.as_slice() {
            [] => quote!(),
            [name] => quote!(use crate::#module::#name;),
            names => quote!(use crate::#module::{#(#names),*};),
        }
    });
    let [types, resources] = lines;
    quote!(#resources #types)
}

/// Returns the names of the structs that the fields of these structs use.
pub fn used(bodies: &[Struct]) -> BTreeSet<String> {
    let fields = bodies.iter().flat_map(|body| &body.fields);
    fields
        .filter_map(|field| field.ty.record())
        .map(str::to_owned)
        .collect()
}

/// Returns the shared structs by their module, in the order of the plan.
pub fn homes(plan: &Plan) -> BTreeMap<&str, Vec<&Struct>> {
    let mut homes: BTreeMap<&str, Vec<&Struct>> = BTreeMap::new();
    for body in &plan.types {
        let home = plan
            .type_homes
            .get(&body.name)
            .map_or("shared", String::as_str);
        homes.entry(home).or_default().push(body);
    }
    homes
}

/// Emits `src/types/mod.rs`.
pub fn index(plan: &Plan, homes: &BTreeMap<&str, Vec<&Struct>>) -> TokenStream {
    let docs = inner_doc(&["Structs that several resources share, one file per family of names."]);
    let modules: Vec<_> = homes.keys().map(|name| ident(name)).collect();
    let features = homes.values().map(|bodies| {
        let first = bodies.first();
        first.and_then(|body| plan.type_features.get(&body.name))
    });
    let gates: Vec<_> = features
        .map(|features| for_features(features.map_or(&[], Vec::as_slice)))
        .collect();
    quote! {
        #docs
        #(#gates mod #modules;)*
        #(#gates pub use #modules::*;)*
    }
}

/// Emits the file of a family of shared structs.
pub fn file(plan: &Plan, bodies: &[&Struct]) -> TokenStream {
    let here: Vec<Struct> = bodies.iter().map(|body| (*body).clone()).collect();
    let imports = imports(plan, &used(&here), &here);
    let records = here.iter().map(record);
    quote! {
        use etlgen_runtime::prelude::*;
        #imports
        #(#records)*
    }
}
