//! Turns the facts of an API into the plan of a crate.

use etlgen_model::{Deletes, LastId, Paginator};

use super::credentials::Naming;
use super::fields::{field_ref, link, takes, tombstone};
use super::names::{self, Ledger};
use super::records::Structs;
use super::*;
use crate::infer::body;
use crate::infer::facts::{
    CursorFacts, Decision, Facts, ParentFacts, ResourceFacts, ResourceKind, SURE,
};
use crate::infer::login::login;
use crate::infer::open_questions::unsupplied;
use crate::overrides::{Choices, Off, Overridden};
use crate::spec::api::{Api, Response};

/// The longest crate name that registries accept.
const LONGEST_NAME: usize = 64;

/// The options of a caller.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The source's earlier name; without one, its name is made from the document's title.
    pub name: Option<String>,
    /// Whether to plan every resource, including single objects, even if there is none.
    pub everything: bool,
    /// The names given earlier.
    pub ledger: Ledger,
    /// The name of a source whose document has no title.
    pub fallback_name: String,
}

/// The runtime dependency of a crate.
#[derive(Clone, Debug, PartialEq)]
pub struct Runtime {
    pub version: String,
    /// A folder, relative to the crate or absolute.
    pub path: Option<String>,
}

impl Runtime {
    /// Returns the runtime that an owner names: a version requirement, or a folder relative to the
    /// crate.
    pub fn named(text: &str) -> Self {
        let begins = |c: char| c.is_ascii_digit() || matches!(c, '=' | '^' | '~');
        match text.starts_with(begins) {
            true => Runtime {
                version: text.to_owned(),
                path: None,
            },
            false => Runtime {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                path: Some(text.to_owned()),
            },
        }
    }
}

/// Decides what will be generated.
pub fn plan(api: &Api, overridden: &Overridden, options: &Options) -> Plan {
    let mut facts = overridden.facts.clone();
    path::settle(api, &mut facts);
    let mut source = names::cut(source_name(api, overridden, options));
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
        contract: overridden.contract,
        headers: Vec::new(),
        pages: None,
        settings: Vec::new(),
        resources: Vec::new(),
        types: Vec::new(),
        type_features: BTreeMap::new(),
        features: Vec::new(),
        ledger: Ledger::new(),
        source,
    };
    let naming = Naming {
        schemes: &api.security_schemes,
        source: &plan.source,
        named: &str::to_owned,
    };
    plan.auth = naming.credentials(&facts.auth.value, &mut plan.settings);
    if let Some(login) = login(api) {
        credentials::name_login(&plan.auth, &login, &mut plan.settings);
    }
    plan.settings.push(settings::base_url(&facts.base_url));
    resources(api, (&facts, overridden), options, &mut plan);
    plan.headers = shared::headers(&plan.resources);
    plan.pages = shared::pages(&plan.resources);
    plan
}

/// Returns the title in a form that can follow `the`.
fn title(api: &Api) -> String {
    let title = text::plain(&api.title);
    let title = title.strip_prefix("The ").unwrap_or(&title);
    text::or(title.to_owned(), "API")
}

/// Returns the owner's name, the earlier one, or the title without generic words.
fn source_name(api: &Api, overridden: &Overridden, options: &Options) -> String {
    let given = overridden.name.as_ref().or(options.name.as_ref());
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
    // Takes the first words that are not noise, up to the next noise word.
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

/// Returns the ledger's entry for the resource of an operation.
pub fn resource_key(pointer: &str) -> String {
    format!("resource {pointer}")
}

fn resources(
    api: &Api,
    (facts, overridden): (&Facts, &Overridden),
    options: &Options,
    plan: &mut Plan,
) {
    let chosen = overridden.chosen.iter();
    let facts: Vec<(&ResourceFacts, &Choices)> = chosen
        .map(|at| (&facts.resources[*at], &overridden.choices[*at]))
        .collect();

    // Names are given first, as children refer to their parents by name.
    let idents = given::idents(api, &facts, options, &mut plan.ledger);

    let chosen: Vec<&ResourceFacts> = facts.iter().map(|(resource, _)| *resource).collect();
    let features = features::of(api, &chosen);
    let roots = chosen.iter().filter_map(|resource| resource.record);
    let ledger = Structs::retain_used(api, roots, &options.ledger);
    let mut structs = Structs::new(api, &ledger);
    let records: Vec<Option<String>> = facts
        .iter()
        .zip(&idents)
        .map(|((resource, _), (name, _))| {
            let fallback = names::pascal(&names::singular(name), "Record");
            structs.record(resource.record?, &fallback)
        })
        .collect();
    own_records(api, &facts, &records, &mut structs);

    let draft = Draft {
        api,
        facts: &facts,
        idents: &idents,
        features: &features,
        records: &records,
        structs: &structs,
    };
    let mut asked = Vec::new();
    for (at, (found, _)) in facts.iter().enumerate() {
        let mut resource = draft.resource(at, plan);
        let (open, fixed) = parameters::of(api, found, (at, &resource), &options.ledger);
        resource.parameters = fixed;
        asked.extend(open);
        plan.resources.push(resource);
    }
    parameters::fill(plan, asked, &options.ledger);
    settings::mark_required(plan);
    parameters::say_what_for(plan);
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

/// Assigns a record that several resources share to the one nearest to the root.
fn own_records(
    api: &Api,
    facts: &[(&ResourceFacts, &Choices)],
    records: &[Option<String>],
    structs: &mut Structs<'_>,
) {
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
}

/// The inputs of the declarations of resources.
struct Draft<'a> {
    api: &'a Api,
    facts: &'a [(&'a ResourceFacts, &'a Choices)],
    /// The name and the function of each resource.
    idents: &'a [(String, String)],
    features: &'a [Option<String>],
    records: &'a [Option<String>],
    structs: &'a Structs<'a>,
}

impl Draft<'_> {
    /// Builds the resource at an index, without its parameters, structs and exchange.
    fn resource(&self, at: usize, plan: &mut Plan) -> Resource {
        let (found, wish) = &self.facts[at];
        let operation = &self.api.operations[found.operation];
        let (name, ident) = self.idents[at].clone();
        let record = self.records[at].as_deref();
        let field = |path: &str| field_ref(self.structs, record, path);
        let parent = self.parent(found);
        let key = &found.primary_key.value;
        let summary = text::or(
            text::sentence(&operation.summary),
            &text::sentence(&operation.description),
        );
        let response = operation.response.as_ref();
        let statuses = wish.on_status.iter();
        let doubts = found.doubts.iter();
        let single = found.kind == ResourceKind::Single;
        let paged = paginator(&found.paginator, key);
        let undecided = !single && paged == Paginator::Undecided;
        let mut resource = Resource {
            name,
            ident,
            feature: self.features[at].clone(),
            doc: summary.trim_end_matches('.').to_owned(),
            post: operation.method == "post",
            single,
            format: response.and_then(Response::format).unwrap_or_default(),
            path: operation.path.clone(),
            parameters: Vec::new(),
            records: path::write(&found.records_path.value),
            within_parent: parent.is_some() && !key.is_empty() && found.key_within_parent,
            key: key.iter().map(|path| field(path)).collect(),
            paginator: paged,
            cursor: self.cursor(found, record, wish),
            contract: wish.contract,
            auth: found.auth.as_ref().map(|own| {
                let source = plan.source.as_str();
                credentials::own_credentials(self.api, own, source, &mut plan.settings)
            }),
            deletes: wish.deletes,
            tombstone: self.tombstone(record, wish),
            embedded: Vec::new(),
            off: match &wish.off {
                Some(Off::Off(reason)) => Some(reason.clone()),
                Some(Off::On) => found.unsendable.clone(),
                None => {
                    let needs = body::reason(&found.needs);
                    let undecided = undecided.then(|| UNDECIDED.to_owned());
                    let unsupplied = unsupplied(found).filter(|_| !single);
                    let off = found.off.clone().or(found.unsendable.clone());
                    off.or(needs).or(undecided).or(unsupplied)
                }
            },
            unsendable: found.unsendable.is_some(),
            unsure: unsure(found),
            on_status: statuses.map(|(status, rule)| (*status, *rule)).collect(),
            list_may_be_absent: wish.list_may_be_absent,
            whole_lists: wish.whole_lists.clone(),
            parent,
            record: record.map(str::to_owned),
            structs: Vec::new(),
            doubts: doubts
                .map(|doubt| (doubt.question.clone(), doubt.settle.clone()))
                .collect(),
            examples: samples::examples(operation, &found.records_path.value),
            exchange: None,
        };
        let embedded = wish.embedded.as_deref();
        resource.embedded = embedded::embedded(self.api, self.structs, &resource, embedded);
        resource
    }

    /// Returns the parent if its records hold what the child needs.
    fn parent(&self, found: &ResourceFacts) -> Option<Parent> {
        let parent = sure_parent(found)?;
        let mut facts = self.facts.iter();
        let index = facts.position(|(resource, _)| resource.name == parent.resource)?;
        let record = self.records[index].clone();
        link(self.structs, parent, &self.idents[index].0, record)
    }

    /// Returns the cursor if it is sure and its parameter takes what the field holds.
    fn cursor(
        &self,
        found: &ResourceFacts,
        record: Option<&str>,
        wish: &Choices,
    ) -> Option<Cursor> {
        let facts = found.cursor.value.as_ref()?;
        // A cursor that the owner declares is trusted.
        let fits = wish.incremental.is_some() || takes(self.structs, record, facts);
        let usable = found.cursor.confidence >= SURE && fits;
        let field = field_ref(self.structs, record, &facts.field);
        usable.then(|| cursor(facts, field, wish)).flatten()
    }

    /// Returns the field that marks a record as deleted, if the owner names it or deletes have an
    /// effect.
    fn tombstone(&self, record: Option<&str>, wish: &Choices) -> Option<FieldRef> {
        let acts = wish.deletes.is_some_and(|deletes| deletes != Deletes::Keep);
        let wanted = wish.tombstone.is_some() || acts;
        wanted
            .then(|| tombstone(self.structs, record, wish.tombstone.as_deref()))
            .flatten()
    }
}

/// Returns the parent if it is sure enough; without a parent, its parameters become settings.
fn sure_parent(found: &ResourceFacts) -> Option<&ParentFacts> {
    let parent = found.parent.value.as_ref();
    parent.filter(|_| found.parent.confidence >= SURE)
}

/// Combines the inferred cursor with the owner's choices.
fn cursor(found: &CursorFacts, field: FieldRef, wish: &Choices) -> Option<Cursor> {
    // Only the owner can declare a cursor without a parameter.
    if found.param.is_none() && wish.incremental.is_none() {
        return None;
    }
    let own = wish.incremental.clone().unwrap_or_default();
    Some(Cursor {
        field,
        meaning: found.meaning,
        format: own.format.filter(|format| *format != TimeFormat::AsIs),
        param: found.param.clone(),
        until: found.until.clone(),
        in_body: found.in_body,
        template: found.template.clone(),
        exclusive: own.exclusive.unwrap_or_else(|| found.is_strict()),
        new_rows_only: wish.new_rows_only,
        lookback: own.lookback,
        order: own.order,
        windows: own.windows,
        most_rows: own.most_rows,
    })
}

/// Returns why the rows of a list may not be all of them, if a question is open whose answer decides that.
fn unsure(found: &ResourceFacts) -> Option<String> {
    let open = |key: &str| {
        let mut doubts = found.doubts.iter();
        doubts.find(|doubt| doubt.settle.starts_with(key))
    };
    if open("records").is_some() {
        return Some("etlgen is not sure where a response has the records".to_owned());
    }
    let (_, reason) = open("query.")?.question.split_once("? ")?;
    Some(reason.to_owned())
}

/// The reason why a list with undecided paging is off.
const UNDECIDED: &str = "etlgen could not tell how this list is paged";

/// Returns the paginator if it is sure. A `field` that equals the key is omitted.
fn paginator(decision: &Decision<Paginator>, key: &[String]) -> Paginator {
    if decision.confidence < SURE {
        return Paginator::Undecided;
    }
    let mut paginator = decision.value.clone();
    if let Paginator::LastId(LastId { field, .. }) = &mut paginator
        && field.is_some()
        && field.as_ref() == key.last()
    {
        *field = None;
    }
    paginator
}
