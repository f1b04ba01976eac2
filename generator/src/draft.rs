//! The pipeline up to the plan: it reads a document, infers its meaning, applies the overrides, and
//! plans the crate. All commands of etlgen use its result.

use etlgen_model::Paginator;

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
        notes: Vec<Diagnostic>,
        (overrides, options): (&Overrides, &Options),
    ) -> Result<Self, Diagnostic> {
        let facts = infer(&api);
        let overridden = apply(&api, facts, overrides, options.everything)
            .map_err(|error| placed(error, &input))?;
        let plan = plan(&api, &overridden, options);
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
