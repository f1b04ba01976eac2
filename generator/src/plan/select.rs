//! Which resources are wanted.

use crate::diagnostics::{Diagnostic, Kind};
use crate::infer::facts::{Facts, ResourceFacts, ResourceKind, SURE};

/// The indexes of the resources that are taken: the lists, or those named; without those that a pattern excludes;
/// with the parents that they need.
pub fn select(
    facts: &Facts,
    include: &[String],
    exclude: &[String],
) -> Result<Vec<usize>, Diagnostic> {
    let by_name = |name: &str| {
        facts
            .resources
            .iter()
            .position(|resource| resource.name == name)
    };
    let mut wanted = vec![false; facts.resources.len()];
    if include.is_empty() {
        for (at, resource) in facts.resources.iter().enumerate() {
            wanted[at] = resource.kind == ResourceKind::List;
        }
    }
    for name in include {
        match by_name(name) {
            Some(at) => wanted[at] = true,
            None => return Err(unknown(facts, name)),
        }
    }
    for (at, resource) in facts.resources.iter().enumerate() {
        if exclude
            .iter()
            .any(|pattern| matches(pattern, &resource.name))
        {
            wanted[at] = false;
        }
    }
    let mut at = 0;
    let mut queue: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at]).collect();
    while let Some(index) = queue.get(at).copied() {
        at += 1;
        let parent = parent_of(&facts.resources[index]).and_then(by_name);
        if let Some(parent) = parent
            && !wanted[parent]
        {
            wanted[parent] = true;
            queue.push(parent);
        }
    }
    let chosen: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at]).collect();
    if chosen.is_empty() {
        return Err(nothing(facts, include.is_empty() && exclude.is_empty()));
    }
    Ok(chosen)
}

fn parent_of(resource: &ResourceFacts) -> Option<&str> {
    let parent = resource.parent.value.as_ref()?;
    (resource.parent.confidence >= SURE).then_some(&parent.resource)
}

/// There is nothing to generate: what there is instead.
fn nothing(facts: &Facts, all: bool) -> Diagnostic {
    let singles: Vec<&str> = facts
        .resources
        .iter()
        .filter(|resource| resource.kind == ResourceKind::Single)
        .map(|resource| resource.name.as_str())
        .collect();
    let (message, hint) = match (all, singles.as_slice()) {
        (false, _) => (
            "the selection leaves no resource".to_owned(),
            "`etlgen inspect --spec …` lists what the document offers".to_owned(),
        ),
        (true, []) => (
            "the document describes nothing that could be loaded: no GET answers with records"
                .to_owned(),
            "`etlgen inspect --spec … --format json` says for each operation why it is left out"
                .to_owned(),
        ),
        (true, singles) => (
            format!(
                "the document describes no lists, only {} single objects",
                singles.len()
            ),
            format!(
                "name those that you want: `--resources {}`",
                singles[..singles.len().min(3)].join(",")
            ),
        ),
    };
    // A selection is not the document's fault.
    let (kind, pointer) = match all {
        true => (Kind::Document, "/paths"),
        false => (Kind::Usage, ""),
    };
    Diagnostic::error(kind, message)
        .at_pointer(pointer)
        .with_hint(hint)
}

/// There is no resource of that name: which are near.
pub fn unknown(facts: &Facts, name: &str) -> Diagnostic {
    let mut near: Vec<&str> = facts
        .resources
        .iter()
        .map(|resource| resource.name.as_str())
        .filter(|known| known.contains(name) || name.contains(known))
        .collect();
    near.truncate(8);
    let hint = match near.as_slice() {
        [] => "`etlgen inspect --spec …` lists the resources".to_owned(),
        near => format!(
            "there are {}; `etlgen inspect --spec …` lists all",
            near.join(", ")
        ),
    };
    let message = format!("the document has no resource `{name}`");
    Diagnostic::error(Kind::Usage, message).with_hint(hint)
}

/// Whether a name fits a pattern, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut rest = rest;
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return false;
    };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "a_b_c", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("a*c", "ab", false),
        ] {
            assert_eq!(super::matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
