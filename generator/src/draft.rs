//! The pipeline up to the plan: it reads a document, infers its meaning, applies the overrides, and
//! plans the crate. All commands of etlgen use its result.

use etlgen_model::{Paginator, is_private_host};
use reqwest::Url;

use crate::diagnostics::{Diagnostic, Kind};
use crate::infer::facts::{Facts, ResourceFacts, SettingFacts};
use crate::infer::infer;
use crate::overrides::{Overrides, apply};
use crate::plan::{Options, Plan, Resource, plan, resource_key};
use crate::spec::api::{Api, Location};
use crate::spec::{Input, place, read, strict};

/// A document and everything derived from it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The bytes that were read.
    pub input: Input,
    /// The content of the document.
    pub api: Api,
    /// Its meaning, with the owner's overrides.
    pub facts: Facts,
    /// The crate to generate.
    pub plan: Plan,
    /// Warnings and notes, the most severe first.
    pub notes: Vec<Diagnostic>,
}

impl Draft {
    /// Reads a document, infers its meaning, applies the overrides, and plans the crate.
    pub fn new(input: Input, overrides: &Overrides, options: &Options) -> Result<Self, Diagnostic> {
        match read(&input) {
            (Some(api), notes) => Draft::of(input, api, notes, (overrides, options)),
            (None, notes) => Err(unreadable(notes)),
        }
    }

    /// Does the same for a document that has been read.
    pub fn of(
        input: Input,
        api: Api,
        mut notes: Vec<Diagnostic>,
        (overrides, options): (&Overrides, &Options),
    ) -> Result<Self, Diagnostic> {
        let facts = infer(&api);
        let overridden = apply(&api, facts, overrides, options.everything)
            .map_err(|error| placed(error, &input))?;
        let plan = plan(&api, &overridden, options);
        // An owner who names the URL has decided.
        if overrides.top.base_url.is_none() {
            notes.extend(unencrypted(&overridden.facts.base_url, &input));
        }
        Ok(Draft {
            input,
            api,
            facts: overridden.facts,
            plan,
            notes,
        })
    }

    /// Returns a note if strict OpenAPI 3.0 readers refuse the document.
    pub fn strictness(&self) -> Option<Diagnostic> {
        let reason = strict(&self.input).err()?;
        let message = format!("strict OpenAPI 3.0 readers refuse this document: {reason}");
        Some(Diagnostic::note(Kind::Document, message))
    }

    /// Returns the planned resource of an inferred one; `None`: it is left out.
    pub fn planned(&self, found: &ResourceFacts) -> Option<&Resource> {
        let pointer = &self.api.operations.get(found.operation)?.pointer;
        let name = self.plan.ledger.get(&resource_key(pointer))?;
        let mut resources = self.plan.resources.iter();
        resources.find(|resource| resource.name == *name)
    }

    /// Returns the resources to generate with the decisions of the plan: a paginator that the plan
    /// leaves undecided is undecided here, and a parent that it does not use is absent, so that its
    /// parameters are settings.
    pub fn decided(&self) -> Vec<Decided<'_>> {
        let found = self.facts.resources.iter();
        let planned = found.filter_map(|found| Some((found, self.planned(found)?)));
        planned
            .map(|(found, planned)| Decided {
                facts: decided(found, planned),
                found,
                planned,
            })
            .collect()
    }
}

/// A resource to generate, with the evidence for it.
pub struct Decided<'a> {
    /// The facts, without those that the plan does not use.
    pub facts: ResourceFacts,
    /// The inferred and overridden facts.
    pub found: &'a ResourceFacts,
    /// The resource of the plan.
    pub planned: &'a Resource,
}

impl Decided<'_> {
    /// Returns whether runs read incrementally by the cursor in the facts.
    pub fn is_incremental(&self) -> bool {
        self.planned.cursor.is_some()
    }
}

fn decided(found: &ResourceFacts, planned: &Resource) -> ResourceFacts {
    let mut facts = found.clone();
    if planned.paginator == Paginator::Undecided {
        facts.paginator.value = Paginator::Undecided;
    }
    facts.key_within_parent = planned.within_parent;
    if planned.parent.is_none()
        && let Some(parent) = facts.parent.value.take()
    {
        let known = |name: &str| found.settings.iter().any(|known| known.parameter == name);
        let linked = parent
            .links
            .into_iter()
            .map(|link| (link.param, link.location));
        let inherited = parent.inherited.into_iter();
        let all = linked.chain(inherited.map(|(name, _)| (name, Location::Path)));
        let open = all.filter(|(name, _)| !known(name));
        facts
            .settings
            .extend(open.map(|(parameter, location)| SettingFacts {
                parameter,
                location,
                description: String::new(),
                default: None,
            }));
    }
    facts
}

/// Returns a warning if requests to a URL cross a public network without encryption.
fn unencrypted(base_url: &str, input: &Input) -> Option<Diagnostic> {
    let url = Url::parse(base_url).ok()?;
    let host = url.host_str().filter(|_| url.scheme() == "http")?;
    let message = format!("the document names no encrypted server: requests go to http://{host}");
    let warning = Diagnostic::warning(Kind::Document, message)
        .in_file(&input.name)
        .with_hint("`base_url = \"https://…\"` in etlgen.toml names one; a connector sends no credentials over http:// without `--allow-http`");
    (!is_private_host(host)).then_some(warning)
}

/// Returns the most severe of the diagnostics, with the others as related ones.
fn unreadable(mut notes: Vec<Diagnostic>) -> Diagnostic {
    match notes.is_empty() {
        true => Diagnostic::error(
            Kind::Internal,
            "the reader returned neither a document nor an error",
        )
        .with_hint("this is a defect of etlgen: please report it with the document"),
        false => notes.remove(0).with_related(notes),
    }
}

/// Adds the place to an error about a part of the document.
fn placed(error: Diagnostic, input: &Input) -> Diagnostic {
    let pointer = error.pointer().filter(|_| error.file().is_empty());
    match pointer.map(|pointer| place(input, pointer)) {
        Some(position) => error.in_file(&input.name).at(position),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides::parse;

    #[test]
    fn requests_without_encryption_are_warned_of_unless_the_owner_wants_them() {
        let warned = |server: &str, settings: &str| {
            let document = format!(
                "openapi: 3.0.0\ninfo: {{title: T, version: '1'}}\nservers: {server}\npaths: {{/a: {{get: {{responses: {{'200': {{description: ok}}}}}}}}}}"
            );
            let input = Input {
                name: "t.yaml".to_owned(),
                bytes: document.into_bytes(),
                ..Input::default()
            };
            let overrides = parse("etlgen.toml", settings).unwrap();
            let draft = Draft::new(input, &overrides, &Options::default()).unwrap();
            let notes = draft.notes.iter();
            notes
                .filter(|note| note.message().contains("encrypted"))
                .count()
        };
        let public = "[{url: 'http://api.shop.example:8080/v1'}]";
        assert_eq!(warned(public, ""), 1);
        assert_eq!(
            warned(public, "base_url = \"http://api.shop.example/v1\""),
            0
        );
        assert_eq!(warned("[{url: '//api.shop.example'}]", ""), 0);
        assert_eq!(warned("[{url: 'https://api.shop.example'}]", ""), 0);
        for private in ["localhost:8080", "10.0.0.1", "airflow", "'[::1]:80'"] {
            let server = format!("[{{url: 'http://{}/v1'}}]", private.trim_matches('\''));
            assert_eq!(warned(&server, ""), 0, "{private}");
        }
    }
}
