//! Emits structs with `#[derive(Record)]`, and the files of shared structs.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::tokens::{doc, for_features, ident, inner_doc};
use crate::plan::{Case, Field, Plan, Struct, Type, module_name};

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
    let docs = doc(&field.doc);
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

/// Returns the shared structs by their module.
pub fn homes(plan: &Plan) -> BTreeMap<String, &Struct> {
    let mut homes = BTreeMap::new();
    for body in &plan.types {
        let mut name = module_name(&body.name);
        while homes.contains_key(&name) {
            name.push('_');
        }
        homes.insert(name, body);
    }
    homes
}

/// Emits `src/types/mod.rs`.
pub fn index(plan: &Plan, homes: &BTreeMap<String, &Struct>) -> TokenStream {
    let docs = inner_doc(&["Structs that several resources share."]);
    let modules: Vec<_> = homes.keys().map(|name| ident(name)).collect();
    let features = homes
        .values()
        .map(|body| plan.type_features.get(&body.name));
    let gates: Vec<_> = features
        .map(|features| for_features(features.map_or(&[], Vec::as_slice)))
        .collect();
    quote! {
        #docs
        #(#gates mod #modules;)*
        #(#gates pub use #modules::*;)*
    }
}

/// Emits the file of one shared struct.
pub fn file(plan: &Plan, body: &Struct) -> TokenStream {
    let here = std::slice::from_ref(body);
    let imports = imports(plan, &used(here), here);
    let record = record(body);
    quote! {
        use etlgen_runtime::prelude::*;
        #imports
        #record
    }
}
