//! Which resources a run reads.

use std::collections::HashMap;
use std::sync::Arc;

use super::values::OffResource;
use crate::error::{Error, ErrorKind, Result};
use crate::run::options::RunOptions;
use crate::source::{AnyResource, Source};
use crate::text::alternatives;

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
    Ok(Choice { chosen, off })
}

/// Refuses options about resources that the source does not have.
fn check(source: &Source, options: &RunOptions) -> Result<()> {
    if options.full_refresh && (options.since.is_some() || options.until.is_some()) {
        let message = "a full refresh reads everything: it cannot have `--since` or `--until`";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let names = source.resource_names();
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

/// Returns the resources that a run leaves out unless they are named: those that are off, and their
/// descendants.
fn off(source: &Source) -> Vec<OffResource> {
    let off = source.resources().iter().filter_map(|resource| {
        let spec = resource.spec();
        if let Some(reason) = &spec.off {
            return Some(OffResource {
                name: spec.name.clone(),
                reason: reason.clone(),
                settle: match spec.wrong {
                    Some(_) => "nothing: its request cannot be sent".to_owned(),
                    None => format!(
                        "remove `.off(…)` from `{0}`, or name it: `--resources {0}`",
                        spec.name
                    ),
                },
            });
        }
        let above = parents(source, &spec.name);
        let mut above = above.iter().map(|above| above.spec());
        let above = above.rfind(|above| above.off.is_some())?;
        Some(OffResource {
            name: spec.name.clone(),
            reason: format!("its parent `{}` is off", above.name),
            settle: match above.wrong {
                Some(_) => format!("nothing: the request of `{}` cannot be sent", above.name),
                None => format!(
                    "remove `.off(…)` from `{}`, or name it: `--resources {}`",
                    above.name, spec.name
                ),
            },
        })
    });
    off.collect()
}
