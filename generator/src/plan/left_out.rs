//! The resources that a plain run leaves out: those that are off, those that lack a setting, and
//! their children. The runtime decides the same.

use super::{Plan, Resource};

/// A resource that a plain run leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    pub name: String,
    /// Why, and what switches it on if that is a setting.
    pub reason: String,
}

impl Plan {
    /// Returns the resources that a plain run leaves out, in order.
    pub fn left_out(&self) -> Vec<LeftOut> {
        let all = self.resources.iter();
        let left_out = all.filter_map(|resource| {
            let reason = self.own_reason(resource).or_else(|| {
                let parent = self.off_ancestor(resource)?;
                Some(format!("its parent `{}` is off", parent.name))
            })?;
            Some(LeftOut {
                name: resource.name.clone(),
                reason,
            })
        });
        left_out.collect()
    }

    fn own_reason(&self, resource: &Resource) -> Option<String> {
        if let Some(reason) = &resource.off {
            return Some(reason.clone());
        }
        let own = resource.auth.iter().flat_map(|auth| auth.settings());
        let values = resource
            .parameters
            .iter()
            .filter_map(|it| it.value.setting());
        let mut wanted = values.chain(own);
        let name = wanted.find(|name| {
            let mut settings = self.settings.iter();
            settings.any(|it| it.ident == *name && it.optional && it.default.is_none())
        })?;
        Some(format!(
            "needs `--{}` ({}_{})",
            etlgen_model::flag(name),
            self.prefix,
            name.to_uppercase()
        ))
    }

    /// Returns the nearest ancestor that is left out itself.
    fn off_ancestor<'a>(&'a self, resource: &'a Resource) -> Option<&'a Resource> {
        let mut at = resource;
        for _ in 0..self.resources.len() {
            let parent = at.parent.as_ref()?;
            at = self
                .resources
                .iter()
                .find(|it| it.name == parent.resource)?;
            if self.own_reason(at).is_some() {
                return Some(at);
            }
        }
        None
    }
}

/// Returns the reasons, each once, with the names of the resources: at most `most` of them, and how
/// many there are besides.
pub fn by_reason(left_out: &[LeftOut], most: usize) -> Vec<(String, Vec<String>, usize)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for LeftOut { name, reason } in left_out {
        match found.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(name.clone()),
            None => found.push((reason.clone(), vec![name.clone()])),
        }
    }
    let cut = found.into_iter().map(|(reason, mut names)| {
        let more = names.len().saturating_sub(most);
        names.truncate(most);
        (reason, names, more)
    });
    cut.collect()
}
