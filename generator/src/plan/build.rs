//! From what an API means to what will be generated.

use super::names::{self, Ledger, Names};
use super::overrides::{
    AuthKind, Incremental, Overrides, Paginate, PaginateTable, ParentOverride, ResourceOverrides,
};
use super::records::Structs;
use super::select::select;
use super::*;
use crate::diagnostics::Diagnostic;
use crate::infer::facts::{
    AuthFacts, CursorFacts, CursorFormat, CursorMeaning, Decision, Facts, KeyFacts, PaginatorFacts,
    PaginatorKind as Found, ParentFacts, ResourceFacts, ResourceKind, SURE,
};
use crate::spec::api::{Api, Location, SecurityScheme};

/// The page size asked for where the document names no largest one.
const PAGE_SIZE: u64 = 100;

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

/// Decides what will be generated.
pub fn plan(api: &Api, facts: &Facts, options: &Options) -> Result<Plan, Box<Diagnostic>> {
    let mut facts = facts.clone();
    override_facts(&mut facts, &options.overrides);
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

    let source = source_name(api, options);
    let mut plan = Plan {
        crate_name: format!("{}-connector", source.replace('_', "-")),
        prefix: source.to_uppercase().trim_start_matches('_').to_owned(),
        title: text::plain(&api.title),
        description: text::sentence(&api.description),
        auth: Auth::None,
        settings: Vec::new(),
        resources: Vec::new(),
        types: Vec::new(),
        ledger: Ledger::new(),
        source,
    };
    let auth = options
        .overrides
        .auth
        .map_or(facts.auth.value.clone(), |kind| match kind {
            AuthKind::None => AuthFacts::None,
            AuthKind::Bearer => AuthFacts::Bearer,
            AuthKind::Basic => AuthFacts::Basic,
        });
    plan.auth = credentials(api, &auth, &mut plan.settings);
    let base_url = options
        .overrides
        .base_url
        .as_ref()
        .unwrap_or(&facts.base_url);
    plan.settings.push(base_url_setting(base_url));
    resources(api, &facts, &chosen, options, &mut plan);
    Ok(plan)
}

/// Applies what the owner says of an API's meaning.
fn override_facts(facts: &mut Facts, overrides: &Overrides) {
    for resource in &mut facts.resources {
        let Some(wish) = overrides.resources.get(&resource.name) else {
            continue;
        };
        if let Some(records) = &wish.records {
            let path = records.trim_start_matches('$').split('.');
            resource.records_path = sure(
                path.filter(|key| !key.is_empty())
                    .map(str::to_owned)
                    .collect(),
            );
        }
        if let Some(key) = &wish.primary_key {
            resource.primary_key = sure(key.clone());
        }
        if let Some(paginate) = &wish.paginate {
            resource.paginator = sure(paginator_facts(paginate));
        }
        match &wish.incremental {
            Some(Incremental::Switch(false)) => resource.cursor = sure(None),
            Some(Incremental::Table(table)) => {
                let found = resource.cursor.value.take();
                let meaning = match table.updated {
                    Some(true) => CursorMeaning::Updated,
                    Some(false) => CursorMeaning::Created,
                    None => match found {
                        Some(found) if found.field == table.field => found.meaning,
                        _ if table.field.contains("creat") => CursorMeaning::Created,
                        _ => CursorMeaning::Updated,
                    },
                };
                resource.cursor = sure(Some(CursorFacts {
                    param: table.param.clone(),
                    until_param: table.until.clone(),
                    field: table.field.clone(),
                    meaning,
                    format: CursorFormat::AsIs,
                    template: None,
                }));
            }
            _ => {}
        }
        match &wish.parent {
            Some(ParentOverride::Switch(false)) => resource.parent = sure(None),
            Some(ParentOverride::Name(_)) => resource.parent.confidence = 1.0,
            _ => {}
        }
        for (name, value) in &wish.query {
            resource.fixed.retain(|fixed| fixed.name != *name);
            resource.fixed.push(crate::infer::facts::FixedParameter {
                name: name.clone(),
                location: Location::Query,
                value: value.clone(),
                reason: "etlgen.toml".to_owned(),
            });
        }
        let settled = |line: &str| {
            let key = line.split([' ', '=']).next().unwrap_or_default();
            match key {
                "records" => wish.records.is_some(),
                "primary_key" => wish.primary_key.is_some(),
                "paginate" => wish.paginate.is_some(),
                "incremental" => wish.incremental.is_some(),
                "parent" => wish.parent.is_some(),
                _ => false,
            }
        };
        resource.doubts.retain(|doubt| !settled(&doubt.settle));
    }
}

fn sure<T>(value: T) -> Decision<T> {
    Decision {
        value,
        confidence: 1.0,
        reasons: vec!["etlgen.toml says so".to_owned()],
    }
}

fn paginator_facts(paginate: &Paginate) -> PaginatorFacts {
    let table = match paginate {
        Paginate::Word(kind) => PaginateTable {
            kind: kind.clone(),
            ..PaginateTable::default()
        },
        Paginate::Table(table) => table.clone(),
    };
    let kind = match table.kind.as_str() {
        "cursor_param" => Found::CursorParam,
        "cursor_last_id" => Found::CursorLastId,
        "page_number" => Found::PageNumber,
        "offset" => Found::Offset,
        "link_header" => Found::LinkHeader,
        "next_url" => Found::NextUrl,
        "token_in_body_post" => Found::TokenInBodyPost,
        "none" => Found::None,
        _ => Found::Undecided,
    };
    PaginatorFacts {
        kind,
        page_param: table.param,
        size_param: table.size,
        max_page_size: table.page_size,
        next_path: table.next,
        more_path: table.more,
        total_is_pages: table.pages.is_some(),
        total_path: table.pages.or(table.total),
        // Pages count from 1, rows from 0.
        first_page: table.first.unwrap_or(u64::from(kind != Found::Offset)),
    }
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

fn base_url_setting(base_url: &str) -> Setting {
    let usable = base_url.starts_with("http") && !base_url.contains('{');
    let doc = match (usable, base_url) {
        (true, _) | (false, "") => "Where the API answers.".to_owned(),
        (false, pattern) => format!("Where the API answers: `{}`.", text::plain(pattern)),
    };
    Setting {
        ident: "base_url".to_owned(),
        doc,
        secret: false,
        optional: false,
        default: usable.then(|| base_url.to_owned()),
    }
}

/// Settings for the credentials, and how they are sent.
fn credentials(api: &Api, facts: &AuthFacts, settings: &mut Vec<Setting>) -> Auth {
    let mut secret = |ident: &str, doc: &str, hidden: bool| {
        settings.push(Setting {
            ident: ident.to_owned(),
            doc: doc.to_owned(),
            secret: hidden,
            optional: false,
            default: None,
        });
        ident.to_owned()
    };
    match facts {
        AuthFacts::None => Auth::None,
        AuthFacts::Bearer => {
            let scheme = api
                .security_schemes
                .iter()
                .find_map(|(name, scheme)| match scheme {
                    SecurityScheme::Bearer { description } => Some((name, description)),
                    _ => None,
                });
            let (name, description) =
                scheme.map_or(("", ""), |(name, text)| (name.as_str(), text.as_str()));
            let token = name.to_lowercase().contains("token");
            let ident = if token { "token" } else { "api_key" };
            let plain = if token { "The token." } else { "The API key." };
            Auth::Bearer(secret(ident, &or(text::sentence(description), plain), true))
        }
        AuthFacts::Basic => {
            let user = secret(
                "username",
                "The user's name, or the key that stands for it.",
                false,
            );
            let password = secret("password", "The password; some APIs want none.", true);
            Auth::Basic(user, password)
        }
        AuthFacts::Keys(keys) => Auth::Keys(
            keys.iter()
                .map(|key| one_key(api, key, keys.len(), &mut secret))
                .collect(),
        ),
        AuthFacts::OAuth2 {
            flow,
            token_url,
            scopes,
        } if flow == "clientCredentials" => Auth::OAuth2 {
            token_url: token_url.clone(),
            client_id: secret("client_id", "The id of the OAuth client.", false),
            client_secret: secret("client_secret", "The secret of the OAuth client.", true),
            scopes: scopes.clone(),
        },
        AuthFacts::OAuth2 { .. } => {
            Auth::Bearer(secret("access_token", "An OAuth access token.", true))
        }
    }
}

fn one_key(
    api: &Api,
    facts: &KeyFacts,
    count: usize,
    secret: &mut dyn FnMut(&str, &str, bool) -> String,
) -> Key {
    let description = api
        .security_schemes
        .values()
        .find_map(|scheme| match scheme {
            SecurityScheme::ApiKey {
                name, description, ..
            } if *name == facts.name => Some(description.as_str()),
            _ => None,
        });
    let ident = match count {
        1 => "api_key".to_owned(),
        _ => names::field(facts.name.trim_start_matches("X-").trim_start_matches("x-")),
    };
    let doc = or(
        text::sentence(description.unwrap_or_default()),
        "The API key.",
    );
    Key {
        place: match facts.location {
            Location::Query => KeyPlace::Query,
            Location::Cookie => KeyPlace::Cookie,
            Location::Header | Location::Path => KeyPlace::Header,
        },
        name: facts.name.clone(),
        prefix: facts.prefix.clone(),
        setting: secret(&ident, &doc, true),
    }
}

fn or(text: String, other: &str) -> String {
    if text.is_empty() {
        other.to_owned()
    } else {
        text
    }
}

fn resources(api: &Api, facts: &Facts, chosen: &[usize], options: &Options, plan: &mut Plan) {
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
    let mut modules = Names::default();
    let mut idents: Vec<(String, String)> = Vec::new();
    for (resource, wish) in &facts {
        let what = format!("resource {}", api.operations[resource.operation].pointer);
        let name = match (&wish.name, options.ledger.get(&what)) {
            (Some(name), _) => names::snake(name, "resource"),
            (None, Some(name)) => name.clone(),
            (None, None) => names::snake(&resource.name, "resource"),
        };
        let ident = modules.give(&[names::module(&name)]);
        plan.ledger.insert(what, name.clone());
        idents.push((name, ident));
    }

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
        let path = found.records_path.value.join(".");
        let field = |path: &str| field_ref(&structs, record.as_deref(), path);
        let parent = found.parent.value.as_ref().and_then(|parent| {
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
            doc: or(
                text::sentence(&operation.summary),
                &text::sentence(&operation.description),
            )
            .trim_end_matches('.')
            .to_owned(),
            post: operation.method == "post",
            single: found.kind == ResourceKind::Single,
            path: operation.path.clone(),
            parameters: Vec::new(),
            records: path,
            within_parent: parent.is_some() && !key.is_empty() && found.key_within_parent,
            key: key.iter().map(|path| field(path)).collect(),
            paginator,
            // Without a parameter it would change nothing.
            cursor: found
                .cursor
                .value
                .as_ref()
                .filter(|cursor| cursor.param.is_some())
                .map(|cursor| Cursor {
                    field: field(&cursor.field),
                    updated: cursor.meaning == CursorMeaning::Updated,
                    param: cursor.param.clone(),
                    until: cursor.until_param.clone(),
                    new_rows_only: wish.new_rows_only,
                }),
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
            found.cursor.confidence >= SURE
                && cursor.template.is_none()
                && takes(&structs, record.as_deref(), cursor)
        };
        if !found.cursor.value.as_ref().is_some_and(usable) {
            resource.cursor = None;
        }
        resource.parameters = parameters(found, &resource, plan);
        plan.resources.push(resource);
    }
    required_settings(plan);
    for (resource, record) in plan.resources.iter_mut().zip(&records) {
        let record = record.as_deref().and_then(|name| structs.get(name));
        resource.exchange = samples::exchange(resource, record, &plan.settings);
    }
    plan.ledger.extend(std::mem::take(&mut structs.given));
    let mut placed = structs.place(&records);
    for (resource, own) in plan.resources.iter_mut().zip(&mut placed.own) {
        resource.structs = std::mem::take(own);
    }
    plan.types = placed.shared;
}

/// What the settings and fixed values fill.
fn parameters(found: &ResourceFacts, resource: &Resource, plan: &mut Plan) -> Vec<Parameter> {
    let place = |location: Location| match location {
        Location::Path => Some(ParameterPlace::Path),
        Location::Query => Some(ParameterPlace::Query),
        Location::Header => Some(ParameterPlace::Header),
        Location::Cookie => None,
    };
    let linked = |name: &str| {
        let parent = resource.parent.as_ref();
        parent.is_some_and(|parent| parent.links.iter().any(|link| link.parameter == name))
    };
    let mut out = Vec::new();
    let mut from_settings: Vec<(String, Location, String, Option<String>)> = found
        .settings
        .iter()
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
    for (name, location, description, default) in from_settings {
        let Some(place) = place(location).filter(|_| !linked(&name)) else {
            continue;
        };
        let ident = setting(plan, &name, &description, default);
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

/// The field of `Config` for a parameter; parameters of one name share it.
fn setting(plan: &mut Plan, name: &str, description: &str, default: Option<String>) -> String {
    let ident = names::field(name);
    let credential = |setting: &&Setting| setting.secret || setting.ident == "base_url";
    let ident = match plan.settings.iter().find(|setting| setting.ident == ident) {
        Some(taken) if credential(&taken) => format!("{ident}_parameter"),
        _ => ident,
    };
    if plan.settings.iter().all(|setting| setting.ident != ident) {
        plan.settings.push(Setting {
            doc: or(
                text::sentence(description),
                &format!("The parameter `{}`.", text::plain(name)),
            ),
            secret: false,
            optional: true,
            default,
            ident: ident.clone(),
        });
    }
    ident
}

/// A parameter that every resource needs, itself or through its parents, is required.
fn required_settings(plan: &mut Plan) {
    let needs = |resource: &Resource, ident: &str| {
        let wants =
            |parameter: &Parameter| parameter.value == ParameterValue::Setting(ident.to_owned());
        let mut at = Some(resource);
        for _ in 0..=plan.resources.len() {
            let Some(resource) = at else { return false };
            if resource.parameters.iter().any(wants) {
                return true;
            }
            let parent = resource.parent.as_ref().map(|parent| &parent.resource);
            at = parent.and_then(|name| plan.resources.iter().find(|r| r.name == *name));
        }
        false
    };
    let required: Vec<bool> = plan
        .settings
        .iter()
        .map(|setting| {
            plan.resources
                .iter()
                .all(|resource| needs(resource, &setting.ident))
        })
        .collect();
    for (setting, required) in plan.settings.iter_mut().zip(required) {
        if required || setting.default.is_some() {
            setting.optional = false;
        }
    }
}

/// Whether the parameter takes the field's values as the field writes them.
fn takes(structs: &Structs<'_>, record: Option<&str>, cursor: &CursorFacts) -> bool {
    let keys: Vec<&str> = cursor.field.split('.').collect();
    let ty = record.and_then(|record| type_at(structs, record, &keys));
    match (cursor.format, ty) {
        (_, None) | (CursorFormat::AsIs, _) => true,
        (CursorFormat::UnixSeconds, Some(ty)) => {
            matches!(ty, Type::UnixTime | Type::Int | Type::Float)
        }
        (CursorFormat::UnixMillis, Some(ty)) => {
            matches!(ty, Type::UnixMillis | Type::Int | Type::Float)
        }
        (CursorFormat::Rfc3339, Some(ty)) => matches!(ty, Type::Timestamp | Type::String),
        (CursorFormat::Date, Some(ty)) => matches!(ty, Type::Date | Type::String),
    }
}

fn type_at(structs: &Structs<'_>, record: &str, keys: &[&str]) -> Option<Type> {
    let (first, rest) = keys.split_first()?;
    let fields = &structs.get(record)?.fields;
    let ty = &fields.iter().find(|field| field.key == *first)?.ty;
    match (rest, ty) {
        ([], ty) => Some(ty.clone()),
        (rest, Type::Record(inner)) => type_at(structs, inner, rest),
        _ => None,
    }
}

/// A handle where the record's struct has the field and its values have an order, else the dotted path.
fn field_ref(structs: &Structs<'_>, record: Option<&str>, path: &str) -> FieldRef {
    let found = record.and_then(|record| {
        let field = structs
            .get(record)?
            .fields
            .iter()
            .find(|field| field.key == path)?;
        field.ty.is_ordered().then(|| FieldRef::Handle {
            record: record.to_owned(),
            constant: field.ident.to_uppercase(),
        })
    });
    found.unwrap_or_else(|| FieldRef::Path(path.to_owned()))
}

/// The closure's links; `None` if a field cannot be reached or cannot stand in a request.
fn link(
    structs: &Structs<'_>,
    facts: &ParentFacts,
    name: &str,
    record: Option<String>,
) -> Option<Parent> {
    let mut links = Vec::new();
    for found in &facts.links {
        let keys: Vec<&str> = found.field.split('.').collect();
        let (fields, copy) = match record.as_deref() {
            None => (keys.iter().map(|key| (*key).to_owned()).collect(), true),
            Some(record) => fields_to(structs, record, &keys)?,
        };
        links.push(Link {
            place: match found.location {
                Location::Path => ParameterPlace::Path,
                Location::Query => ParameterPlace::Query,
                Location::Header | Location::Cookie => return None,
            },
            parameter: found.param.clone(),
            fields,
            copy,
        });
    }
    (!links.is_empty()).then(|| Parent {
        inherited: facts.inherited.clone(),
        resource: name.to_owned(),
        variable: match names::field(&names::singular(name)).as_str() {
            "request" | "config" => "parent".to_owned(),
            variable => variable.to_owned(),
        },
        record,
        links,
    })
}

/// The Rust fields down to the value at these keys, and whether it can be copied.
fn fields_to(structs: &Structs<'_>, record: &str, keys: &[&str]) -> Option<(Vec<String>, bool)> {
    let mut record = structs.get(record)?;
    let mut fields = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let field = record.fields.iter().find(|field| field.key == *key)?;
        fields.push(field.ident.clone());
        if at + 1 == keys.len() {
            return field
                .ty
                .is_parameter()
                .then(|| (fields, field.ty != Type::String));
        }
        let Type::Record(inner) = &field.ty else {
            return None;
        };
        record = structs.get(inner)?;
    }
    None
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
    let size = found.size_param.clone().filter(|_| paged);
    Paginator {
        more: found.more_path.clone().filter(|_| paged),
        total: found
            .total_path
            .clone()
            .filter(|_| paged)
            .map(|path| (path, found.total_is_pages)),
        page_size: size.map(|param| (param, found.max_page_size.unwrap_or(PAGE_SIZE).min(1000))),
        in_body: paged && found.kind == Found::TokenInBodyPost,
        kind,
    }
}
