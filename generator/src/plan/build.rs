//! From what an API means to what will be generated.

use super::adopt::placeholders;
use super::fields::{field_ref, link, takes, tombstone};
use super::names::{self, Ledger};
use super::overrides::{ContractWish, Incremental, Overrides, ResourceOverrides};
use super::records::Structs;
use super::select::select;
use super::*;
use crate::diagnostics::Diagnostic;
use crate::infer::facts::{
    CursorFacts, CursorMeaning, Decision, Facts, PaginatorFacts, PaginatorKind as Found,
    ParentFacts, ResourceFacts, ResourceKind, SURE, SettingFacts,
};
use crate::spec::api::{Api, Location, Operation, Response};

/// The page size asked for where the document names no largest one.
const PAGE_SIZE: u64 = 100;

/// Registries take no longer name of a crate.
const LONGEST_NAME: usize = 64;

/// What a caller wants.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The source's name; else it is made of the document's title.
    pub name: Option<String>,
    /// Only these resources; empty: all lists.
    pub include: Vec<String>,
    /// Not these: patterns with `*`.
    pub exclude: Vec<String>,
    /// The owner's wishes.
    pub overrides: Overrides,
    /// Names given before.
    pub ledger: Ledger,
    /// What a source is called whose document has no title.
    pub fallback_name: String,
}

/// Where the runtime comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Runtime {
    pub version: String,
    /// A folder, relative to the crate or absolute.
    pub path: Option<String>,
}

/// Decides what will be generated. The facts are those that the owner has adjusted.
pub fn plan(api: &Api, facts: &Facts, options: &Options) -> Result<Plan, Diagnostic> {
    let mut facts = facts.clone();
    path::settle(api, &mut facts);
    let include = match options.include.is_empty() {
        true => &options.overrides.include,
        false => &options.include,
    };
    let exclude: Vec<String> = options
        .exclude
        .iter()
        .chain(&options.overrides.exclude)
        .cloned()
        .collect();
    let chosen = select(&facts, include, &exclude)?;

    let mut source = names::cut(source_name(api, options));
    source.truncate(LONGEST_NAME - "-connector".len());
    let mut plan = Plan {
        crate_name: format!("{}-connector", source.replace('_', "-")),
        prefix: source.to_uppercase().trim_start_matches('_').to_owned(),
        title: title(api),
        description: text::sentence(&api.description),
        auth: Auth::None,
        rates: facts
            .rates
            .iter()
            .map(|rate| (rate.requests, rate.seconds))
            .collect(),
        contract: options.overrides.contract.map(|wish| contract(wish, None)),
        settings: Vec::new(),
        resources: Vec::new(),
        types: Vec::new(),
        type_features: BTreeMap::new(),
        features: Vec::new(),
        ledger: Ledger::new(),
        source,
    };
    let place = (facts.base_url.as_str(), plan.source.as_str());
    let schemes = &api.security_schemes;
    plan.auth = settings::credentials(
        schemes,
        &facts.auth.value,
        place,
        &str::to_owned,
        &mut plan.settings,
    );
    plan.settings.push(settings::base_url(&facts.base_url));
    resources(api, &facts, &chosen, options, &mut plan);
    Ok(plan)
}

/// A contract as it is declared: what it does not say is as in the default.
fn contract(wish: ContractWish, default: Option<ContractWish>) -> Contract {
    let base = default.map_or(Contract::default(), |default| contract(default, None));
    match wish {
        ContractWish::Mode(mode) => Contract {
            tables: mode,
            columns: mode,
            types: mode,
        },
        ContractWish::Table(table) => Contract {
            tables: table.tables.unwrap_or(base.tables),
            columns: table.columns.unwrap_or(base.columns),
            types: table.types.unwrap_or(base.types),
        },
    }
}

/// The title as it stands behind `the`.
fn title(api: &Api) -> String {
    let title = text::plain(&api.title);
    let title = title.strip_prefix("The ").unwrap_or(&title);
    text::or(title.to_owned(), "API")
}

/// `--name`, the owner's name, or the title without what every title says.
fn source_name(api: &Api, options: &Options) -> String {
    let given = options.name.as_ref().or(options.overrides.name.as_ref());
    if let Some(name) = given {
        return names::snake(name, "source")
            .trim_end_matches("_connector")
            .to_owned();
    }
    let noise = [
        "api",
        "apis",
        "rest",
        "restful",
        "http",
        "public",
        "open",
        "openapi",
        "swagger",
        "the",
        "a",
        "service",
        "specification",
        "spec",
        "documentation",
        "reference",
        "web",
        "description",
        "official",
        "json",
        "welcome",
        "to",
    ];
    let title = text::plain(&api.title)
        .to_lowercase()
        .replace("'s", "")
        .replace('\u{2019}', " ");
    let is_noise = |word: &&str| {
        let version = word.strip_prefix('v').unwrap_or(word);
        noise.contains(word) || version.chars().all(|c| c.is_ascii_digit())
    };
    // The first words that say something: what follows the next empty one is not the name.
    let words: Vec<&str> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .skip_while(is_noise)
        .take_while(|word| !is_noise(word))
        .take(3)
        .collect();
    match words.as_slice() {
        [] => names::snake(&options.fallback_name, "source"),
        words => names::snake(&words.join("_"), "source"),
    }
}

/// What the ledger calls the resource of an operation.
pub fn resource_key(pointer: &str) -> String {
    format!("resource {pointer}")
}

fn resources(api: &Api, facts: &Facts, chosen: &[usize], options: &Options, plan: &mut Plan) {
    let base_url = facts.base_url.as_str();
    let wishes = |name: &str| {
        options
            .overrides
            .resources
            .get(name)
            .cloned()
            .unwrap_or_default()
    };
    let facts: Vec<(&ResourceFacts, ResourceOverrides)> = chosen
        .iter()
        .map(|at| &facts.resources[*at])
        .map(|resource| (resource, wishes(&resource.name)))
        .collect();

    // Names first: parents are named by their children.
    let idents = given::idents(api, &facts, options, &mut plan.ledger);

    let chosen: Vec<&ResourceFacts> = facts.iter().map(|(resource, _)| *resource).collect();
    let features = features::of(api, &chosen);
    let mut structs = Structs::new(api, &options.ledger);
    let records: Vec<Option<String>> = facts
        .iter()
        .zip(&idents)
        .map(|((resource, _), (name, _))| {
            let fallback = names::pascal(&names::singular(name), "Record");
            structs.record(resource.record?, &fallback)
        })
        .collect();
    // A record that several resources have stands with the one that is nearest to the root.
    let depth = |at: &usize| {
        let resource = facts[*at].0;
        let path = &api.operations[resource.operation].path;
        (resource.parent.value.is_some(), path.matches('/').count())
    };
    let mut nearest: Vec<usize> = (0..facts.len()).collect();
    nearest.sort_by_key(depth);
    for at in nearest.into_iter().rev() {
        if let Some(name) = &records[at] {
            structs.own(name, at);
        }
    }

    for (at, (found, wish)) in facts.iter().enumerate() {
        let operation = &api.operations[found.operation];
        let (name, ident) = idents[at].clone();
        let record = records[at].clone();
        let field = |path: &str| field_ref(&structs, record.as_deref(), path);
        let parent = sure_parent(found).and_then(|parent| {
            let index = facts
                .iter()
                .position(|(resource, _)| resource.name == parent.resource)?;
            link(&structs, parent, &idents[index].0, records[index].clone())
        });
        let key = found.primary_key.value.clone();
        let paginator = paginator(&found.paginator, &key);
        let mut resource = Resource {
            name,
            ident,
            feature: features[at].clone(),
            doc: text::or(
                text::sentence(&operation.summary),
                &text::sentence(&operation.description),
            )
            .trim_end_matches('.')
            .to_owned(),
            post: operation.method == "post",
            single: found.kind == ResourceKind::Single,
            format: operation
                .response
                .as_ref()
                .and_then(Response::format)
                .unwrap_or_default(),
            path: operation.path.clone(),
            parameters: Vec::new(),
            records: path::write(&found.records_path.value),
            within_parent: parent.is_some() && !key.is_empty() && found.key_within_parent,
            key: key.iter().map(|path| field(path)).collect(),
            paginator,
            cursor: found
                .cursor
                .value
                .as_ref()
                .and_then(|cursor| self::cursor(cursor, field(&cursor.field), wish)),
            contract: wish
                .contract
                .map(|wish| contract(wish, options.overrides.contract)),
            auth: found.auth.as_ref().map(|own| {
                let place = (base_url, plan.source.as_str());
                settings::own_credentials(api, own, place, &mut plan.settings)
            }),
            deletes: wish.deletes,
            // Where nothing is done about it, it is a field like any other.
            tombstone: (wish.tombstone.is_some()
                || wish.deletes.is_some_and(|deletes| deletes != Deletes::Keep))
            .then(|| tombstone(&structs, record.as_deref(), wish.tombstone.as_deref()))
            .flatten(),
            embedded: Vec::new(),
            on_status: wish
                .on_status
                .iter()
                .map(|(status, rule)| (status.0, *rule))
                .collect(),
            parent,
            record: record.clone(),
            structs: Vec::new(),
            doubts: found
                .doubts
                .iter()
                .map(|doubt| (doubt.question.clone(), doubt.settle.clone()))
                .collect(),
            examples: samples::examples(operation, &found.records_path.value),
            exchange: None,
        };
        let usable = |cursor: &CursorFacts| {
            found.cursor.confidence >= SURE && takes(&structs, record.as_deref(), cursor)
        };
        if !found.cursor.value.as_ref().is_some_and(usable) {
            resource.cursor = None;
        }
        resource.embedded = embedded::embedded(api, &structs, &resource, wish.embedded.as_deref());
        let required = left_open(operation, found, &resource);
        resource.parameters = parameters(found, &resource, required, plan);
        plan.resources.push(resource);
    }
    settings::mark_required(plan);
    for (resource, record) in plan.resources.iter_mut().zip(&records) {
        let record = record.as_deref().and_then(|name| structs.get(name));
        resource.exchange = samples::exchange(resource, record, &plan.settings);
    }
    plan.ledger.extend(std::mem::take(&mut structs.given));
    let mut placed = structs.place(&records, &features);
    for (resource, own) in plan.resources.iter_mut().zip(&mut placed.own) {
        resource.structs = std::mem::take(own);
    }
    plan.types = placed.shared;
    plan.type_features = placed.shared_features;
    plan.features = features::all(&plan.resources);
}

/// The parent, if it is sure enough to act upon; else its parameters are settings.
fn sure_parent(found: &ResourceFacts) -> Option<&ParentFacts> {
    let parent = found.parent.value.as_ref();
    parent.filter(|_| found.parent.confidence >= SURE)
}

/// How a resource is read incrementally, as it is inferred and wished for.
fn cursor(found: &CursorFacts, field: FieldRef, wish: &ResourceOverrides) -> Option<Cursor> {
    let table = match &wish.incremental {
        Some(Incremental::Table(table)) => Some(table),
        _ => None,
    };
    // Without a parameter it is an owner's word that the list must be read anyway.
    if found.param.is_none() && table.is_none() {
        return None;
    }
    let exclusive = table.and_then(|table| table.exclusive);
    Some(Cursor {
        field,
        updated: found.meaning == CursorMeaning::Updated,
        param: found.param.clone(),
        until: found.until_param.clone(),
        template: found.template.clone(),
        strict: exclusive.unwrap_or_else(|| found.is_strict()),
        new_rows_only: wish.new_rows_only,
        lookback: table.and_then(|table| table.lookback),
        order: table.and_then(|table| table.order),
        windows: table.and_then(|table| table.windows.clone()),
        most_rows: table.and_then(|table| table.most_rows),
    })
}

/// Required parameters that inference meant for a cursor which is not used: without them the API refuses.
fn left_open(
    operation: &Operation,
    found: &ResourceFacts,
    resource: &Resource,
) -> Vec<SettingFacts> {
    let Some(cursor) = &found.cursor.value else {
        return Vec::new();
    };
    let used = resource
        .cursor
        .iter()
        .flat_map(|cursor| [&cursor.param, &cursor.until]);
    let used: Vec<&String> = used.flatten().collect();
    let meant = [&cursor.param, &cursor.until_param];
    let open = operation.parameters.iter().filter(|parameter| {
        let is_meant = meant
            .iter()
            .any(|name| name.as_ref() == Some(&parameter.name));
        parameter.required && is_meant && !used.contains(&&parameter.name)
    });
    open.map(|parameter| SettingFacts {
        parameter: parameter.name.clone(),
        location: parameter.location,
        description: parameter.description.clone(),
        default: None,
    })
    .collect()
}

/// What the settings and fixed values fill.
fn parameters(
    found: &ResourceFacts,
    resource: &Resource,
    required: Vec<SettingFacts>,
    plan: &mut Plan,
) -> Vec<Parameter> {
    let place = |location: Location| match location {
        Location::Path => Some(ParameterPlace::Path),
        Location::Query => Some(ParameterPlace::Query),
        Location::Header => Some(ParameterPlace::Header),
        Location::Cookie => None,
    };
    let linked = |name: &str| {
        let parent = resource.parent.as_ref();
        parent.is_some_and(|parent| {
            parent.links.iter().any(|link| link.parameter == name)
                || parent.inherited.iter().any(|(child, _)| child == name)
        })
    };
    let mut out = Vec::new();
    let mut from_settings: Vec<(String, Location, String, Option<String>)> = found
        .settings
        .iter()
        .chain(&required)
        .map(|s| {
            (
                s.parameter.clone(),
                s.location,
                s.description.clone(),
                s.default.clone(),
            )
        })
        .collect();
    // A parent that could not be linked leaves its parameters open.
    for link in found.parent.value.iter().flat_map(|parent| &parent.links) {
        from_settings.push((link.param.clone(), link.location, String::new(), None));
    }
    for name in placeholders(&resource.path) {
        from_settings.push((name.to_owned(), Location::Path, String::new(), None));
    }
    for (name, location, description, default) in from_settings {
        let known = out.iter().any(|known: &Parameter| known.name == name);
        let fixed = found.fixed.iter().any(|fixed| fixed.name == name);
        let Some(place) = place(location).filter(|_| !linked(&name) && !known && !fixed) else {
            continue;
        };
        let ident = settings::parameter(plan, &name, &description, default);
        out.push(Parameter {
            place,
            name,
            value: ParameterValue::Setting(ident),
        });
    }
    for fixed in &found.fixed {
        if let Some(place) = place(fixed.location) {
            out.push(Parameter {
                place,
                name: fixed.name.clone(),
                value: ParameterValue::Fixed(fixed.value.clone()),
            });
        }
    }
    out.sort_by_key(|parameter| parameter.place as u8);
    out
}

fn paginator(decision: &Decision<PaginatorFacts>, key: &[String]) -> Paginator {
    let found = &decision.value;
    let param = found.page_param.clone();
    let next = found.next_path.clone();
    let undecided = decision.confidence < SURE;
    let kind = match (found.kind, param, next) {
        _ if undecided => PaginatorKind::Undecided,
        (Found::None, ..) => PaginatorKind::Single,
        (Found::LinkHeader, ..) => PaginatorKind::LinkHeader,
        (Found::CursorLastId, Some(param), next) => {
            let field = next
                .as_deref()
                .and_then(|path| path.strip_prefix("last_record."));
            let field = field.filter(|field| key.last().is_none_or(|key| key != field));
            PaginatorKind::LastId(param, field.map(str::to_owned))
        }
        (Found::PageNumber, Some(param), _) => PaginatorKind::PageNumber(param, found.first_page),
        (Found::Offset, Some(param), _) => PaginatorKind::Offset(param, found.first_page),
        (Found::CursorParam | Found::TokenInBodyPost, Some(param), Some(next)) => {
            match next.strip_prefix("header:") {
                Some(header) => PaginatorKind::HeaderCursor(param, header.to_owned()),
                None => PaginatorKind::Cursor(param, next),
            }
        }
        (Found::NextUrl, _, Some(next)) => PaginatorKind::NextUrl(next),
        _ => PaginatorKind::Undecided,
    };
    let paged = !matches!(kind, PaginatorKind::Single | PaginatorKind::Undecided);
    // OData's `$top` limits the whole list, not a page: asked for, the rest would be missing.
    let size = found
        .size_param
        .clone()
        .filter(|param| paged && param != "$top");
    Paginator {
        more: found.more_path.clone().filter(|_| paged),
        total: found
            .total_path
            .clone()
            .filter(|_| paged)
            .map(|path| (path, found.total_is_pages)),
        page_size: size.map(|param| (param, found.max_page_size.unwrap_or(PAGE_SIZE).min(1000))),
        in_body: paged && found.in_body,
        kind,
    }
}
