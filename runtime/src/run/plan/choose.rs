//! Which resources a run reads.

use std::collections::HashMap;
use std::sync::Arc;

use super::values::OffResource;
use crate::error::{Error, ErrorKind, Result};
use crate::run::options::RunOptions;
use crate::source::{AnyResource, Source};
use crate::text::{alternatives, listed};

/// A resource of a run.
pub(crate) struct Chosen {
    pub resource: Arc<dyn AnyResource>,
    /// Whether its rows are loaded; otherwise it is read only for its children.
    pub loads: bool,
}

/// The resources of a run, parents before children, and those that are left out.
pub(crate) struct Choice {
    pub chosen: Vec<Chosen>,
    pub off: Vec<OffResource>,
}

/// Returns the resources that are named, or all that are not off, and the parents that they need. A
/// parent that is off is read for a child that is named.
pub(crate) fn choose(source: &Source, options: &RunOptions) -> Result<Choice> {
    check(source, options)?;
    let off = match options.resources.is_empty() {
        true => off(source),
        false => Vec::new(),
    };
    let mut wanted: HashMap<&str, bool> = HashMap::new();
    for name in &options.resources {
        wanted.insert(source.find(name)?.spec().name.as_str(), true);
    }
    if options.resources.is_empty() {
        let names = source.resource_names().into_iter();
        let on = names.filter(|name| !off.iter().any(|off| off.name == *name));
        wanted.extend(on.map(|name| (name, true)));
    }
    let named: Vec<&str> = wanted.keys().copied().collect();
    for name in named {
        for parent in parents(source, name) {
            wanted.entry(&parent.spec().name).or_insert(false);
        }
    }
    let chosen = source.resources().iter().filter_map(|resource| {
        let loads = *wanted.get(resource.spec().name.as_str())?;
        Some(Chosen {
            resource: resource.clone(),
            loads,
        })
    });
    let mut chosen: Vec<Chosen> = chosen.collect();
    chosen.sort_by_key(|chosen| parents(source, &chosen.resource.spec().name).len());
    refuse_nothing(&off, &chosen, source)?;
    Ok(Choice { chosen, off })
}

/// Refuses options about resources that the source does not have.
fn check(source: &Source, options: &RunOptions) -> Result<()> {
    if options.full_refresh && (options.since.is_some() || options.until.is_some()) {
        let message = "a full refresh reads everything: it cannot have `--since` or `--until`";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let names = source.resource_names();
    let unknown = options.resources.iter().map(String::as_str);
    let unknown: Vec<&str> = unknown.filter(|name| !names.contains(name)).collect();
    // One error names all of them; `find` refuses a single one.
    if unknown.len() > 1 {
        let message = format!(
            "the source `{}` has no resources {}",
            source.name(),
            listed(&unknown)
        );
        let hints = unknown.iter().take(3);
        let hints = hints.map(|name| format!("`{name}`: {}", alternatives(name, &names)));
        let hints: Vec<String> = hints.collect();
        return Err(Error::new(ErrorKind::Usage, message).hint(hints.join("; ")));
    }
    for rule in &options.select {
        if !names.iter().any(|name| rule.is_about(name)) {
            let message = format!("`{rule}` selects fields of no resource");
            let hint = alternatives(rule.resource(), &names);
            return Err(Error::new(ErrorKind::Usage, message).hint(hint));
        }
    }
    for name in options.contracts.iter().filter_map(|rule| rule.resource()) {
        source.find(name)?;
    }
    Ok(())
}

/// Returns the ancestors of a resource, its parent first.
fn parents<'a>(source: &'a Source, name: &str) -> Vec<&'a Arc<dyn AnyResource>> {
    let above = |name: &str| {
        let resource = source.find(name).ok()?;
        source.find(&resource.spec().parent.as_ref()?.resource).ok()
    };
    std::iter::successors(above(name), |parent| above(&parent.spec().name)).collect()
}

/// Returns the resources that a run leaves out unless they are named: those that are off or lack a
/// setting, and their descendants.
fn off(source: &Source) -> Vec<OffResource> {
    let off = source.resources().iter().filter_map(|resource| {
        let spec = resource.spec();
        let name = spec.name.clone();
        if let Some((reason, settle)) = spec.left_out() {
            return Some(OffResource {
                name,
                reason,
                settle,
            });
        }
        let above = parents(source, &spec.name);
        let mut above = above.iter().map(|above| above.spec());
        let above = above.rfind(|above| above.left_out().is_some())?;
        let (_, settle) = above.left_out()?;
        Some(OffResource {
            reason: format!("its parent `{}` is off", above.name),
            settle: match (&above.off, &above.wrong) {
                (Some(_), Some(_)) => {
                    format!("nothing: the request of `{}` cannot be sent", above.name)
                }
                (Some(_), None) => format!(
                    "remove `.off(…)` from `{}`, or name it: `--resources {name}`",
                    above.name
                ),
                (None, _) => settle,
            },
            name,
        })
    });
    off.collect()
}

/// Fails if settings without a value keep a run from reading anything.
fn refuse_nothing(off: &[OffResource], chosen: &[Chosen], source: &Source) -> Result<()> {
    let lacks = |off: &&OffResource| {
        let resource = source.find(&off.name).ok();
        resource.is_some_and(|it| it.spec().off.is_none() && it.spec().missing.is_some())
    };
    match off.iter().find(lacks) {
        Some(first) if chosen.is_empty() => {
            let message = format!("no resource can be read: `{}` {}", first.name, first.reason);
            Err(Error::new(ErrorKind::Usage, message).hint(first.settle.clone()))
        }
        _ => Ok(()),
    }
}
