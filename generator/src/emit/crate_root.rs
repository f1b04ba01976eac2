//! Emits `lib.rs`, `api.rs`, `main.rs`, `config.rs`, the tests and the example.

use etlgen_model::flag;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::credentials::auth;
use super::resource::{needs_config, paginator, value_of};
use super::tokens::{doc, for_features, ident, inner_doc};
use crate::plan::{FieldRef, Plan, Resource, Setting, markdown};

fn library_name(plan: &Plan) -> proc_macro2::Ident {
    format_ident!("{}", plan.crate_name.replace('-', "_"))
}

/// Emits `src/lib.rs`.
pub fn library(plan: &Plan) -> TokenStream {
    let docs = inner_doc(&[
        &format!("Connector for the {}.", markdown(&plan.title)),
        "",
        "[`source`] declares what all resources share. Each file in `resources` declares one resource; change it as you like.",
    ]);
    let types = (!plan.types.is_empty()).then(|| {
        quote!(
            pub mod types;
        )
    });
    let api = plan.pages.is_some().then(|| {
        quote!(
            pub mod api;
        )
    });
    let auth = auth(&plan.auth).map(|auth| quote!(.auth(#auth)));
    let headers = plan.headers.iter().map(|header| {
        let (name, value) = (&header.name, value_of(&header.value));
        quote!(.header(#name, #value))
    });
    let rates = plan.rates.iter().map(|(requests, seconds)| {
        let requests = Literal::u64_unsuffixed(*requests);
        let seconds = Literal::u64_unsuffixed(*seconds);
        quote!(.rate_limit(#requests, ::std::time::Duration::from_secs(#seconds)))
    });
    let contract = plan.contract.map(|contract| {
        let contract = super::resource::contract(contract);
        quote!(.contract(#contract))
    });
    let added = |feature: Option<&str>| -> Vec<TokenStream> {
        let resources = plan.resources.iter();
        let here = resources.filter(|resource| resource.feature.as_deref() == feature);
        here.map(|resource| {
            let name = ident(&resource.ident);
            let config = needs_config(plan, resource).then(|| quote!(config));
            quote!(.resource(resources::#name(#config)))
        })
        .collect()
    };
    let source = &plan.source;
    let resources = added(None);
    let source = quote!(Source::new(#source, &config.base_url) #auth #(#headers)* #(#rates)* #contract #(#resources)*);
    let source = match plan.features.as_slice() {
        [] => source,
        features => {
            let parts = features.iter().map(|feature| {
                let gate = for_features(std::slice::from_ref(&feature.name));
                let resources = added(Some(&feature.name));
                quote!(#gate let source = source #(#resources)*;)
            });
            quote!(let source = #source; #(#parts)* source)
        }
    };
    let function = doc("Every resource of the API, ready to run.");
    quote! {
        #docs
        #api
        pub mod config;
        pub mod resources;
        #types
        pub use config::Config;
        use etlgen_runtime::prelude::*;
        #function
        pub fn source(config: &Config) -> Source {
            #source
        }
    }
}

/// Emits `src/api.rs`; `None`: no paginator is shared.
pub fn api(plan: &Plan) -> Option<TokenStream> {
    let docs = inner_doc(&["What the lists of the API have in common."]);
    let pages = paginator(plan.pages.as_ref()?);
    let function = doc("The paging that most lists share.");
    Some(quote! {
        #docs
        use etlgen_runtime::prelude::*;
        #function
        pub fn pages() -> Paginator {
            #pages.into()
        }
    })
}

/// Emits `src/main.rs`.
pub fn binary(plan: &Plan) -> TokenStream {
    let docs = inner_doc(&["The connector's command line."]);
    let library = library_name(plan);
    quote! {
        #docs
        fn main() -> std::process::ExitCode {
            etlgen_runtime::cli::main(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), #library::source)
        }
    }
}

/// Emits `src/config.rs`.
pub fn config(plan: &Plan) -> TokenStream {
    let docs = inner_doc(&["The connector's settings and credentials."]);
    let first = plan
        .settings
        .first()
        .map_or("base_url", |setting| &setting.ident);
    let lines = [
        format!(
            "Each setting is read from a flag (`--{}`), the environment (`{}_{}`), `.env`, or",
            flag(first),
            plan.prefix,
            first.to_uppercase()
        ),
        format!(
            "`{}.toml` (`{first}`); the first one found is used.",
            plan.prefix.to_lowercase()
        ),
    ];
    let lines = lines.iter().map(|line| doc(line));
    let prefix = &plan.prefix;
    let fields = plan.settings.iter().map(setting);
    quote! {
        #docs
        use etlgen_runtime::prelude::*;
        #(#lines)*
        #[derive(Clone, Settings)]
        #[settings(prefix = #prefix)]
        pub struct Config {
            #(#fields),*
        }
    }
}

fn setting(setting: &Setting) -> TokenStream {
    let docs = doc(&setting.doc);
    let default = setting
        .default
        .as_ref()
        .map(|default| quote!(#[settings(default = #default)]));
    let name = ident(&setting.ident);
    let ty = if setting.secret {
        quote!(Secret)
    } else {
        quote!(String)
    };
    let ty = if setting.optional {
        quote!(Option<#ty>)
    } else {
        ty
    };
    quote! {
        #docs
        #default
        pub #name: #ty
    }
}

/// Emits `tests/connector.rs` with a test for each folder of test data in the crate; `None`: it has
/// none.
pub fn tests(plan: &Plan) -> Option<TokenStream> {
    let any = |has: fn(&Resource) -> bool| plan.resources.iter().any(has);
    let decoded = any(|resource| !resource.examples.is_empty());
    let replayed = any(|resource| resource.exchange.is_some());
    let text = match (decoded, replayed) {
        (false, false) => return None,
        (true, false) => "Decodes the document's examples; no network is needed.",
        (false, true) => "Pages through a recorded exchange; no network is needed.",
        (true, true) => {
            "Decodes the document's examples and pages through a recorded exchange; no network is needed."
        }
    };
    let docs = inner_doc(&[text]);
    let library = library_name(plan);
    let decoded = decoded.then(|| {
        quote! {
            #[test]
            fn the_examples_decode() {
                testing::decode_examples(&source(&Config::placeholder()), "tests/examples");
            }
        }
    });
    let replayed = replayed.then(|| {
        quote! {
            #[test]
            fn a_recorded_exchange_pages_to_its_end() {
                testing::replay_exchange(&source(&Config::placeholder()), "tests/exchange");
            }
        }
    });
    Some(quote! {
        #docs
        use #library::{Config, source};
        use etlgen_runtime::{prelude::*, testing};

        #decoded

        #replayed
    })
}

/// Returns the resource that the example streams: the first one with a struct and without a parent.
pub fn exemplary(plan: &Plan) -> Option<&Resource> {
    let mut resources = plan.resources.iter();
    resources.find(|resource| resource.parent.is_none() && resource.record.is_some())
}

/// Emits `examples/stream.rs`, which streams the records of a resource.
pub fn example(plan: &Plan) -> Option<TokenStream> {
    let resource = exemplary(plan)?;
    let docs = inner_doc(&["Streams typed records: `cargo run --example stream`."]);
    let library = library_name(plan);
    let (function, records) = (ident(&resource.ident), ident(&resource.ident));
    let records = match resource.ident.as_str() {
        "config" | "source" | "resources" => format_ident!("records"),
        _ => records,
    };
    let config = needs_config(plan, resource).then(|| quote!(&config));
    let field = match resource.key.first() {
        Some(FieldRef::Handle { constant, .. }) => {
            let fields = resource
                .structs
                .iter()
                .take(1)
                .flat_map(|body| &body.fields);
            let mut fields = fields.filter(|field| field.ident.to_uppercase() == *constant);
            fields.next().map(|field| ident(&field.ident))
        }
        _ => None,
    };
    let body = match field {
        Some(field) => quote! {
            while let Some(record) = #records.next().await {
                println!("{:?}", record?.#field);
            }
        },
        None => quote! {
            let mut count = 0;
            while let Some(record) = #records.next().await {
                record?;
                count += 1;
            }
            println!("records: {count}");
        },
    };
    Some(quote! {
        #docs
        use #library::{Config, resources, source};
        use etlgen_runtime::prelude::*;

        #[tokio::main(flavor = "current_thread")]
        async fn main() -> Result<()> {
            let config = Config::load()?;
            let mut #records = source(&config).stream(resources::#function(#config));
            #body
            Ok(())
        }
    })
}
