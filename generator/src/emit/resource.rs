//! Emits the file of a resource: the function that declares it, and its structs.

use etlgen_model::{
    Contract, Deletes, Embedded, EmbeddedPlace, Entity, LastId, Length, LinkHeader, Meaning, Mode,
    NextUrl, Offset, Order, PageNumber, PageSize, Paginator, StatusRule, TimeFormat, Token, Total,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::body;
use super::credentials::own_auth;
use super::structs;
use super::tokens::{doc, for_features, ident, inner_doc};
use crate::plan::{
    BodyType, Cursor, FieldRef, Format, Link, Parameter, ParameterPlace, ParameterValue, Parent,
    Plan, Resource, plain_text,
};

/// Emits `src/resources/mod.rs`.
pub fn index(plan: &Plan) -> TokenStream {
    let docs = inner_doc(&["One file per resource."]);
    let modules: Vec<_> = plan
        .resources
        .iter()
        .map(|resource| ident(&resource.ident))
        .collect();
    let gates: Vec<_> = plan
        .resources
        .iter()
        .map(|resource| for_features(resource.feature.as_slice()))
        .collect();
    quote! {
        #docs
        #(#gates mod #modules;)*
        #(#gates pub use #modules::*;)*
    }
}

/// Returns whether the function takes the settings.
pub fn needs_config(plan: &Plan, resource: &Resource) -> bool {
    let mut own = resource.own_parameters(&plan.headers);
    resource.auth.is_some()
        || own.any(|parameter| matches!(parameter.value, ParameterValue::Setting(_)))
}

/// Returns whether the paginator is `api::pages()`.
fn is_shared(plan: &Plan, paginator: &Paginator) -> bool {
    plan.pages.as_ref() == Some(paginator)
}

/// Emits `src/resources/<ident>.rs`.
pub fn file(plan: &Plan, resource: &Resource) -> TokenStream {
    let mut used = structs::used(&resource.structs);
    used.extend(resource.record.clone());
    used.extend(
        resource
            .parent
            .iter()
            .filter_map(|parent| parent.record.clone()),
    );
    let imports = structs::imports(plan, &used, &resource.structs);
    let config = needs_config(plan, resource).then(|| {
        quote!(
            use crate::Config;
        )
    });
    let api = is_shared(plan, &resource.paginator).then(|| {
        quote!(
            use crate::api;
        )
    });
    let function = function(plan, resource);
    let records = resource.structs.iter().map(structs::record);
    quote! {
        use etlgen_runtime::prelude::*;
        #config
        #api
        #imports
        #function
        #(#records)*
    }
}

fn function(plan: &Plan, resource: &Resource) -> TokenStream {
    let method = if resource.post { "POST" } else { "GET" };
    let endpoint = format!("`{method} {}`", plain_text(&resource.path));
    let docs = match resource.doc.as_str() {
        "" => doc(&endpoint),
        text => doc(&format!("{text}: {endpoint}")),
    };
    let todos = todos(resource).into_iter().map(|text| {
        let blank = quote!(#[doc = ""]);
        let text = doc(text);
        quote!(#blank #text)
    });
    let name = ident(&resource.ident);
    let config = needs_config(plan, resource).then(|| quote!(config: &Config));
    let record = record_type(resource.record.as_deref());
    let declaration = declaration(plan, resource);
    quote! {
        #docs
        #(#todos)*
        pub fn #name(#config) -> Resource<#record> {
            #declaration
        }
    }
}

/// Returns what the owner must decide or check, in the words of the code.
fn todos(resource: &Resource) -> Vec<&'static str> {
    let doubts = |key: &str| {
        resource
            .doubts
            .iter()
            .any(|(_, line)| line.starts_with(key))
    };
    let undecided = resource.paginator == Paginator::Undecided;
    let mut todos = Vec::new();
    if undecided {
        todos.push("TODO pagination: etlgen could not tell how this list is paged, so `sync` leaves it out. Set `.paginate(…)` and remove `.off(…)`.");
    } else if resource.off.is_some() && doubts("off") {
        todos.push("TODO off: `sync` leaves it out, as etlgen is not sure that it only reads. If it does, remove `.off(…)`.");
    }
    if doubts("paginate") && !undecided && resource.paginator == Paginator::Single {
        todos.push("TODO pagination: other lists of the API are paged. Check that everything comes in one response, or set `.paginate(…)`.");
    }
    if resource.off.is_some() && doubts("parent") {
        todos.push("TODO parent: `sync` leaves it out, as nothing is known to supply a parameter. Set `.child_of(…)`, or the setting, and remove `.off(…)`.");
    }
    if resource.off.is_some() && doubts("body") {
        todos.push("TODO body: `sync` leaves it out, as nothing supplies a field that its body must have. Set `.body(json!({ … }))` and remove `.off(…)`.");
    }
    if doubts("primary_key") && !resource.key.is_empty() {
        todos.push(
            "TODO key: etlgen is not sure of `.primary_key(…)`. Check that it identifies a record.",
        );
    }
    if doubts("records") {
        todos.push("TODO records: etlgen is not sure where a response has the records. Check `.records(…)`, and remove `.unsure(…)`.");
    }
    if doubts("query") {
        todos.push(
            "TODO rows: a default may leave rows out. Set `.query(…)`, and remove `.unsure(…)`.",
        );
    }
    todos
}

fn record_type(name: Option<&str>) -> TokenStream {
    let name = format_ident!("{}", name.unwrap_or("Json"));
    quote!(#name)
}

/// Emits the declaration, with one call per property.
fn declaration(plan: &Plan, resource: &Resource) -> TokenStream {
    let (name, path) = (&resource.name, &resource.path);
    let constructor = if resource.single {
        quote!(single)
    } else {
        quote!(list)
    };
    let mut calls = Vec::new();
    if resource.post {
        calls.push(quote!(.post()));
    }
    match resource.format {
        Format::Json => {}
        Format::Lines => calls.push(quote!(.ndjson())),
        Format::Csv => calls.push(quote!(.csv())),
    }
    if let Some(parent) = &resource.parent {
        calls.push(child_of(parent));
    }
    calls.extend(resource.auth.iter().map(own_auth));
    calls.extend(body::fixed(resource));
    calls.extend(resource.own_parameters(&plan.headers).filter_map(parameter));
    if !resource.records.is_empty() {
        let records = &resource.records;
        calls.push(quote!(.records(#records)));
    }
    if !resource.key.is_empty() {
        let fields = fields(&resource.key);
        calls.push(quote!(.primary_key([#(#fields),*])));
    }
    if resource.within_parent {
        calls.push(quote!(.within_parent()));
    }
    if resource.paginator != Paginator::Single {
        let paginator = match is_shared(plan, &resource.paginator) {
            true => quote!(api::pages()),
            false => paginator(&resource.paginator),
        };
        calls.push(quote!(.paginate(#paginator)));
    }
    for Embedded { list, place } in &resource.embedded {
        let place = match place {
            EmbeddedPlace::Next => quote!(),
            EmbeddedPlace::Url(url) => quote!(.url(#url)),
            EmbeddedPlace::Path(path) => quote!(.path(#path)),
        };
        calls.push(quote!(.embedded(Embedded::list(#list)#place)));
    }
    for list in &resource.whole_lists {
        calls.push(quote!(.whole_list(#list)));
    }
    if let Some(cursor) = &resource.cursor {
        let cursor = self::cursor(cursor);
        calls.push(quote!(.incremental(#cursor)));
    }
    if let Some(contract) = resource.contract {
        let contract = self::contract(contract);
        calls.push(quote!(.contract(#contract)));
    }
    if let Some(tombstone) = &resource.tombstone {
        let tombstone = field(tombstone);
        calls.push(quote!(.tombstone(#tombstone)));
    }
    match &resource.off {
        Some(reason) if resource.unsendable => calls.push(quote!(.unsendable(#reason))),
        Some(reason) => calls.push(quote!(.off(#reason))),
        None => {}
    }
    if let Some(reason) = &resource.unsure {
        calls.push(quote!(.unsure(#reason)));
    }
    match resource.deletes {
        None => {}
        Some(Deletes::Keep) => calls.push(quote!(.deletes(Deletes::Keep))),
        Some(Deletes::Soft) => calls.push(quote!(.deletes(Deletes::Soft))),
        Some(Deletes::Hard) => calls.push(quote!(.deletes(Deletes::Hard))),
    }
    calls.extend(resource.on_status.iter().map(|(status, rule)| {
        let status = proc_macro2::Literal::u16_unsuffixed(*status);
        let rule = match rule {
            StatusRule::Fail => quote!(Fail),
            StatusRule::Retry => quote!(Retry),
            StatusRule::Skip => quote!(Skip),
            StatusRule::Empty => quote!(Empty),
        };
        quote!(.on_status(#status, StatusRule::#rule))
    }));
    if resource.list_may_be_absent {
        calls.push(quote!(.list_may_be_absent()));
    }
    let record = record_type(resource.record.as_deref());
    quote!(#record::#constructor(#name, #path) #(#calls)*)
}

/// Emits a parameter of every request: `.query("limit", "5")`; nothing for a fixed field of the
/// body.
fn parameter(parameter: &Parameter) -> Option<TokenStream> {
    let place = match parameter.place {
        ParameterPlace::Path => quote!(path),
        ParameterPlace::Query => quote!(query),
        ParameterPlace::Header => quote!(header),
        ParameterPlace::Body(BodyType::Text) => quote!(body_text),
        ParameterPlace::Body(BodyType::Number) => quote!(body_number),
        ParameterPlace::Body(BodyType::Bool) => quote!(body_bool),
        ParameterPlace::Body(BodyType::Json) => return None,
    };
    let is_field = matches!(parameter.value, ParameterValue::Json(_));
    let (name, value) = (&parameter.name, value_of(&parameter.value));
    (!is_field).then(|| quote!(.#place(#name, #value)))
}

/// Emits the value of a parameter: a text, or a setting.
pub fn value_of(value: &ParameterValue) -> TokenStream {
    match value {
        ParameterValue::Fixed(value) => quote!(#value),
        ParameterValue::Json(value) => {
            let value = value.to_string();
            quote!(#value)
        }
        ParameterValue::Setting(setting) => {
            let setting = ident(setting);
            quote!(&config.#setting)
        }
    }
}

/// Emits a list of fields. Handles are converted if any field has none, because all need one type.
fn fields(fields: &[FieldRef]) -> Vec<TokenStream> {
    let handles = fields
        .iter()
        .all(|field| matches!(field, FieldRef::Handle { .. }));
    fields
        .iter()
        .map(|field| match field {
            FieldRef::Handle { .. } if !handles => {
                let field = self::field(field);
                quote!(#field.into())
            }
            FieldRef::Path(path) if fields.len() > 1 => quote!(#path.into()),
            field => self::field(field),
        })
        .collect()
}

fn field(field: &FieldRef) -> TokenStream {
    match field {
        FieldRef::Path(path) => quote!(#path),
        FieldRef::Handle { record, constant } => {
            let (record, constant) = (format_ident!("{record}"), format_ident!("{constant}"));
            quote!(#record::#constant)
        }
    }
}

pub fn paginator(paginator: &Paginator) -> TokenStream {
    let number = proc_macro2::Literal::u64_unsuffixed;
    let mut calls = match paginator {
        Paginator::Single => quote!(Paginator::single()),
        Paginator::Undecided => quote!(Paginator::undecided()),
        Paginator::LastId(LastId { param, field, .. }) => {
            let field = field.iter().map(|field| quote!(.field(#field)));
            quote!(Paginator::last_id(#param) #(#field)*)
        }
        Paginator::PageNumber(PageNumber { param, first, .. }) => {
            let first = (*first != 1).then(|| number(*first)).into_iter();
            quote!(Paginator::page_number(#param) #(.starting_at(#first))*)
        }
        Paginator::Offset(Offset { param, first, .. }) => {
            let first = (*first != 0).then(|| number(*first)).into_iter();
            quote!(Paginator::offset(#param) #(.starting_at(#first))*)
        }
        Paginator::Token(Token {
            param, next, first, ..
        }) => {
            let next = next.to_string();
            let first = first.iter().map(|token| quote!(.first(#token)));
            quote!(Paginator::token(#param, #next) #(#first)*)
        }
        Paginator::LinkHeader(LinkHeader { param, first, .. }) => {
            let first = number(*first);
            let page = param
                .iter()
                .map(|param| quote!(.first_page(#param, #first)));
            quote!(Paginator::link_header() #(#page)*)
        }
        Paginator::NextUrl(NextUrl { next, .. }) => quote!(Paginator::next_url(#next)),
    };
    if let Some(more) = paginator.more() {
        calls.extend(quote!(.more(#more)));
    }
    match paginator.total() {
        Some(Total::Pages(at)) => {
            let at = at.to_string();
            calls.extend(quote!(.total_pages(#at)));
        }
        Some(Total::Items(at)) => {
            let at = at.to_string();
            calls.extend(quote!(.total_items(#at)));
        }
        Some(Total::Ignored) => calls.extend(quote!(.without_total())),
        None => {}
    }
    if let Some(PageSize { param, rows, .. }) = paginator.page_size() {
        let rows = number(rows.get());
        calls.extend(quote!(.page_size(#param, #rows)));
    }
    if paginator.in_body() {
        calls.extend(quote!(.in_body()));
    }
    if let Some(holder) = paginator.in_json() {
        calls.extend(quote!(.in_json(#holder)));
    }
    if let Some(holder) = paginator.in_pairs() {
        calls.extend(quote!(.in_pairs(#holder)));
    }
    if let Some(most) = paginator.common().and_then(|common| common.empty_pages) {
        let most = number(most.into());
        calls.extend(quote!(.empty_pages(#most)));
    }
    calls
}

fn cursor(cursor: &Cursor) -> TokenStream {
    let field = field(&cursor.field);
    let mut calls = match cursor.meaning {
        Meaning::Updated => quote!(Cursor::updated(#field)),
        Meaning::Created => quote!(Cursor::created(#field)),
    };
    if let Some(param) = &cursor.param {
        calls.extend(quote!(.param(#param)));
    }
    if let Some(template) = &cursor.template {
        calls.extend(quote!(.template(#template)));
    }
    if let Some(until) = &cursor.until {
        calls.extend(quote!(.until(#until)));
    }
    if cursor.in_body {
        calls.extend(quote!(.in_body()));
    }
    if let Some(format) = cursor.format.and_then(time_format) {
        calls.extend(quote!(.format(TimeFormat::#format)));
    }
    if cursor.exclusive {
        calls.extend(quote!(.exclusive()));
    }
    if let Some(lookback) = cursor.lookback.map(length) {
        calls.extend(quote!(.lookback(#lookback)));
    }
    if cursor.new_rows_only {
        calls.extend(quote!(.new_rows_only()));
    }
    match cursor.order {
        Some(Order::NewestFirst) => calls.extend(quote!(.newest_first())),
        Some(Order::OldestFirst) => calls.extend(quote!(.oldest_first())),
        None => {}
    }
    if let Some(windows) = &cursor.windows {
        let (from, length) = (windows.from(), self::length(windows.length()));
        calls.extend(quote!(.windows(#from, #length)));
    }
    if let Some(rows) = cursor.most_rows.map(proc_macro2::Literal::u64_unsuffixed) {
        calls.extend(quote!(.most_rows(#rows)));
    }
    calls
}

fn time_format(format: TimeFormat) -> Option<TokenStream> {
    match format {
        TimeFormat::UnixSeconds => Some(quote!(UnixSeconds)),
        TimeFormat::UnixMillis => Some(quote!(UnixMillis)),
        TimeFormat::Rfc3339 => Some(quote!(Rfc3339)),
        TimeFormat::Date => Some(quote!(Date)),
        TimeFormat::AsIs => None,
    }
}

/// Emits a duration in its largest whole unit.
fn length(length: Length) -> TokenStream {
    let number = proc_macro2::Literal::u64_unsuffixed;
    match length.seconds() {
        seconds if seconds % 86_400 == 0 => {
            let days = number(seconds / 86_400);
            quote!(days(#days))
        }
        seconds if seconds % 3_600 == 0 => {
            let hours = number(seconds / 3_600);
            quote!(hours(#hours))
        }
        seconds => {
            let seconds = number(seconds);
            quote!(::std::time::Duration::from_secs(#seconds))
        }
    }
}

/// Emits a contract: `Contract::freeze()`, `Contract::evolve().columns(Mode::DiscardValue)`.
pub fn contract(contract: Contract) -> TokenStream {
    let whole = Mode::ALL
        .iter()
        .find(|(mode, _)| contract == Contract::all(*mode));
    if let Some((_, name)) = whole {
        let constructor = ident(name);
        return quote!(Contract::#constructor());
    }
    let calls = Entity::ALL.iter().filter_map(|(entity, name)| {
        let call = ident(name);
        match contract.mode(*entity) {
            Mode::Evolve => None,
            Mode::Freeze => Some(quote!(.#call(Mode::Freeze))),
            Mode::DiscardRow => Some(quote!(.#call(Mode::DiscardRow))),
            Mode::DiscardValue => Some(quote!(.#call(Mode::DiscardValue))),
        }
    });
    quote!(Contract::evolve() #(#calls)*)
}

fn child_of(parent: &Parent) -> TokenStream {
    let name = &parent.resource;
    let record = record_type(parent.record.as_deref());
    let variable = ident(&parent.variable);
    let inherited = parent
        .inherited
        .iter()
        .map(|(name, from)| match name == from {
            true => quote!(.inherit(#name)),
            false => quote!(.inherit_as(#name, #from)),
        });
    let links = parent.links.iter().map(|link| {
        let place = match link.place {
            ParameterPlace::Path => quote!(path),
            ParameterPlace::Query | ParameterPlace::Header | ParameterPlace::Body(_) => {
                quote!(query)
            }
        };
        let parameter = &link.parameter;
        let value = value(&variable, parent.record.is_some(), link);
        quote!(.#place(#parameter, #value))
    });
    quote!(.child_of(#name, |#variable: &#record, request| request #(#inherited)* #(#links)*))
}

/// Emits the value of a link: `&repo.name`, `issue.id`, `repo.owner.as_ref().map(|owner|
/// &owner.login)`.
fn value(variable: &proc_macro2::Ident, typed: bool, link: &Link) -> TokenStream {
    if !typed {
        let path = link.fields.join(".");
        return quote!(#variable.text(#path));
    }
    let reference = (!link.copy).then(|| quote!(&));
    let mut at = quote!(#variable);
    let Some((last, above)) = link.fields.split_last() else {
        return at;
    };
    let last = ident(last);
    let Some((first, between)) = above.split_first() else {
        return quote!(#reference #at.#last);
    };
    let first = ident(first);
    let mut inner = first.clone();
    at = quote!(#at.#first.as_ref());
    for name in between {
        let name = ident(name);
        at = quote!(#at.and_then(|#inner| #inner.#name.as_ref()));
        inner = name;
    }
    quote!(#at.map(|#inner| #reference #inner.#last))
}
