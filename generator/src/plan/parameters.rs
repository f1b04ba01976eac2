//! Parameters that settings or fixed values fill, and the names of their settings.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::body;
use super::names::{self, Ledger, Names};
use super::{
    Auth, BodyType, Parameter, ParameterPlace, ParameterValue, Plan, Resource, Setting, text,
};
use crate::infer::facts::{ResourceFacts, SettingFacts};
use crate::spec::api::{Api, Location, Operation, SchemaId, SchemaKind};
use crate::spec::placeholders;

/// The entry that marks a ledger with names of settings. Older crates do not have it.
const MARK: &str = "setting base_url";
/// The most resources that the documentation of a setting lists.
const LISTED: usize = 3;

/// Names that are ambiguous without the resource that they belong to.
const GENERIC: [&str; 58] = [
    "begin",
    "code",
    "category",
    "content",
    "data",
    "date",
    "day",
    "end",
    "entity",
    "field",
    "fields",
    "filter",
    "filters",
    "format",
    "from",
    "group",
    "guid",
    "id",
    "ids",
    "include",
    "index",
    "item",
    "key",
    "keys",
    "kind",
    "level",
    "mode",
    "month",
    "name",
    "names",
    "no",
    "number",
    "object",
    "order",
    "path",
    "period",
    "q",
    "query",
    "record",
    "ref",
    "resource",
    "resources",
    "scope",
    "search",
    "since",
    "slug",
    "sort",
    "source",
    "start",
    "state",
    "status",
    "target",
    "term",
    "to",
    "type",
    "types",
    "until",
    "uuid",
];

/// A parameter of a resource's requests that a setting fills.
pub struct Asked {
    /// The index of the resource.
    resource: usize,
    place: ParameterPlace,
    name: String,
    description: String,
    default: Option<String>,
    /// The values that the document lists, and the default.
    values: Vec<String>,
    /// Whether its value is a secret.
    secret: bool,
    /// The parameter's ledger entry.
    entry: String,
    /// Whether the ledger knows the resource.
    is_known: bool,
}

/// Returns the parameters of a resource. Those from settings are returned apart, as their names
/// depend on all resources.
pub fn of(
    api: &Api,
    found: &ResourceFacts,
    (number, resource): (usize, &Resource),
    ledger: &Ledger,
) -> (Vec<Asked>, Vec<Parameter>) {
    let operation = &api.operations[found.operation];
    let required = left_open(operation, found, resource);
    let linked = |name: &str| {
        let parent = resource.parent.as_ref();
        parent.is_some_and(|parent| {
            parent.links.iter().any(|link| link.parameter == name)
                || parent.inherited.iter().any(|(child, _)| child == name)
        })
    };
    let open = |name: &str, location| SettingFacts {
        parameter: name.to_owned(),
        location,
        description: String::new(),
        default: None,
    };
    // A parent that could not be linked leaves its parameters open.
    let links = found.parent.value.iter().flat_map(|parent| &parent.links);
    let links = links.map(|link| open(&link.param, link.location));
    let path = placeholders(&resource.path).map(|name| open(name, Location::Path));
    let settings = found.settings.iter().chain(&required).cloned();
    let mut asked: Vec<Asked> = Vec::new();
    for setting in settings.chain(links).chain(path) {
        let name = setting.parameter;
        let schema = body::schema(api, operation, (&name, setting.location));
        let Some(place) = place(api, schema, setting.location) else {
            continue;
        };
        // A field of the body may have the name of another parameter.
        let is_field = |location| location == Location::Body;
        let in_body = is_field(setting.location);
        let mut fixed = found.fixed.iter();
        let is_fixed = fixed.any(|fixed| fixed.name == name && is_field(fixed.location) == in_body);
        let is_known = asked.iter().any(|known| {
            known.name == name && matches!(known.place, ParameterPlace::Body(_)) == in_body
        });
        if is_fixed || is_known || (linked(&name) && !in_body) {
            continue;
        }
        let mut values = schema.map_or_else(Vec::new, |schema| values(api, schema));
        values.extend(setting.default.iter().map(|it| format!("= {it}")));
        asked.push(Asked {
            resource: number,
            place,
            description: setting.description,
            default: setting.default,
            values,
            secret: place != ParameterPlace::Path && is_secret(api, schema, &name),
            entry: format!("setting {} {} {name}", operation.pointer, word(place)),
            is_known: ledger.contains_key(&super::resource_key(&operation.pointer)),
            name,
        });
    }
    let fixed = found.fixed.iter().filter_map(|fixed| {
        let in_body = fixed.location == Location::Body;
        Some(Parameter {
            place: match in_body {
                true => ParameterPlace::Body(BodyType::of(&fixed.value)),
                false => place(api, None, fixed.location)?,
            },
            name: fixed.name.clone(),
            value: match &fixed.value {
                Value::String(text) if !in_body => ParameterValue::Fixed(text.clone()),
                value => ParameterValue::Json(value.clone()),
            },
        })
    });
    (asked, fixed.collect())
}

fn place(api: &Api, schema: Option<SchemaId>, location: Location) -> Option<ParameterPlace> {
    match location {
        Location::Body => Some(ParameterPlace::Body(BodyType::of_schema(api, schema))),
        Location::Path => Some(ParameterPlace::Path),
        Location::Query => Some(ParameterPlace::Query),
        Location::Header => Some(ParameterPlace::Header),
        Location::Cookie => None,
    }
}

/// Returns the position of a parameter in a declaration.
fn rank(place: ParameterPlace) -> u8 {
    match place {
        ParameterPlace::Path => 0,
        ParameterPlace::Query => 1,
        ParameterPlace::Header => 2,
        ParameterPlace::Body(_) => 3,
    }
}

fn word(place: ParameterPlace) -> &'static str {
    match place {
        ParameterPlace::Path => "path",
        ParameterPlace::Query => "query",
        ParameterPlace::Header => "header",
        ParameterPlace::Body(_) => "body",
    }
}

fn values(api: &Api, schema: SchemaId) -> Vec<String> {
    match &api.schemas[schema].kind {
        SchemaKind::String { values, .. } => values.clone(),
        _ => Vec::new(),
    }
}

/// Returns whether a parameter takes a secret, by its name or its format.
fn is_secret(api: &Api, schema: Option<SchemaId>, name: &str) -> bool {
    let kind = schema.map(|schema| &api.schemas[schema].kind);
    let format = matches!(kind, Some(SchemaKind::String { format: Some(format), .. }) if format == "password");
    let name = names::field(name);
    let last = name.rsplit('_').next().unwrap_or_default();
    let secrets = ["password", "passwd", "passphrase", "secret", "token"];
    format || secrets.contains(&last) || name.ends_with("api_key") || name.ends_with("secret_key")
}

/// Returns required parameters of a cursor that is not used. The API refuses requests without them.
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
    let meant = [&cursor.param, &cursor.until];
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

/// Names the settings of all parameters, and adds each parameter to its resource.
pub fn fill(plan: &mut Plan, asked: Vec<Asked>, ledger: &Ledger) {
    let idents = name(plan, &asked, ledger);
    plan.ledger.insert(MARK.to_owned(), "base_url".to_owned());
    for (asked, ident) in asked.into_iter().zip(&idents) {
        plan.ledger.insert(asked.entry, ident.clone());
        plan.resources[asked.resource].parameters.push(Parameter {
            place: asked.place,
            name: asked.name.clone(),
            value: ParameterValue::Setting(ident.clone()),
        });
        if plan.settings.iter().all(|known| known.ident != *ident) {
            plan.settings.push(Setting {
                ident: ident.clone(),
                doc: text::or(
                    text::sentence(&asked.description),
                    &match asked.place {
                        ParameterPlace::Body(_) => {
                            format!("The field `{}` of the body.", text::plain(&asked.name))
                        }
                        _ => format!("The parameter `{}`.", text::plain(&asked.name)),
                    },
                ),
                secret: asked.secret && asked.default.is_none(),
                optional: true,
                default: asked.default,
            });
        }
    }
    for resource in &mut plan.resources {
        let is_setting = |it: &Parameter| matches!(it.value, ParameterValue::Setting(_));
        resource
            .parameters
            .sort_by_key(|it| (rank(it.place), !is_setting(it)));
    }
}

/// Returns the setting of each parameter. Known settings keep their names. Parameters share a
/// setting if they mean the same.
fn name(plan: &Plan, asked: &[Asked], ledger: &Ledger) -> Vec<String> {
    let hidden = |ident: &str| {
        let mut settings = plan.settings.iter();
        settings.any(|it| it.ident == ident && (it.secret || it.ident == "base_url"))
    };
    let is_old = !ledger.is_empty() && !ledger.contains_key(MARK);
    let meanings = meanings(plan, asked);
    let mut given: HashMap<&Meaning, String> = HashMap::new();
    let mut taken = Names::default();
    for setting in &plan.settings {
        taken.take(&setting.ident);
    }
    let mut idents = vec![String::new(); asked.len()];
    let plain = |asked: &Asked| names::field(&asked.name);
    // Existing settings come first, so that new ones do not rename them.
    for (at, one) in asked.iter().enumerate() {
        let known = match ledger.get(&one.entry) {
            Some(name) => name.clone(),
            // An older crate names its settings after their parameters alone.
            None if is_old && one.is_known => match plain(one) {
                ident if hidden(&ident) => format!("{ident}_parameter"),
                ident => ident,
            },
            None => continue,
        };
        taken.take(&known);
        given.entry(&meanings[at]).or_insert_with(|| known.clone());
        idents[at] = known;
    }
    for at in 0..asked.len() {
        if !idents[at].is_empty() {
            continue;
        }
        idents[at] = match given.get(&meanings[at]) {
            Some(ident) => ident.clone(),
            None => {
                let ident = taken.give(&candidates(plan, &asked[at], &meanings[at]));
                given.insert(&meanings[at], ident.clone());
                ident
            }
        };
    }
    idents
}

/// The meaning of a parameter. Parameters of the same meaning share a setting.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Meaning {
    /// The name as a field of `Config`.
    name: String,
    about: About,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum About {
    /// The name is clear, or all resources have the parameter.
    Plain,
    /// Items of the collection at this path, such as `/v1/accounts`.
    Collection(String),
    /// One of these values. Other parameters of the same name may take others.
    Values(Vec<String>),
    /// Only the resource at this index.
    Resource(usize),
}

fn meanings(plan: &Plan, asked: &[Asked]) -> Vec<Meaning> {
    let mut users: HashMap<(&str, &str), BTreeSet<usize>> = HashMap::new();
    for one in asked {
        let users = users.entry((word(one.place), &one.name)).or_default();
        users.insert(one.resource);
    }
    let about = |one: &Asked| {
        let users = users.get(&(word(one.place), one.name.as_str()));
        let everywhere = users.is_some_and(|users| users.len() == plan.resources.len());
        let name = names::field(&one.name);
        let is_generic = GENERIC.contains(&name.as_str());
        match one.place {
            ParameterPlace::Path => {
                let path = &plan.resources[one.resource].path;
                let before = path.split(&format!("{{{}}}", one.name)).next();
                let before = before.unwrap_or_default().trim_end_matches('/');
                let named = collection(before).is_some_and(|noun| begins_with(&name, &noun));
                match is_generic || (named && !before.contains('{')) {
                    true => About::Collection(before.to_owned()),
                    false => About::Plain,
                }
            }
            _ if is_generic && !everywhere => About::Resource(one.resource),
            _ if one.values.is_empty() => About::Plain,
            _ => About::Values(one.values.clone()),
        }
    };
    let mut meanings: Vec<Meaning> = asked
        .iter()
        .map(|one| Meaning {
            name: names::field(&one.name),
            about: about(one),
        })
        .collect();
    // If only one collection or list of values has that name, a plain parameter means it, too.
    for at in 0..meanings.len() {
        if meanings[at].about != About::Plain {
            continue;
        }
        let others: Vec<About> = meanings
            .iter()
            .filter(|other| other.name == meanings[at].name && other.about != About::Plain)
            .map(|other| other.about.clone())
            .collect();
        if let [first, rest @ ..] = others.as_slice()
            && rest.iter().all(|other| other == first)
        {
            meanings[at].about = first.clone();
        }
    }
    meanings
}

/// Returns whether a name begins with these words.
fn begins_with(name: &str, words: &str) -> bool {
    let rest = name.strip_prefix(words);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Returns `account` for `/v1/accounts`; `None` if the path ends with a parameter or is empty.
fn collection(path: &str) -> Option<String> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_literal = !last.is_empty() && !last.contains(['{', '}']);
    is_literal.then(|| names::singular(&names::snake(last, "item")))
}

/// Returns names for the setting of a parameter, the best first.
fn candidates(plan: &Plan, asked: &Asked, meaning: &Meaning) -> Vec<String> {
    let plain = &meaning.name;
    let resource = &plan.resources[asked.resource];
    let joined = |owner: &str| match begins_with(plain, owner) {
        true => plain.clone(),
        false => format!("{}_{plain}", owner.trim_matches('_')),
    };
    let of_resource = joined(&names::singular(&resource.name));
    let is_generic = GENERIC.contains(&plain.as_str());
    let mut candidates = Vec::new();
    if !is_generic || meaning.about == About::Plain {
        candidates.push(plain.clone());
    }
    if let About::Collection(path) = &meaning.about {
        candidates.extend(collection(path).map(|noun| joined(&noun)));
        // For example `financial_connections_account`, if `account` is another collection.
        let literal = path
            .split('/')
            .filter(|it| !it.contains('{') && !is_version(it));
        let words: Vec<String> = literal.map(|it| names::snake(it, "")).collect();
        if let [.., above, last] = words.as_slice() {
            candidates.push(match is_generic {
                true => format!("{above}_{}_{plain}", names::singular(last)),
                false => format!("{above}_{plain}"),
            });
        }
    }
    candidates.push(of_resource);
    candidates.push(format!("{}_{plain}", resource.ident));
    candidates
}

/// Returns whether a segment is a version (`v1`, `2.0`), `api`, `rest` or empty.
fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix(['v', 'V']).unwrap_or(segment);
    segment.is_empty()
        || number.starts_with(|c: char| c.is_ascii_digit())
        || ["api", "rest"].contains(&segment)
}

/// Adds to the documentation of each optional setting which resources need it.
pub fn say_what_for(plan: &mut Plan) {
    for setting in &mut plan.settings {
        if !setting.optional && setting.default.is_none() {
            continue;
        }
        let users = plan.resources.iter();
        let users = users.filter(|it| wants(it, &setting.ident));
        let users: Vec<String> = users.map(|it| format!("`{}`", it.name)).collect();
        if users.is_empty() || users.len() == plan.resources.len() {
            continue;
        }
        let (listed, more) = users.split_at(users.len().min(LISTED));
        let listed = match (listed, more) {
            ([one], _) => one.clone(),
            ([before @ .., last], []) => format!("{} and {last}", before.join(", ")),
            (listed, _) => format!("{} and others", listed.join(", ")),
        };
        let end = if setting.doc.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        setting.doc = format!("{}{end} For {listed}.", setting.doc);
    }
}

/// Returns whether the requests of a resource itself need a setting.
fn wants(resource: &Resource, setting: &str) -> bool {
    let mut parameters = resource.parameters.iter();
    let own = resource.auth.iter().flat_map(Auth::settings);
    parameters.any(|it| matches!(&it.value, ParameterValue::Setting(name) if name == setting))
        || own.into_iter().any(|name| name == setting)
}

impl Auth {
    /// Returns the settings that hold the credentials.
    pub fn settings(&self) -> Vec<&str> {
        match self {
            Auth::None => Vec::new(),
            Auth::Bearer(token) => vec![token],
            Auth::Basic(user, password) => vec![user, password],
            Auth::Keys(keys) => keys.iter().map(|key| key.setting.as_str()).collect(),
            Auth::OAuth2 {
                client_id,
                client_secret,
                ..
            } => vec![client_id, client_secret],
            Auth::Password {
                username, password, ..
            }
            | Auth::Login {
                username, password, ..
            } => vec![username, password],
            Auth::Either(parts) => parts.iter().flat_map(Auth::settings).collect(),
            Auth::Refresh {
                client_id,
                client_secret,
                refresh_token,
                file,
                ..
            } => vec![refresh_token, client_id, client_secret, file],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(begins_with("account_id", "account"));
        assert!(begins_with("account", "account"));
        assert!(!begins_with("content", "con"));
    }
}
